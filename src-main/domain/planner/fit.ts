// How well a task fits on a node it fits on, and which of the node's GPUs it gets. Order of
// spec/tasks.md, «Placement scoring»: on one NUMA node with its GPUs, fewest GPUs stranded, then
// cores and memory left, image there, load, name.
import type { Place } from '../task.ts';
import { isChoosable, type GpuRule } from './constraints.ts';
import type { Need } from './need.ts';
import type { GpuSlot, NodeState } from './node-state.ts';

/** One node's fit for one shape, as of one state of the node. */
export interface Fit {
  readonly state: NodeState;
  /** The node's `changedAt` when this was measured; void as soon as that moves on. */
  readonly measuredAt: number;
  readonly isOnOneNuma: boolean;
  readonly gpusLeft: number;
  readonly coresLeft: number;
  readonly memoryLeft: number;
  readonly hasImage: boolean;
}

/** Measures a fit. Only for nodes that `fitsOn` accepts. */
export function measureFit(need: Need, state: NodeState, policy: GpuRule): Fit {
  return {
    state,
    measuredAt: state.changedAt,
    isOnOneNuma: bestGroup(need, state, ruleFor(need, state, policy)) !== undefined,
    gpusLeft: state.freeGpus - need.gpuCount,
    coresLeft: state.freeCores - need.cores,
    memoryLeft: state.freeMemoryBytes - need.memoryBytes,
    hasImage: need.image !== null && state.node.images.has(need.image),
  };
}

/** Better fits first. Never 0 for two nodes: names are unique. */
export function compareFits(a: Fit, b: Fit): number {
  if (a.isOnOneNuma !== b.isOnOneNuma) return a.isOnOneNuma ? -1 : 1;
  return (
    a.gpusLeft - b.gpusLeft ||
    a.coresLeft - b.coresLeft ||
    a.memoryLeft - b.memoryLeft ||
    Number(b.hasImage) - Number(a.hasImage) ||
    a.state.node.load - b.state.node.load ||
    (a.state.node.name < b.state.node.name ? -1 : 1)
  );
}

/** A part of a node whose cores, memory and GPUs are near each other. */
interface Group {
  /** Null: the whole node, where it has one NUMA node or tells of none. */
  readonly numa: number | null;
  readonly choosable: number;
}

/** The NUMA node that takes all of the task and has fewest GPUs to spare; undefined when none does. */
function bestGroup(need: Need, state: NodeState, policy: GpuRule): Group | undefined {
  if (state.numa.length <= 1) return { numa: null, choosable: 0 };
  let best: Group | undefined;
  for (const part of state.numa) {
    if (need.numa !== null && part.id !== need.numa) continue;
    if (part.freeCores < need.cores || part.freeMemoryBytes < need.memoryBytes) continue;
    const choosable = countGpusOn(part.id, need, { state, policy });
    if (choosable < need.gpuCount) continue;
    if (best === undefined || choosable < best.choosable) best = { numa: part.id, choosable };
  }
  return best;
}

function countGpusOn(
  numa: number,
  need: Need,
  { state, policy }: { readonly state: NodeState; readonly policy: GpuRule },
): number {
  let count = 0;
  for (const slot of state.gpus) {
    if (slot.gpu.numa !== numa) continue;
    if (need.gpuIndices === null) count += isChoosable(slot, need, policy) ? 1 : 0;
    else count += need.gpuIndices.includes(slot.gpu.index) ? 1 : 0;
  }
  return count;
}

/**
 * What the task gets on a node it fits on. Named GPUs as named; counted ones without foreign users
 * before those with, from one NUMA node where one has enough, the smallest that suffice first.
 */
export function placeOn(need: Need, state: NodeState, policy: GpuRule): Place {
  const slots =
    need.gpuIndices === null ? chooseGpus(need, state, policy) : namedGpus(need.gpuIndices, state);
  return {
    nodeId: state.node.id,
    runtime: need.runtime,
    gpus: slots.map(({ gpu }) => ({ uuid: gpu.uuid, index: gpu.index })),
    cores: need.cores,
    memoryBytes: need.memoryBytes,
    numa: need.numa,
    exclusive: need.exclusive,
  };
}

function namedGpus(indices: readonly number[], { gpus }: NodeState): GpuSlot[] {
  return indices
    .map((index) => gpus.find(({ gpu }) => gpu.index === index))
    .filter((slot) => slot !== undefined);
}

function chooseGpus(need: Need, state: NodeState, policy: GpuRule): GpuSlot[] {
  if (need.gpuCount === 0) return [];
  const rule = ruleFor(need, state, policy);
  const near = bestGroup(need, state, rule)?.numa ?? need.numa;
  return state.gpus
    .filter((slot) => isChoosable(slot, need, rule))
    .sort(
      (a, b) =>
        Number(b.gpu.numa === near) - Number(a.gpu.numa === near) ||
        Number(a.gpu.foreign !== null) - Number(b.gpu.foreign !== null) ||
        a.gpu.memoryBytes - b.gpu.memoryBytes ||
        a.gpu.index - b.gpu.index,
    )
    .slice(0, need.gpuCount);
}

const quietPolicy: GpuRule = { useForeignGpus: false };

/** Foreign GPUs are considered only where the others do not suffice. */
function ruleFor(need: Need, state: NodeState, policy: GpuRule): GpuRule {
  if (!policy.useForeignGpus || need.gpuIndices !== null) return policy;
  const quiet = state.gpus.filter((slot) => isChoosable(slot, need, quietPolicy)).length;
  return quiet >= need.gpuCount ? quietPolicy : policy;
}

/** Why a node was chosen, as a sentence. */
export function describeFit(need: Need, fit: Fit): string {
  const { node, numa } = fit.state;
  const parts = [need.nodeName === null ? `best fit: ${node.name}` : `its target: ${node.name}`];
  if (need.gpuCount > 0 && numa.length > 1 && fit.isOnOneNuma) parts.push('GPUs on one NUMA node');
  if (node.gpus.length > 0)
    parts.push(`leaves ${String(Math.max(0, fit.gpusLeft))} of its GPUs free`);
  if (fit.hasImage) parts.push('has the image');
  return parts.join('; ');
}
