// What a GPU is doing and for whom, put together from the node's facts, its newest sample and what
// is held, for the GPU field and the lists of GPUs.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { GpuFacts, GpuSample, MetricsSample, NodeView } from '../../src-main/contract/node.ts';

export type GpuUse =
  /** Nobody's. */
  | { kind: 'free' }
  /** Held by a task of this core. */
  | { kind: 'ours'; taskId: TaskId }
  /** Held by what another core runs there. */
  | { kind: 'other-core'; core: string | null }
  /** Used by processes outside of any queue. */
  | { kind: 'foreign'; who: string };

export interface GpuCell {
  node: NodeView;
  gpu: GpuFacts;
  sample: GpuSample | undefined;
  use: GpuUse;
  /** 0…1; null when it is not known. */
  share: number | null;
  /** Why it cannot be relied on; undefined when it is well. */
  ill: string | undefined;
  /** The node cannot be asked right now, so all of this is from before. */
  isStale: boolean;
}

/** What was put together last for each node: pages ask often, and most nodes have not moved. */
const kept = new WeakMap<NodeView, { sample: MetricsSample | undefined; cells: GpuCell[] }>();

/** Every GPU of a node, in order. The same node and sample answer the very same cells. */
export function gpuCells(node: NodeView, sample: MetricsSample | undefined): readonly GpuCell[] {
  const last = kept.get(node);
  if (last !== undefined && last.sample === sample) return last.cells;
  const cells = makeCells(node, sample);
  kept.set(node, { sample, cells });
  return cells;
}

function makeCells(node: NodeView, sample: MetricsSample | undefined): GpuCell[] {
  return (node.facts?.gpus ?? []).map((gpu) => {
    const gpuSample = sample?.gpus.find(({ uuid }) => uuid === gpu.uuid);
    return {
      node,
      gpu,
      sample: gpuSample,
      use: useOf(node, gpu, gpuSample),
      share: gpuSample?.utilization ?? null,
      ill: illOf(node, { gpu, isMissing: sample !== undefined && gpuSample === undefined }),
      isStale: node.state !== 'online',
    };
  });
}

function useOf(node: NodeView, gpu: GpuFacts, sample: GpuSample | undefined): GpuUse {
  const held = node.allocated.gpus.find(({ uuid }) => uuid === gpu.uuid);
  if (held?.taskId != null) return { kind: 'ours', taskId: held.taskId };
  if (held !== undefined) return { kind: 'other-core', core: held.core };
  if (sample?.foreign === true) return { kind: 'foreign', who: foreignText(sample) };
  return { kind: 'free' };
}

function foreignText({ processes }: GpuSample): string {
  const [first] = processes;
  if (first === undefined) return 'someone outside of the queue';
  const more = processes.length > 1 ? ` and ${processes.length - 1} more` : '';
  return `${first.user ?? 'someone'} (${first.name}, PID ${first.pid})${more}`;
}

function illOf(
  node: NodeView,
  { gpu, isMissing }: { gpu: GpuFacts; isMissing: boolean },
): string | undefined {
  const bad = node.findings.find(
    ({ id, level }) => (level === 'error' || level === 'warning') && id.includes(gpu.uuid),
  );
  if (bad !== undefined) return bad.title;
  if (node.facts?.gpuProblem != null) return node.facts.gpuProblem;
  return isMissing && node.state === 'online' ? 'The GPU tool no longer reports it.' : undefined;
}

/** Under which of the five kinds a cell counts: one that is ill counts as nothing else. */
export type GpuKind = GpuUse['kind'] | 'ill';
export function kindOf(cell: GpuCell): GpuKind {
  return cell.ill === undefined ? cell.use.kind : 'ill';
}

/** How many there are of each kind. What is free only by what was last seen is not counted. */
export function countKinds(cells: Iterable<GpuCell>): Record<GpuKind, number> {
  const counts = { ours: 0, foreign: 0, 'other-core': 0, free: 0, ill: 0 };
  for (const cell of cells) {
    if (!cell.isStale || cell.use.kind !== 'free') counts[kindOf(cell)] += 1;
  }
  return counts;
}

/** Used memory as a share; null when it is not known. */
export function memoryShare({ sample, gpu }: GpuCell): number | null {
  return sample?.memoryBytes == null ? null : sample.memoryBytes / Math.max(1, gpu.memoryBytes);
}

/** In words, for hovers and screen readers. */
export function cellWords(cell: GpuCell, taskName: (id: TaskId) => string | undefined): string {
  if (cell.ill !== undefined) return cell.ill;
  switch (cell.use.kind) {
    case 'free':
      return cell.isStale ? 'Free when last seen' : 'Free';
    case 'ours':
      return `Held by ${taskName(cell.use.taskId) ?? `task ${cell.use.taskId}`}`;
    case 'other-core':
      return 'Held by another core';
    case 'foreign':
      return `Used by ${cell.use.who}, outside of the queue`;
  }
}
