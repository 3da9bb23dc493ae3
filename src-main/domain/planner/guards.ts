// Room on a node that is kept: for a task that waits for more of it than is free, or for people who
// reserved it. Whoever is not let sees the node as if the room were held already.
import type { BatchId, Instant, NodeId, TaskId } from '../../contract/ids.ts';
import type { Place } from '../task.ts';
import type { QueuedTask } from './model.ts';
import type { NodeState } from './node-state.ts';
import type { PlannerPolicy } from './policy.ts';

/** For whom room is kept. */
export type Keeper =
  | {
      readonly kind: 'task';
      readonly id: TaskId;
      /** When it can start at the latest, as far as time limits tell; null: nobody knows. */
      readonly at: Instant | null;
      /** Kept for all of its gang. */
      readonly gang?: BatchId | null;
    }
  | {
      readonly kind: 'reservation';
      readonly id: string;
      readonly from: Instant;
      readonly to: Instant;
      readonly owners: readonly string[];
    };

export interface Guard {
  readonly by: Keeper;
  /** What is taken from those who are not let. */
  readonly place: Place;
}

export interface Moment {
  readonly now: Instant;
  readonly policy: PlannerPolicy;
}

/** What a guard reads of a task. */
export type Passer = Pick<QueuedTask, 'id' | 'owner' | 'timeLimitMs' | 'gang'>;

/** Whether the room is no matter to a task: it is kept for it, or it is not needed while the task runs. */
export function lets({ by }: Guard, task: Passer, { now, policy }: Moment): boolean {
  const { timeLimitMs } = task;
  if (by.kind === 'task') {
    if (by.id === task.id || (by.gang != null && by.gang === task.gang)) return true;
    return by.at !== null && timeLimitMs !== null && now + timeLimitMs <= by.at;
  }
  if (by.owners.includes(task.owner) || now >= by.to) return true;
  return now + (timeLimitMs ?? policy.assumedRunMs) <= by.from;
}

/** The node as a task may use it now: without the room that is kept from it. */
export function viewFor(state: NodeState, task: Passer, moment: Moment): NodeState {
  if (state.guards.length === 0) return state;
  const against = state.guards.filter((guard) => !lets(guard, task, moment));
  return against.length === 0 ? state : state.without(against);
}

/** What people reserved, as the planner reads it. */
export interface Reservation {
  readonly id: string;
  readonly nodeId: NodeId;
  /** By UUID; null: the whole node. */
  readonly gpus: readonly string[] | null;
  readonly from: Instant;
  readonly to: Instant;
  readonly owners: readonly string[];
}

/** What a reservation keeps on its node until it is over. */
export function guardOf({ id, nodeId, gpus, from, to, owners }: Reservation): Guard {
  return {
    by: { kind: 'reservation', id, from, to, owners },
    place: {
      nodeId,
      runtime: 'process',
      gpus: (gpus ?? []).map((uuid) => ({ uuid, index: 0 })),
      cores: 0,
      memoryBytes: 0,
      numa: null,
      exclusive: gpus === null,
    },
  };
}
