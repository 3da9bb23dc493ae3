// A task as the core knows it. A state carries exactly the fields that are true in it.
import type { BatchId, Instant, NodeId, TaskId } from '../contract/ids.ts';
import type { Dependency } from '../contract/task-shape.ts';
import type { HeldGpu, RuntimeKind, TaskStatus, TaskSubmission, Vessel } from '../contract/task.ts';
import type { Target } from './target.ts';

/** What was asked for; it changes only while the task waits, by an amendment: the submission for one target, defaults filled in, secrets replaced by names. */
export interface TaskSpec extends Omit<
  TaskSubmission,
  'targets' | 'secretEnv' | 'vessel' | 'hold' | 'priority' | 'owner' | 'after' | 'array' | 'sweep'
> {
  readonly target: Target | null;
  readonly vessel: Vessel;
  /** Names of variables whose values are in the vault. */
  readonly secretEnvNames: readonly string[];
  readonly after: readonly Dependency[];
  /** Its number in its array; null when it is in none. */
  readonly arrayIndex: number | null;
  /** At most so many of its batch hold something at a time. */
  readonly arrayMaxRunning: number | null;
}

/** Where an attempt runs and what it holds there, from ASSIGNING until it is proven gone. */
export interface Place {
  readonly nodeId: NodeId;
  readonly runtime: RuntimeKind;
  readonly gpus: readonly HeldGpu[];
  /** Counted cores: at least 1 even for a task without a limit. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly numa: number | null;
  readonly exclusive: boolean;
  /** It was placed while one before it in the queue waited for more room. */
  readonly isBackfilled?: true;
}

/** A wish to end a task. Stored before anything is done about it; it wins over a start under way. */
export interface KillWish {
  readonly at: Instant;
  readonly by: string;
  readonly signal: string;
  readonly graceMs: number;
  /** A signal reached the work; null while none did. */
  readonly deliveredAt: Instant | null;
  /** Of a VPS: it is to rest with its disk, or to start again at once. Absent: it is to be over. */
  readonly then?: 'rest' | 'restart';
}

/** The disk of a VPS: the container that lives through its attempts. */
export interface VpsDisk {
  readonly nodeId: NodeId;
  /** When the newest run that was settled had started, by the node's clock: a later one is the next attempt's. */
  readonly lastRun: Instant | null;
}

/** How an attempt ended, as the node tells it. */
export interface AttemptEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly oomKilled: boolean;
  /** Its node (or the Engine there) went down while it ran: how it would have ended nobody knows. */
  readonly lostWithNode?: true;
}

export interface Active {
  readonly since: Instant;
  readonly place: Place;
  readonly assignedAt: Instant;
  readonly kill: KillWish | null;
}

export interface Ended {
  /** When it ended, by our clock. */
  readonly since: Instant;
  readonly reason: string | null;
  /** The last place, and when it was assigned and started there; null for what never got so far. */
  readonly place: Place | null;
  readonly assignedAt: Instant | null;
  readonly startedAt: Instant | null;
  readonly end: AttemptEnd | null;
  /** Somebody had asked for a kill, and it failed before that reached it: nobody wants it tried again. */
  readonly missedKill?: KillWish;
}

export type TaskState =
  | { readonly status: 'PENDING_APPROVAL'; readonly since: Instant }
  | {
      readonly status: 'PENDING';
      readonly since: Instant;
      readonly held: boolean;
      readonly reason: string | null;
      /** Not to start before this: as asked for, or until a retry is due. */
      readonly notBefore: Instant | null;
      /** Tasks it waits for that have not ended yet. */
      readonly blockedBy: readonly TaskId[];
    }
  | ({ readonly status: 'ASSIGNING' } & Active)
  | ({ readonly status: 'RUNNING'; readonly startedAt: Instant } & Active)
  | ({ readonly status: 'PAUSED'; readonly startedAt: Instant } & Active)
  | ({
      readonly status: 'LOST';
      readonly reason: string;
      readonly was: 'ASSIGNING' | 'RUNNING' | 'PAUSED';
      readonly startedAt: Instant | null;
    } & Active)
  | ({
      readonly status: 'COMPLETED' | 'FAILED' | 'KILLED' | 'KILLED_OOM' | 'REJECTED' | 'STOPPED';
    } & Ended);

export interface Task {
  readonly id: TaskId;
  readonly batchId: BatchId;
  readonly type: 'command' | 'vps';
  readonly spec: TaskSpec;
  readonly owner: string;
  readonly priority: number;
  readonly submittedAt: Instant;
  /** Rises at each PENDING→ASSIGNING; 0 before the first. */
  readonly attempt: number;
  readonly imageDigest: string | null;
  readonly warnings: readonly string[];
  /** Of a VPS that ran once; null for everything else. */
  readonly disk: VpsDisk | null;
  readonly state: TaskState;
}

/** What of a VPS can be changed while it lives. */
export type VpsChanges = Partial<Pick<TaskSpec, 'name' | 'cores' | 'memoryBytes'>>;

/** What happened to a task. Those from a node carry the attempt they speak of; late ones are refused. */
export type TaskEvent =
  | { readonly kind: 'approved' | 'rejected'; readonly by: string; readonly why: string | null }
  | { readonly kind: 'placed'; readonly place: Place; readonly why: string | null }
  | {
      readonly kind: 'started';
      readonly attempt: number;
      readonly at: Instant;
      readonly imageDigest: string | null;
    }
  /** It provably never ran, and trying again (perhaps elsewhere) may help. */
  | { readonly kind: 'start-deferred'; readonly attempt: number; readonly why: string }
  /** It cannot be started as asked. */
  | { readonly kind: 'start-failed'; readonly attempt: number; readonly why: string }
  | {
      readonly kind: 'ended';
      readonly attempt: number;
      readonly end: AttemptEnd;
      readonly why: string | null;
      /** Of a VPS: when this run had started, by the node's clock. */
      readonly run?: Instant;
    }
  | { readonly kind: 'vanished'; readonly attempt: number; readonly why: string }
  | { readonly kind: 'paused' | 'resumed'; readonly attempt: number; readonly by: string }
  | { readonly kind: 'node-lost'; readonly attempt: number; readonly why: string }
  /** Found again after LOST, in this condition. */
  | {
      readonly kind: 'found';
      readonly attempt: number;
      readonly condition: 'running' | 'paused';
      readonly startedAt: Instant;
    }
  | {
      readonly kind: 'kill-requested';
      readonly by: string;
      readonly signal: string;
      readonly graceMs: number;
    }
  | { readonly kind: 'kill-delivered'; readonly attempt: number }
  /** Of a VPS: to rest with its disk, or to start again from it. */
  | {
      readonly kind: 'stop-requested';
      readonly by: string;
      readonly graceMs: number;
      readonly then: 'rest' | 'restart';
    }
  | { readonly kind: 'start-requested'; readonly by: string }
  /** Of a VPS at rest: its container ran without us and ended. */
  | { readonly kind: 'vps-settled'; readonly run: Instant }
  | { readonly kind: 'vps-changed'; readonly by: string; readonly changes: VpsChanges }
  | { readonly kind: 'held' | 'released'; readonly by: string }
  | { readonly kind: 'reprioritized'; readonly by: string; readonly priority: number }
  /** A person changed what a waiting task asks for; `words` say what. */
  | {
      readonly kind: 'amended';
      readonly by: string;
      readonly spec: TaskSpec;
      readonly priority: number;
      readonly held: boolean;
      readonly notBefore: Instant | null;
      readonly blockedBy: readonly TaskId[];
      readonly words: string;
    }
  /** A task it waits for has ended as it had to. */
  | { readonly kind: 'dependency-met'; readonly on: TaskId }
  /** It can never start, because of how (or that) another ended. */
  | { readonly kind: 'dependency-failed'; readonly why: string }
  /** Its retry policy gives it another attempt, not before `notBefore`. */
  | { readonly kind: 'retried'; readonly why: string; readonly notBefore: Instant }
  | { readonly kind: 'warned'; readonly warning: string };

/**
 * Things to do on a node because of a transition. Stored in the transaction of the transition, run
 * after it is durable, run again after a crash: each can be repeated or recognised.
 */
export type TaskEffect =
  | { readonly kind: 'start-attempt'; readonly nodeId: NodeId; readonly attempt: number }
  | {
      readonly kind: 'stop-attempt';
      readonly nodeId: NodeId;
      readonly attempt: number;
      readonly signal: string;
      readonly graceMs: number;
    }
  /** Clean up after an ended attempt; `keep` leaves the container (renamed) for a look. */
  | {
      readonly kind: 'remove-attempt';
      readonly nodeId: NodeId;
      readonly attempt: number;
      readonly runtime: RuntimeKind;
      readonly keep: boolean;
      /** The container of a VPS, whichever attempt made it. */
      readonly vps?: true;
    }
  /** Hand over to the transfers what the task wants back from its node. */
  | { readonly kind: 'fetch-results'; readonly nodeId: NodeId; readonly attempt: number };

export interface Transition {
  readonly task: Task;
  readonly effects: readonly TaskEffect[];
  /** For `task_events`: `why` is a sentence or null, `who` a person, `scheduler`, `node` or `core`. */
  readonly record: {
    readonly kind: TaskEvent['kind'];
    readonly why: string | null;
    readonly who: string;
  };
}

/** Why an event does not apply. Expected (late and racing events are normal), hence a value. */
export interface Refusal {
  readonly refused: 'illegal' | 'stale-attempt';
  readonly from: TaskStatus;
  readonly event: TaskEvent['kind'];
  /** A sentence for a person or the log. */
  readonly why: string;
}

/** Tells a refusal from a transition. */
export function isRefusal(outcome: Transition | Refusal): outcome is Refusal {
  return 'refused' in outcome;
}

/** The gang it starts together with, by its batch. Who runs again after it failed is on its own. */
export function gangOf({ spec, attempt, batchId }: Task): BatchId | null {
  return spec.gang && attempt === 0 ? batchId : null;
}
