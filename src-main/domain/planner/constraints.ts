// What can keep a task from a node: one predicate per constraint. Placement and explanation both
// ask these, so they cannot disagree.
import type { GpusLack, Lack, PlannerNode } from './model.ts';
import type { Need } from './need.ts';
import {
  emptiedNode,
  isAvailable,
  type GpuSlot,
  type NodeState,
  type NumaState,
} from './node-state.ts';
import type { PlannerPolicy } from './policy.ts';

/** Of the rules, placement reads only this one. */
export type GpuRule = Pick<PlannerPolicy, 'useForeignGpus'>;

type Constraint = (need: Need, state: NodeState, policy: GpuRule) => readonly Lack[];

const nothing: readonly Lack[] = [];

const isTheTarget: Constraint = (need, { node }) => {
  if (need.home !== null && need.home !== node.id) return [{ kind: 'disk-elsewhere' }];
  return need.nodeName === null || need.nodeName === node.name || need.home !== null
    ? nothing
    : [{ kind: 'not-the-target', wanted: need.nodeName }];
};

const takesWork: Constraint = (_need, { node }) => {
  if (node.state !== 'online') return [{ kind: 'node-state', state: node.state }];
  return node.drained ? [{ kind: 'drained' }] : nothing;
};

const isNotAvoided: Constraint = (need, { node }) =>
  need.avoid.has(node.name) ? [{ kind: 'avoided' }] : nothing;

const hasLabels: Constraint = (need, { node }) => {
  if (need.labels.length === 0) return nothing;
  return need.labels
    .filter(([key, wanted]) => node.labels[key] !== wanted)
    .map(([key, wanted]) => ({ kind: 'label', key, wanted, has: node.labels[key] ?? null }));
};

const hasRuntime: Constraint = (need, { node }) =>
  node.runtimes[need.runtime] ? nothing : [{ kind: 'runtime', runtime: need.runtime }];

const hasNuma: Constraint = (need, { numa }) =>
  need.numa === null || numa.some(({ id }) => id === need.numa)
    ? nothing
    : [{ kind: 'numa-absent', numa: need.numa }];

const hasCores: Constraint = (need, state) => {
  if (state.freeCores < need.cores) {
    const { freeCores, node } = state;
    const others = node.foreignUse.cores;
    return [coresLack(need, { freeCores, cores: node.cores, id: null, others })];
  }
  const part = pinnedPart(need, state);
  return part === undefined || part.freeCores >= need.cores
    ? nothing
    : [coresLack(need, { ...part, others: 0 })];
};

interface CorePart {
  readonly freeCores: number;
  readonly cores: number;
  readonly id: number | null;
  /** Held by other cores of this program. */
  readonly others: number;
}

function coresLack(need: Need, { freeCores, cores, id, others }: CorePart): Lack {
  const free = Math.max(0, freeCores);
  const heldByOthers = Math.min(others, cores);
  return { kind: 'cores', wanted: need.cores, free, total: cores, numa: id, heldByOthers };
}

const hasMemory: Constraint = (need, state) => {
  // What asked for no memory fits even where more was promised than there is.
  if (need.memoryBytes === 0) return nothing;
  const { freeMemoryBytes, node } = state;
  if (freeMemoryBytes < need.memoryBytes) {
    return [memoryLack(need, { freeMemoryBytes, memoryBytes: node.memoryBytes, id: null })];
  }
  const part = pinnedPart(need, state);
  if (part === undefined || part.freeMemoryBytes >= need.memoryBytes) return nothing;
  return [memoryLack(need, part)];
};

function memoryLack(
  need: Need,
  part: { freeMemoryBytes: number; memoryBytes: number; id: number | null },
): Lack {
  return {
    kind: 'memory',
    wantedBytes: need.memoryBytes,
    freeBytes: Math.max(0, part.freeMemoryBytes),
    totalBytes: part.memoryBytes,
    numa: part.id,
  };
}

function pinnedPart(need: Need, state: NodeState): NumaState | undefined {
  return need.numa === null ? undefined : state.numa.find(({ id }) => id === need.numa);
}

/** Named GPUs may be foreign: whoever names one has looked. */
const hasNamedGpus: Constraint = (need, { gpus }) => {
  if (need.gpuIndices === null) return nothing;
  const lacks: Lack[] = [];
  for (const index of need.gpuIndices) {
    const slot = gpus.find(({ gpu }) => gpu.index === index);
    const lack = lackOfGpu(index, slot, gpus.length);
    if (lack !== undefined) lacks.push(lack);
  }
  return lacks;
};

function lackOfGpu(index: number, slot: GpuSlot | undefined, count: number): Lack | undefined {
  if (slot === undefined) return { kind: 'gpu-absent', index, count };
  if (slot.heldBy !== null || slot.isOthers) return { kind: 'gpu-held', index, by: slot.heldBy };
  return slot.gpu.healthy ? undefined : { kind: 'gpu-unhealthy', index };
}

const hasGpus: Constraint = (need, state, policy) => {
  if (need.gpuIndices !== null || need.gpuCount === 0) return nothing;
  // Most nodes of a busy cluster end here: without looking at each GPU.
  let free = 0;
  for (const slot of state.gpus) if (isChoosable(slot, need, policy)) free += 1;
  return free >= need.gpuCount ? nothing : [countGpus(need, state, free)];
};

/** Of the wanted model and size. */
function isSuitable({ gpu }: GpuSlot, need: Need): boolean {
  if (need.minGpuMemoryBytes !== null && gpu.memoryBytes < need.minGpuMemoryBytes) return false;
  return need.gpuModelLower === null || gpu.model.toLowerCase().includes(need.gpuModelLower);
}

/** May be chosen for a request by count. */
export function isChoosable(slot: GpuSlot, need: Need, policy: GpuRule): boolean {
  if (!isAvailable(slot) || (slot.gpu.foreign !== null && !policy.useForeignGpus)) return false;
  return isSuitable(slot, need);
}

function countGpus(need: Need, { gpus }: NodeState, free: number): GpusLack {
  const suitable = gpus.filter((slot) => isSuitable(slot, need));
  const held = suitable.filter((slot) => slot.heldBy !== null || slot.isOthers);
  const unhealthy = suitable.filter((slot) => !held.includes(slot) && !slot.gpu.healthy);
  const foreign = suitable.filter((slot) => isAvailable(slot) && slot.gpu.foreign !== null);
  return {
    kind: 'gpus',
    wanted: need.gpuCount,
    model: need.gpuModel,
    minMemoryBytes: need.minGpuMemoryBytes,
    total: gpus.length,
    suitable: suitable.length,
    free,
    held: held.length,
    foreign: suitable.length - held.length - unhealthy.length - free,
    foreignBy: [...new Set(foreign.map(({ gpu }) => gpu.foreign?.by ?? ''))],
    unhealthy: unhealthy.length,
  };
}

const isAlone: Constraint = (need, state) => {
  if (state.exclusiveBy !== null) return [{ kind: 'held-exclusively', by: state.exclusiveBy }];
  const holders = state.holders.size + (state.isUsedByOthers ? 1 : 0);
  return need.exclusive && holders > 0 ? [{ kind: 'exclusive', holders }] : nothing;
};

/** In the order in which a person wants to hear of them; cheap and decisive ones first. */
const constraints: readonly Constraint[] = [
  takesWork,
  isNotAvoided,
  hasLabels,
  hasRuntime,
  hasNuma,
  hasNamedGpus,
  hasGpus,
  hasCores,
  hasMemory,
  isAlone,
];

/** All that keeps the task from the node now; on a node that is not its target, only that. */
export function lacksOn(need: Need, state: NodeState, policy: GpuRule): readonly Lack[] {
  const wrongNode = isTheTarget(need, state, policy);
  if (wrongNode.length > 0) return wrongNode;
  return constraints.flatMap((constraint) => constraint(need, state, policy));
}

/** Whether the task could start on the node now: `lacksOn` finds nothing, only faster. */
export function fitsOn(need: Need, state: NodeState, policy: GpuRule): boolean {
  if (isTheTarget(need, state, policy).length > 0) return false;
  for (const constraint of constraints) {
    if (constraint(need, state, policy).length > 0) return false;
  }
  return true;
}

/** Lacks that do not depend on what the node has. */
const chosenLacks: ReadonlySet<Lack['kind']> = new Set([
  'not-the-target',
  'disk-elsewhere',
  'avoided',
  'label',
]);

/**
 * What would keep the task from the node even if it were reachable, willing and empty. A node that
 * was never reached (no cores known) may have anything: only what people set about it counts.
 */
export function everLacksOn(need: Need, node: PlannerNode, policy: GpuRule): readonly Lack[] {
  const lacks = lacksOn(need, emptiedNode(node), policy);
  return node.cores === 0 ? lacks.filter(({ kind }) => chosenLacks.has(kind)) : lacks;
}
