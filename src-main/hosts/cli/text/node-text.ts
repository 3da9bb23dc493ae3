import type { MetricsSample, NodeFacts, NodeView } from '../../../contract/node.ts';
import { formatBytes } from '../../../domain/size.ts';
import { gpuIndex } from '../shape/node-json.ts';
import type { NodeWithUsage } from '../usage-of-nodes.ts';
import { clean } from './clean.ts';
import { findingsText } from './findings.ts';
import { nodeTones, type Paint } from './style.ts';
import { formatPairs, formatTable, type Column, type TableLook } from './table.ts';
import { ago, localTime } from './time.ts';

/** `online`, with `drained` beside it where that is so. */
export function stateText(node: Pick<NodeView, 'state' | 'drained'>, paint: Paint): string {
  const state = paint(nodeTones[node.state], node.state);
  return node.drained ? `${state}, ${paint('yellow', 'drained')}` : state;
}

/** `user@host:port`, or that it is this computer. */
export function addressText(node: NodeView): string {
  if (node.local) return 'this computer';
  const host = node.address ?? '';
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const port = node.port === null || node.port === 22 ? '' : `:${String(node.port)}`;
  return clean(`${node.user === null ? '' : `${node.user}@`}${bracketed}${port}`);
}

export function nodesTable(nodes: readonly NodeWithUsage[], look: TableLook): string {
  const columns: Column<NodeWithUsage>[] = [
    { title: 'NAME', cell: ({ node }) => node.name },
    { title: 'STATE', cell: ({ node }) => stateText(node, look.paint) },
    { title: 'ADDRESS', cell: ({ node }) => addressText(node), canShrink: true },
    { title: 'CPU', cell: ({ sample }) => percent(sample?.cpu), align: 'right' },
    {
      title: 'CORES',
      cell: ({ node }) => heldOf(node.allocated.cores, node.facts?.cores),
      align: 'right',
    },
    { title: 'MEMORY', cell: memoryCell, align: 'right' },
    {
      title: 'GPUS',
      cell: ({ node }) => heldOf(node.allocated.gpus.length, node.facts?.gpus.length),
      align: 'right',
    },
    { title: 'TASKS', cell: ({ node }) => String(node.activeTasks), align: 'right' },
    { title: 'REASON', cell: ({ node }) => clean(node.reason ?? ''), canShrink: true },
  ];
  return formatTable(columns, nodes, look);
}

/** Everything about one node. */
export function nodeText(
  { node, sample }: NodeWithUsage,
  { look, now }: { look: TableLook; now: number },
): string {
  const { paint } = look;
  const pairs = [
    ...identityPairs(node, { paint, now }),
    ...(node.facts === null ? [] : machinePairs(node.facts)),
    ...usePairs({ node, sample }),
  ];
  const notable = node.findings.filter(({ level }) => level !== 'ok');
  return [
    formatPairs(pairs, paint),
    ...(node.facts?.gpus.length ? ['\n', gpusTable(node, sample, look)] : []),
    ...(notable.length === 0 ? [] : ['\n', findingsText(notable, paint)]),
  ].join('');
}

type Pairs = readonly (readonly [string, string])[];

function identityPairs(node: NodeView, { paint, now }: { paint: Paint; now: number }): Pairs {
  return [
    ['Name', node.name],
    ['Address', addressText(node)],
    ['Through', clean(node.jumps.join(' → '))],
    ['State', stateText(node, paint)],
    ['Reason', clean(node.reason ?? '')],
    ['Last seen', node.lastSeen === null ? 'never' : ago(node.lastSeen, now)],
    ['Added', localTime(node.addedAt)],
    ['Labels', clean(labelsText(node.labels))],
  ];
}

function machinePairs(facts: NodeFacts): Pairs {
  const { docker, qemu, cpuModel, cores, numa, diskFreeBytes } = facts;
  return [
    ['System', clean(`${facts.os}, ${facts.kernel}, ${facts.arch}`)],
    [
      'Processor',
      clean([`${String(cores)} cores`, cpuModel].filter((part) => part !== null).join(', ')),
    ],
    ['NUMA nodes', numa.length > 1 ? String(numa.length) : ''],
    ['Docker', clean(docker?.version ?? facts.dockerProblem ?? 'none')],
    ['QEMU', clean(qemu === null ? 'none' : `${qemu.version}${qemu.kvm ? ' with KVM' : ''}`)],
    ['Disk free', diskFreeBytes === null ? '' : formatBytes(diskFreeBytes)],
    ['GPU problem', clean(facts.gpuProblem ?? '')],
  ];
}

function usePairs({ node, sample }: NodeWithUsage): Pairs {
  const { allocated, facts, activeTasks } = node;
  const cores = heldOf(allocated.cores, facts?.cores);
  const gpus = heldOf(allocated.gpus.length, facts?.gpus.length);
  return [
    ['Use', sample === undefined ? '' : `CPU ${percent(sample.cpu)}, memory ${memoryUse(sample)}`],
    [
      'Held',
      `${cores} cores, ${formatBytes(allocated.memoryBytes)}, ${gpus} GPUs, ${String(activeTasks)} tasks`,
    ],
  ];
}

/** The GPUs of a node: what they are, what they do, who holds them. */
export function gpusTable(
  node: NodeView,
  sample: MetricsSample | undefined,
  look: TableLook,
): string {
  const rows = (node.facts?.gpus ?? []).map((gpu) => ({
    gpu,
    now: sample?.gpus.find(({ uuid }) => uuid === gpu.uuid),
    holder: node.allocated.gpus.find(({ uuid }) => uuid === gpu.uuid),
  }));
  return formatTable(
    [
      { title: 'GPU', cell: ({ gpu }) => String(gpu.index), align: 'right' },
      { title: 'MODEL', cell: ({ gpu }) => clean(gpu.name), canShrink: true },
      { title: 'USE', cell: ({ now }) => percentOf100(now?.utilization), align: 'right' },
      {
        title: 'MEMORY',
        cell: ({ gpu, now }) =>
          `${now?.memoryBytes == null ? '-' : formatBytes(now.memoryBytes)} / ${formatBytes(gpu.memoryBytes)}`,
        align: 'right',
      },
      {
        title: 'TEMP',
        cell: ({ now }) =>
          now?.temperatureC == null ? '-' : `${String(Math.round(now.temperatureC))} °C`,
        align: 'right',
      },
      {
        title: 'POWER',
        cell: ({ now }) => (now?.powerW == null ? '-' : `${String(Math.round(now.powerW))} W`),
        align: 'right',
      },
      { title: 'HELD BY', cell: ({ holder, now }) => holderText(holder, now) },
    ],
    rows,
    look,
  );
}

function holderText(
  holder: NodeView['allocated']['gpus'][number] | undefined,
  now: MetricsSample['gpus'][number] | undefined,
): string {
  if (holder?.taskId != null) return `task ${holder.taskId}`;
  if (holder !== undefined) return `another core (${clean(holder.core ?? 'unknown')})`;
  if (now?.foreign !== true) return '';
  const who = now.processes.map(({ pid, user }) => `${user ?? '?'} (PID ${String(pid)})`);
  return clean(`others: ${who.join(', ') || 'unknown'}`);
}

export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** A share from 0 to 1. */
export function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${String(Math.round(share * 100))} %`;
}

function percentOf100(value: number | null | undefined): string {
  return value == null ? '-' : `${String(Math.round(value))} %`;
}

function heldOf(held: number, total: number | undefined): string {
  return `${String(held)}/${total === undefined ? '?' : String(total)}`;
}

function memoryUse(sample: MetricsSample): string {
  return `${formatBytes(sample.memoryUsedBytes)} / ${formatBytes(sample.memoryTotalBytes)}`;
}

function memoryCell({ node, sample }: NodeWithUsage): string {
  if (sample !== undefined) return memoryUse(sample);
  return node.facts === null ? '-' : formatBytes(node.facts.memoryBytes);
}

/** One moment of a node as a line. */
export function sampleText(sample: MetricsSample, node: NodeView): string {
  const gpus = sample.gpus.map((gpu) => {
    const index = gpuIndex(node.facts, gpu.uuid);
    return `gpu${index === null ? '?' : String(index)} ${percentOf100(gpu.utilization)}`;
  });
  return [
    localTime(sample.at),
    `cpu ${percent(sample.cpu)}`,
    `memory ${memoryUse(sample)}`,
    ...gpus,
  ].join('  ');
}
