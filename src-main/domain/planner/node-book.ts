// The nodes in the planner's mirror: what is held on them, what is kept, and which of them changed.
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import { guardOf, type Guard, type Reservation } from './guards.ts';
import type { Holding, PlannerNode } from './model.ts';
import { NodeState } from './node-state.ts';
import type { PlannerPolicy } from './policy.ts';
import { boundsOf, type Bounds, type NodeLog } from './shape.ts';

export class NodeBook {
  readonly states = new Map<NodeId, NodeState>();
  readonly byName = new Map<string, NodeState>();
  #policy: PlannerPolicy;
  /** Holdings by node, registered or not. */
  readonly #heldOn = new Map<NodeId, Map<TaskId, Holding>>();
  #changes: NodeState[] = [];
  #changesStart = 0;
  #version = 0;
  /** As of a position in the log. */
  #bounds: { readonly position: number; readonly bounds: Bounds } | undefined;
  #reservations: readonly Guard[] = [];
  /** Room that is kept for tasks, as of the last pass. */
  #claims: Guard[] = [];
  #keepsMoreAt: Instant | null = null;

  constructor(policy: PlannerPolicy) {
    this.#policy = policy;
  }

  get claims(): readonly Guard[] {
    return this.#claims;
  }

  /** When the first of those will have waited for which room could not be kept yet; null: there is none. */
  get keepsMoreAt(): Instant | null {
    return this.#keepsMoreAt;
  }

  setPolicy(policy: PlannerPolicy): void {
    this.#policy = policy;
    this.#bounds = undefined;
  }

  /** Adds a node or takes in what changed about it. Holdings on it stay. */
  upsert(node: PlannerNode): void {
    this.remove(node.id);
    const state = new NodeState(node);
    for (const { taskId, place, endsAt } of this.#heldOn.get(node.id)?.values() ?? [])
      state.hold(taskId, place, endsAt);
    this.states.set(node.id, state);
    this.byName.set(node.name, state);
    this.#guard(state);
    this.#noteChange(state);
  }

  /** Forgets a node. Holdings on it are remembered, in case it comes back. */
  remove(id: NodeId): void {
    this.#version += 1;
    const state = this.states.get(id);
    if (state === undefined) return;
    state.isGone = true;
    this.states.delete(id);
    if (this.byName.get(state.node.name) === state) this.byName.delete(state.node.name);
  }

  take(holding: Holding): void {
    const { taskId, place, endsAt } = holding;
    const there = this.#heldOn.get(place.nodeId) ?? new Map<TaskId, Holding>();
    this.#heldOn.set(place.nodeId, there.set(taskId, holding));
    const state = this.states.get(place.nodeId);
    if (state === undefined) return;
    state.hold(taskId, place, endsAt);
    this.#noteChange(state);
  }

  giveBack({ taskId, place }: Holding): void {
    const there = this.#heldOn.get(place.nodeId);
    there?.delete(taskId);
    if (there?.size === 0) this.#heldOn.delete(place.nodeId);
    const state = this.states.get(place.nodeId);
    if (state === undefined) return;
    state.release(taskId);
    this.#noteChange(state);
  }

  setReservations(reservations: readonly Reservation[]): void {
    this.#reservations = reservations.map(guardOf);
    for (const state of this.states.values()) this.#guard(state);
  }

  claim(guard: Guard): void {
    this.#claims.push(guard);
    const state = this.states.get(guard.place.nodeId);
    if (state !== undefined) state.guards = [...state.guards, guard];
  }

  /** Room will be kept for one of the first at this time, should it still wait then. */
  noteWait(at: Instant): void {
    this.#keepsMoreAt = Math.min(at, this.#keepsMoreAt ?? at);
  }

  /** Nothing is kept for a task any more. */
  dropClaim(id: TaskId): void {
    if (this.#claims.some(({ by }) => by.id === id))
      this.#keepOnly(({ by }) => by.kind !== 'task' || by.id !== id);
  }

  clearClaims(): void {
    this.#keepsMoreAt = null;
    this.#keepOnly(() => false);
  }

  #keepOnly(isKept: (claim: Guard) => boolean): void {
    const dropped = this.#claims.filter((claim) => !isKept(claim));
    this.#claims = this.#claims.filter(isKept);
    for (const { place } of dropped) {
      const state = this.states.get(place.nodeId);
      if (state !== undefined) this.#guard(state);
    }
  }

  #guard(state: NodeState): void {
    const isHere = ({ place }: Guard) => place.nodeId === state.node.id;
    if (this.#reservations.length + this.#claims.length === 0 && state.guards.length === 0) return;
    state.guards = [...this.#reservations.filter(isHere), ...this.#claims.filter(isHere)];
  }

  #noteChange(state: NodeState): void {
    state.changedAt = this.#changesStart + this.#changes.length;
    this.#changes.push(state);
  }

  log(): NodeLog {
    return {
      policy: this.#policy,
      nodes: this.states,
      byName: this.byName,
      version: this.#version,
      changes: this.#changes,
      start: this.#changesStart,
      bounds: () => this.#boundsNow(),
    };
  }

  #boundsNow(): Bounds {
    const position = this.#changesStart + this.#changes.length;
    if (this.#bounds?.position !== position) {
      this.#bounds = { position, bounds: boundsOf(this.states.values(), this.#policy) };
    }
    return this.#bounds.bounds;
  }

  /** A shape that is further behind than there are nodes measures them all anyway. */
  trimChanges(): void {
    const excess = this.#changes.length - 2 * this.states.size - 1024;
    if (excess <= 0) return;
    this.#changes = this.#changes.slice(excess);
    this.#changesStart += excess;
  }
}
