// One node in the planner's mirror: what it has, who holds what of it, and what is left. Derived
// numbers are always made anew from the holdings, so that they cannot drift.
import type { Instant } from '../../contract/ids.ts';
import type { Place } from '../task.ts';
import type { Guard } from './guards.ts';
import type { PlannerGpu, PlannerNode } from './model.ts';
import type { Need } from './need.ts';

/** Answers kept for needs at a time: there are seldom more that come first. */
const mostNeeds = 64;

export interface GpuSlot {
  readonly gpu: PlannerGpu;
  /** Held by another core. */
  readonly isOthers: boolean;
  heldBy: string | null;
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

/** What somebody has of a node, and until when at the latest; null: nobody knows. */
export interface Held {
  readonly place: Place;
  readonly endsAt: Instant | null;
}

/** Something that is held comes free. */
export interface Ending extends Held {
  readonly holder: string;
  readonly endsAt: Instant;
}

export class NodeState {
  readonly node: PlannerNode;
  readonly gpus: readonly GpuSlot[];
  readonly numa: readonly NumaState[];
  readonly isUsedByOthers: boolean;
  /** By task; in a view, also by whom room is kept for. */
  readonly holders = new Map<string, Held>();
  /** Room that is kept here; `changedAt` knows nothing of it. */
  guards: readonly Guard[] = [];
  freeCores = 0;
  freeMemoryBytes = 0;
  /** Available GPUs, foreign ones left out. */
  freeGpus = 0;
  exclusiveBy: string | null = null;
  /** Position of its newest change in the planner's log; older scores of it are void. */
  changedAt = -1;
  isGone = false;
  readonly #slots = new Map<string, GpuSlot>();
  #endings: readonly Ending[] | undefined;
  #enoughAt: Map<Need, number> | undefined;
  #emptied: NodeState | undefined;
  #view: { readonly guards: readonly Guard[]; readonly state: NodeState } | undefined;

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

  hold(holder: string, place: Place, endsAt: Instant | null = null): void {
    const isNew = !this.holders.has(holder);
    this.holders.set(holder, { place, endsAt });
    if (!isNew) {
      this.#count();
      return;
    }
    this.#forget();
    this.#take(holder, place);
    this.#countFreeGpus();
  }

  release(holder: string): void {
    if (this.holders.delete(holder)) this.#count();
  }

  /** When what is held is free again, as far as is known: soonest first. */
  get endings(): readonly Ending[] {
    return (this.#endings ??= endingsOf(this.holders));
  }

  /** What openings.ts found out about needs, as long as nothing changes here. */
  get enoughAt(): Map<Need, number> {
    if (this.#enoughAt === undefined || this.#enoughAt.size > mostNeeds) this.#enoughAt = new Map();
    return this.#enoughAt;
  }

  /** The same node at this moment, for trying things out. */
  copy(): NodeState {
    const copy = new NodeState(this.node);
    for (const [holder, held] of this.holders) copy.holders.set(holder, held);
    copy.#count();
    return copy;
  }

  /** As it is for those from whom this room is kept. */
  without(guards: readonly Guard[]): NodeState {
    const known = this.#view;
    if (known !== undefined && isSameList(known.guards, guards)) return known.state;
    const state = this.copy();
    for (const { by, place } of guards) state.holders.set(by.id, { place, endsAt: null });
    state.#count();
    this.#view = { guards, state };
    return state;
  }

  /** The same node without any task of ours. */
  emptied(): NodeState {
    return (this.#emptied ??= new NodeState(this.node));
  }

  #forget(): void {
    this.#endings = undefined;
    this.#enoughAt = undefined;
    this.#view = undefined;
  }

  #count(): void {
    this.#forget();
    this.freeCores = this.node.cores - this.node.foreignUse.cores;
    this.freeMemoryBytes = this.node.memoryBytes - this.node.foreignUse.memoryBytes;
    this.exclusiveBy = null;
    for (const slot of this.gpus) slot.heldBy = null;
    for (const part of this.numa) {
      part.freeCores = part.cores;
      part.freeMemoryBytes = part.memoryBytes;
    }
    for (const [holder, { place }] of this.holders) this.#take(holder, place);
    this.#countFreeGpus();
  }

  #countFreeGpus(): void {
    this.freeGpus = 0;
    for (const slot of this.gpus) {
      if (isAvailable(slot) && slot.gpu.foreign === null) this.freeGpus += 1;
    }
  }

  #take(holder: string, place: Place): void {
    this.freeCores -= place.cores;
    this.freeMemoryBytes -= place.memoryBytes;
    if (place.exclusive) this.exclusiveBy = holder;
    for (const { uuid } of place.gpus) {
      const slot = this.#slots.get(uuid);
      if (slot !== undefined) slot.heldBy = holder;
    }
    if (place.numa === null) return;
    const part = this.numa.find(({ id }) => id === place.numa);
    if (part === undefined) return;
    part.freeCores -= place.cores;
    part.freeMemoryBytes -= place.memoryBytes;
  }
}

function endingsOf(holders: ReadonlyMap<string, Held>): Ending[] {
  const endings: Ending[] = [];
  for (const [holder, { place, endsAt }] of holders) {
    if (endsAt !== null) endings.push({ holder, place, endsAt });
  }
  return endings.sort((a, b) => a.endsAt - b.endsAt || (a.holder < b.holder ? -1 : 1));
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
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
