// What concerns the core as a whole: status, stop, backup, doctor.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CoreStatus } from '../../../contract/procedures.ts';
import { nodeStates, type Finding } from '../../../contract/node.ts';
import { taskStatuses } from '../../../contract/task.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { formatBytes } from '../../../domain/size.ts';
import type { Call, Runner } from '../call.ts';
import { WrongCoreError } from '../errors.ts';
import { isAlive } from '../process-alive.ts';
import { sleep } from '../sleep.ts';
import { findingsText } from '../text/findings.ts';
import { nodeTones, taskTones } from '../text/style.ts';
import { formatPairs } from '../text/table.ts';
import { isoTime } from '../text/time.ts';

export function addCoreCommands(program: Command, runner: Runner): void {
  runner.action(
    program.command('status').description('the core: version, uptime, nodes and tasks'),
    showStatus,
  );
  runner.action(
    program.command('stop').description('stop the core; work on nodes goes on'),
    stopCore,
  );
  runner.action(
    program
      .command('backup')
      .description('write a consistent copy of the data directory into one file')
      .argument('<file>'),
    backUp,
  );
  runner.action(
    program
      .command('doctor')
      .description('what is missing here or on a node, and how to get it')
      .argument('[node]'),
    examine,
  );
}

async function showStatus(call: Call): Promise<void> {
  const status = await (await call.api()).core.status();
  await call.answer(
    () => statusJson(status),
    () => statusText(status, call),
  );
}

function statusJson(status: CoreStatus) {
  const { version, dataDir, pid, host, hostname, coreId, vault, rssBytes } = status;
  return {
    version,
    uptimeSeconds: Math.round((status.now - status.startedAt) / 1000),
    startedAt: isoTime(status.startedAt),
    dataDir,
    pid,
    host,
    hostname,
    coreId,
    nodes: Object.fromEntries(nodeStates.map((state) => [state, status.nodes[state] ?? 0])),
    tasks: Object.fromEntries(taskStatuses.map((name) => [name, status.tasks[name] ?? 0])),
    vault,
    rssBytes,
  };
}

const hostWords = { electron: 'the desktop app', server: 'headless', test: 'a test' } as const;

function statusText(status: CoreStatus, { paint }: Call): string {
  const counts = <Name extends string>(
    names: readonly Name[],
    of: Partial<Record<Name, number>>,
    tones: Readonly<Record<Name, Parameters<typeof paint>[0]>>,
  ): string =>
    names
      .filter((name) => (of[name] ?? 0) > 0)
      .map((name) => `${String(of[name])} ${paint(tones[name], name)}`)
      .join(', ') || 'none';
  return formatPairs(
    [
      ['Version', status.version],
      ['Core', `process ${String(status.pid)} on ${status.hostname} (${hostWords[status.host]})`],
      ['Uptime', formatDuration(status.now - status.startedAt)],
      ['Data directory', status.dataDir],
      ['Nodes', counts(nodeStates, status.nodes, nodeTones)],
      ['Tasks', counts(taskStatuses, status.tasks, taskTones)],
      ['Secrets', `${status.vault.state} (${status.vault.kind})`],
      ['Memory', formatBytes(status.rssBytes)],
    ],
    paint,
  );
}

const stopPatienceMs = 30_000;
const lookAgainMs = 50;

async function stopCore(call: Call): Promise<void> {
  const core = await call.connect({ maySpawn: false });
  const { host } = await core.api.core.status();
  if (host === 'electron') {
    throw new WrongCoreError('This core runs in the desktop app: quit the app to stop it.');
  }
  const ended = core.ended();
  const { pid } = await core.api.core.stop();
  await ended;
  for (let waitedMs = 0; core.isLocal && isAlive(pid); waitedMs += lookAgainMs) {
    if (waitedMs >= stopPatienceMs) {
      throw new WrongCoreError(
        `The core (process ${String(pid)}) was told to stop and is still there.`,
      );
    }
    await sleep(lookAgainMs);
  }
  await call.answer(
    () => ({ pid }),
    () => `Stopped the core (process ${String(pid)}). Work on nodes goes on.\n`,
  );
}

async function backUp(call: Call, file: string): Promise<void> {
  const core = await call.connect();
  const place = core.isLocal ? resolve(call.io.cwd, file) : file;
  const done = await core.api.core.backup({ file: place });
  await call.answer(
    () => done,
    () => `Wrote ${done.file} (${formatBytes(done.bytes)}).\n`,
  );
}

async function examine(call: Call, node: string | undefined): Promise<void> {
  const api = await call.api();
  const findings: Finding[] =
    node === undefined ? await api.core.doctor() : await api.nodes.doctor({ node });
  await call.answer(
    () => findings,
    () => findingsText(findings, call.paint),
  );
}
