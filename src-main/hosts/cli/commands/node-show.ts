import type { NodeView, ProcessInfo } from '../../../contract/node.ts';
import { formatBytes } from '../../../domain/size.ts';
import type { Call } from '../call.ts';
import { fleetSummary } from '../shape/fleet-summary.ts';
import { nodeJson } from '../shape/node-json.ts';
import { clean } from '../text/clean.ts';
import { findingsText } from '../text/findings.ts';
import { nodesTable, nodeText, stateText } from '../text/node-text.ts';
import { formatPairs, formatTable } from '../text/table.ts';
import { isoTimeOrNull } from '../text/time.ts';
import { withUsage, type NodeWithUsage } from '../usage-of-nodes.ts';

export async function listNodes(call: Call): Promise<void> {
  const nodes = await allNodes(call);
  await call.answer(
    () => nodes.map(({ node, sample }) => nodeJson(node, sample)),
    () => nodesTable(nodes, call.look),
  );
}

export async function showNode(call: Call, reference: string): Promise<void> {
  const api = await call.api();
  await answerNode(call, await api.nodes.get({ node: reference }));
}

/** Answers with one node. */
export async function answerNode(call: Call, node: NodeView): Promise<void> {
  const [found = { node, sample: undefined }] = await withUsage(await call.api(), [node]);
  await call.answer(
    () => nodeJson(found.node, found.sample),
    () => nodeText(found, { look: call.look, now: call.io.now() }),
  );
}

export async function showHealth(call: Call, reference: string | undefined): Promise<void> {
  const api = await call.api();
  const nodes =
    reference === undefined ? await api.nodes.list() : [await api.nodes.get({ node: reference })];
  const { paint } = call;
  await call.answer(
    () => {
      const health = nodes.map(({ name, state, reason, drained, lastSeen, findings }) => {
        return { name, state, reason, drained, lastSeen: isoTimeOrNull(lastSeen), findings };
      });
      return reference === undefined ? health : health[0];
    },
    () =>
      nodes
        .map((node) => {
          const why = node.reason === null ? '' : `: ${clean(node.reason)}`;
          return `${paint('bold', node.name)} ${stateText(node, paint)}${why}\n${findingsText(node.findings, paint)}`;
        })
        .join('\n'),
  );
}

export async function showSummary(call: Call): Promise<void> {
  const summary = fleetSummary(await allNodes(call));
  const { nodes, cores, memoryBytes, gpus } = summary;
  await call.answer(
    () => summary,
    () =>
      formatPairs(
        [
          [
            'Nodes',
            Object.entries(nodes)
              .map(([state, count]) => `${String(count)} ${state}`)
              .join(', '),
          ],
          ['Drained', String(summary.drained)],
          ['Cores', `${String(cores.held)} of ${String(cores.total)} held`],
          [
            'Memory',
            `${formatBytes(memoryBytes.held)} of ${formatBytes(memoryBytes.total)} held, ${formatBytes(memoryBytes.used)} used`,
          ],
          [
            'GPUs',
            `${String(gpus.held)} of ${String(gpus.total)} held, ${String(gpus.foreign)} used by others`,
          ],
          ['Tasks', String(summary.tasks)],
        ],
        call.paint,
      ),
  );
}

export async function showProcesses(
  call: Call<{ limit: number }>,
  reference: string,
): Promise<void> {
  const api = await call.api();
  const processes = await api.nodes.processes({ node: reference, limit: call.options.limit });
  await call.answer(
    () => processes.map((info) => ({ ...info, startedAt: isoTimeOrNull(info.startedAt) })),
    () =>
      formatTable<ProcessInfo>(
        [
          { title: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
          { title: 'USER', cell: ({ user }) => clean(user) },
          { title: 'CPU', cell: ({ cpuPercent }) => `${cpuPercent.toFixed(1)} %`, align: 'right' },
          { title: 'MEMORY', cell: ({ memoryBytes }) => formatBytes(memoryBytes), align: 'right' },
          { title: 'COMMAND', cell: ({ command }) => clean(command), canShrink: true },
        ],
        processes,
        call.look,
      ),
  );
}

async function allNodes(call: Call): Promise<NodeWithUsage[]> {
  const api = await call.api();
  return withUsage(api, await api.nodes.list());
}
