// What is kept for tasks from now on, as it frees up, where nobody knows when they can start.
import type { Instant } from '../../contract/ids.ts';
import { isChoosable } from './constraints.ts';
import { viewFor, type Guard, type Moment } from './guards.ts';
import type { QueuedTask } from './model.ts';
import type { Need } from './need.ts';
import { isAvailable, type GpuSlot, type NodeState } from './node-state.ts';
import type { Asking } from './openings.ts';

/**
 * What is kept for a task from now on, on the node where it lacks least. As nobody else gets what is
 * kept, it lacks less with everything that ends there, and never more than before on the node where it
 * lacks least: it starts after a bounded number of ends.
 */
export function guardFromNow(states: Iterable<NodeState>, asking: Asking): Guard | undefined {
  const { task, need, moment } = asking;
  let best: { readonly view: NodeState; readonly missing: number } | undefined;
  for (const state of states) {
    const view = viewFor(state, task, moment);
    const missing = missingOn(view, need, moment);
    if (
      best === undefined ||
      missing < best.missing ||
      (missing === best.missing && state.node.name < best.view.node.name)
    ) {
      best = { view, missing };
    }
  }
  return best === undefined ? undefined : guardOn(best.view, asking);
}

/** How much of what is needed a node cannot give now; each kind counts from 0 to 1, GPUs most. */
export function missingOn(view: NodeState, need: Need, moment: Moment): number {
  const part = need.numa === null ? undefined : view.numa.find(({ id }) => id === need.numa);
  const cores = Math.min(view.freeCores, part?.freeCores ?? Infinity);
  const memory = Math.min(view.freeMemoryBytes, part?.freeMemoryBytes ?? Infinity);
  const gpus = countWanted(view, need, moment);
  const alone = need.exclusive ? view.holders.size / (1 + view.holders.size) : 0;
  const shared = view.exclusiveBy === null ? 0 : 1;
  return (
    4 * shortOf(need.gpuCount, gpus) +
    shortOf(need.cores, cores) +
    shortOf(need.memoryBytes, memory) +
    4 * (alone + shared)
  );
}

function shortOf(wanted: number, free: number): number {
  return wanted <= 0 ? 0 : Math.min(1, Math.max(0, wanted - free) / wanted);
}

/** Whether it is one of the wanted GPUs, and free. */
function isWanted(slot: GpuSlot, need: Need, { policy }: Moment): boolean {
  return need.gpuIndices === null
    ? isChoosable(slot, need, policy)
    : need.gpuIndices.includes(slot.gpu.index) && isAvailable(slot);
}

/** So many of the wanted GPUs are free, and no more than are wanted: asked of every node in each pass. */
function countWanted({ gpus }: NodeState, need: Need, moment: Moment): number {
  let count = 0;
  for (const slot of gpus) {
    if (count === need.gpuCount) break;
    if (isWanted(slot, need, moment)) count += 1;
  }
  return count;
}

/** Keeps for a task what it needs of a node, and of its GPUs those that are free. */
export function guardOn(view: NodeState, { task, need, moment }: Asking): Guard {
  const gpus = view.gpus
    .filter((slot) => isWanted(slot, need, moment))
    .slice(0, need.gpuCount)
    .map(({ gpu: { uuid, index } }) => ({ uuid, index }));
  return {
    by: { kind: 'task', id: task.id, at: null, ...(task.gang === null ? {} : { gang: task.gang }) },
    place: {
      nodeId: view.node.id,
      runtime: need.runtime,
      gpus,
      cores: need.cores,
      memoryBytes: need.memoryBytes,
      numa: need.numa,
      exclusive: need.exclusive,
    },
  };
}

/** Room is kept on it for another task already. */
export function isKept({ guards }: NodeState): boolean {
  return guards.length > 0 && guards.some(({ by }) => by.kind === 'task');
}

/** Those nodes on which room may be kept for one more. */
export function unkept(states: readonly NodeState[]): readonly NodeState[] {
  return states.filter((state) => !isKept(state));
}

/** Nobody knows when it can start, so that it has room kept once it has waited for long enough. */
export function hasWaited(task: QueuedTask, moment: Moment): boolean {
  return moment.now >= waitedAt(task, moment);
}

/** When it will have waited for long enough. */
export function waitedAt({ waitingSince }: QueuedTask, { policy }: Moment): Instant {
  return waitingSince + policy.waitMs;
}
