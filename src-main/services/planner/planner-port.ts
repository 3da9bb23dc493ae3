// The planner as the core uses it: a mirror of queue, nodes and holdings, fed by what changed, asked
// for one pass or one explanation. It runs in a worker thread, so a pass over a long queue never
// holds the main thread; tests run it in place.
import type { Event } from '../../domain/emitter.ts';
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import type {
  Explanation,
  Holding,
  Placement,
  PlannerNode,
  QueuedTask,
} from '../../domain/planner/model.ts';
import type { Reservation } from '../../domain/planner/guards.ts';
import type { PlannerPolicy } from '../../domain/planner/policy.ts';

/** What decides beside queue and nodes. */
export interface PlannerRules {
  readonly policy: PlannerPolicy;
  /** Faded use by owner, in weighed seconds. */
  readonly usage: ReadonlyMap<string, number>;
  readonly reservations: readonly Reservation[];
}

export type PlannerDelta =
  | { readonly kind: 'upsert-task'; readonly task: QueuedTask }
  /** It neither waits nor holds anything any more. */
  | { readonly kind: 'forget-task'; readonly id: TaskId }
  | { readonly kind: 'hold'; readonly holding: Holding }
  | { readonly kind: 'upsert-node'; readonly node: PlannerNode }
  | { readonly kind: 'forget-node'; readonly id: NodeId }
  | { readonly kind: 'rules'; readonly rules: PlannerRules };

/** Room that is kept for a task, as the planner knows it. */
export interface KeptPlace {
  readonly taskId: TaskId;
  readonly nodeId: NodeId;
  /** GPUs by index. */
  readonly gpus: readonly number[];
  /** When it can start at the latest; null: nobody knows. */
  readonly at: Instant | null;
}

export interface Pass {
  readonly placements: readonly Placement[];
  /** Room that is kept for tasks from now on. */
  readonly kept: readonly KeptPlace[];
  /** When room will be kept for one more, though nothing else happens; null: not that anybody knows. */
  readonly keepsMoreAt: Instant | null;
}

/** What the mirror has not heard yet. */
export interface News {
  readonly deltas: readonly PlannerDelta[];
  readonly now: Instant;
}

export interface PlannerPort extends AsyncDisposable {
  /** It lost its mirror and has to be told everything again. */
  readonly onDidReset: Event<void>;
  /** Takes in what changed and says which tasks start where. Counts them as placed. */
  pass(news: News): Promise<Pass>;
  /** Why a task is not placed, against the mirror as it is after the news. Places nothing. */
  explain(news: News, task: QueuedTask): Promise<Explanation>;
}
