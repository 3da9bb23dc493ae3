// One node in the planner's mirror: what it has, who holds what of it, and what is left. Derived
// numbers are always made anew from the holdings, so that they cannot drift.
import type { TaskId } from '../../contract/ids.ts';
import type { Place } from '../task.ts';
import type { PlannerGpu, PlannerNode } from './model.ts';

export interface GpuSlot {
  readonly gpu: PlannerGpu;
  /** Held by another core. */
  readonly isOthers: boolean;
  heldBy: TaskId | null;
}

export interface NumaState {
  readonly id: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Left by tasks pinned here; unpinned ones count against the node as a whole only. */
  freeCores: number;
  freeMemoryBytes: number;
}

/** Nobody of this core or another holds it, and it works. It may be foreign. */
export function isAvailable(slot: GpuSlot): boolean {
  return slot.heldBy === null && !slot.isOthers && slot.gpu.healthy;
}

export class NodeState {
  readonly node: PlannerNode;
  readonly gpus: readonly GpuSlot[];
  readonly numa: readonly NumaState[];
  readonly isUsedByOthers: boolean;
  readonly holders = new Map<TaskId, Place>();
  freeCores = 0;
  freeMemoryBytes = 0;
  /** Available GPUs, foreign ones left out. */
  freeGpus = 0;
  exclusiveBy: TaskId | null = null;
  /** Position of its newest change in the planner's log; older scores of it are void. */
  changedAt = -1;
  isGone = false;
  readonly #slots = new Map<string, GpuSlot>();

  constructor(node: PlannerNode) {
    this.node = node;
    const others = new Set(node.foreignUse.gpuUuids);
    this.gpus = node.gpus.map((gpu) => ({ gpu, isOthers: others.has(gpu.uuid), heldBy: null }));
    for (const slot of this.gpus) this.#slots.set(slot.gpu.uuid, slot);
    this.numa = node.numa.map((part) => ({
      ...part,
      freeCores: part.cores,
      freeMemoryBytes: part.memoryBytes,
    }));
    const { cores, memoryBytes } = node.foreignUse;
    this.isUsedByOthers = cores > 0 || memoryBytes > 0 || others.size > 0;
    this.#count();
  }

  hold(taskId: TaskId, place: Place): void {
    this.holders.set(taskId, place);
    this.#count();
  }

  release(taskId: TaskId): void {
    if (this.holders.delete(taskId)) this.#count();
  }

  #count(): void {
    this.freeCores = this.node.cores - this.node.foreignUse.cores;
    this.freeMemoryBytes = this.node.memoryBytes - this.node.foreignUse.memoryBytes;
    this.exclusiveBy = null;
    for (const slot of this.gpus) slot.heldBy = null;
    for (const part of this.numa) {
      part.freeCores = part.cores;
      part.freeMemoryBytes = part.memoryBytes;
    }
    for (const [taskId, place] of this.holders) this.#take(taskId, place);
    this.freeGpus = 0;
    for (const slot of this.gpus) {
      if (isAvailable(slot) && slot.gpu.foreign === null) this.freeGpus += 1;
    }
  }

  #take(taskId: TaskId, place: Place): void {
    this.freeCores -= place.cores;
    this.freeMemoryBytes -= place.memoryBytes;
    if (place.exclusive) this.exclusiveBy = taskId;
    for (const { uuid } of place.gpus) {
      const slot = this.#slots.get(uuid);
      if (slot !== undefined) slot.heldBy = taskId;
    }
    if (place.numa === null) return;
    const part = this.numa.find(({ id }) => id === place.numa);
    if (part === undefined) return;
    part.freeCores -= place.cores;
    part.freeMemoryBytes -= place.memoryBytes;
  }
}

/** The node as it would be if it were reachable, willing and empty: what it can ever do. */
export function emptiedNode(node: PlannerNode): NodeState {
  return new NodeState({
    ...node,
    state: 'online',
    drained: false,
    gpus: node.gpus.map((gpu) => ({ ...gpu, foreign: null, healthy: true })),
    foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: [] },
  });
}
