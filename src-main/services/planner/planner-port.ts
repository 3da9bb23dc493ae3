// The planner as the core uses it: a mirror of queue, nodes and holdings, fed by what changed, asked
// for one pass or one explanation. It runs in a worker thread, so a pass over a long queue never
// holds the main thread; tests run it in place.
import type { Event } from '../../domain/emitter.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import type { WaitReason } from '../../contract/task.ts';
import type {
  Holding,
  Placement,
  PlannerNode,
  PlannerPolicy,
  QueuedTask,
} from '../../domain/planner/model.ts';

export type PlannerDelta =
  | { readonly kind: 'upsert-task'; readonly task: QueuedTask }
  /** It neither waits nor holds anything any more. */
  | { readonly kind: 'forget-task'; readonly id: TaskId }
  | { readonly kind: 'hold'; readonly holding: Holding }
  | { readonly kind: 'upsert-node'; readonly node: PlannerNode }
  | { readonly kind: 'forget-node'; readonly id: NodeId }
  | { readonly kind: 'policy'; readonly policy: PlannerPolicy };

export interface PlannerPort extends AsyncDisposable {
  /** It lost its mirror and has to be told everything again. */
  readonly onDidReset: Event<void>;
  /** Takes in what changed and says which tasks start where. Counts them as placed. */
  pass(deltas: readonly PlannerDelta[]): Promise<readonly Placement[]>;
  /** Why a task is not placed, against the mirror as it is after `deltas`. Places nothing. */
  explain(deltas: readonly PlannerDelta[], task: QueuedTask): Promise<WaitReason>;
}
