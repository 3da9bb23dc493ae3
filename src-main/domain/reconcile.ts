// Settling what the store remembers of a node with what is found there, on every (re)connect and
// every 30 s (design, section 4). Pure: it says what is to be done; the services do it.
import type { CoreId, Instant, TaskId } from '../contract/ids.ts';
import type { RuntimeKind } from '../contract/task.ts';
import type { AttemptEnd, Task, TaskEvent } from './task.ts';

/** The part of a runtime's ObservedAttempt that decides; the same shape, as the domain may not import runtimes. */
export interface ObservedSummary {
  readonly core: CoreId | null;
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly runtime: RuntimeKind;
  readonly name: string;
  readonly condition: ObservedCondition;
  readonly imageDigest: string | null;
}

export type ObservedCondition =
  | { readonly kind: 'created' }
  | { readonly kind: 'running' | 'paused'; readonly startedAt: Instant }
  | ObservedEnd;

export interface ObservedEnd {
  readonly kind: 'ended';
  readonly end: AttemptEnd;
  readonly startedAt: Instant | null;
  readonly problem: string | null;
}

export type Finding<O extends ObservedSummary = ObservedSummary> =
  /** It is there and as it should be, once these events (perhaps none) are told: follow it. */
  | {
      readonly kind: 'adopt';
      readonly task: Task;
      readonly observed: O;
      readonly events: readonly TaskEvent[];
    }
  /** It never began: run its start effect, which creates what is missing and starts it. */
  | { readonly kind: 'start'; readonly task: Task; readonly observed: O | null }
  /** It has ended: read its log to the end, then tell these events. */
  | {
      readonly kind: 'collect';
      readonly task: Task;
      readonly observed: O;
      readonly events: readonly TaskEvent[];
    }
  /** It began, and is gone without a trace. */
  | { readonly kind: 'vanished'; readonly task: Task; readonly event: TaskEvent }
  /** An old attempt of a task of ours: remove it. Where it still runs, stop it first. */
  | {
      readonly kind: 'remove-stale';
      readonly taskId: TaskId;
      readonly observed: O;
      readonly isAlive: boolean;
    }
  /** It carries our ID, and we know nothing of it: report, leave alone. */
  | { readonly kind: 'orphan'; readonly observed: O }
  /** Another core's, or nobody's: counted, never touched. */
  | { readonly kind: 'foreign'; readonly observed: O };

export interface ReconcileInput<O extends ObservedSummary> {
  /** Tasks whose newest attempt is on this node, and that have not ended. */
  readonly wanted: readonly Task[];
  readonly observed: readonly O[];
  readonly coreId: CoreId;
  /** Runtimes whose listing `observed` is; attempts of others are left as they are. */
  readonly listed: ReadonlySet<RuntimeKind>;
  /** Attempts that are being removed or kept on purpose, and the newest attempt of every other task of ours, if known. */
  readonly newestAttempt: (
    id: TaskId,
  ) => { readonly attempt: number; readonly isKept: boolean } | undefined;
}

/** Compares and settles: one finding for each wanted task of a listed runtime, and each other thing that was found. */
export function reconcile<O extends ObservedSummary>(input: ReconcileInput<O>): Finding<O>[] {
  const ours = new Map<string, O>();
  const findings: Finding<O>[] = [];
  const wanted = new Set(input.wanted.map(attemptKey));
  for (const observed of input.observed) {
    const key = `${String(observed.taskId)}/${String(observed.attempt)}`;
    if (observed.core !== input.coreId) findings.push({ kind: 'foreign', observed });
    else if (wanted.has(key)) ours.set(key, observed);
    else findings.push(...settleUnwanted(observed, input));
  }
  for (const task of input.wanted) {
    if (!('kill' in task.state) || !input.listed.has(task.state.place.runtime)) continue;
    findings.push(settleTask(task, ours.get(attemptKey(task))));
  }
  return findings;
}

function attemptKey(task: Task): string {
  return `${task.id}/${String(task.attempt)}`;
}

/** Ours by its label, but not the newest attempt of a task that should be here. */
function settleUnwanted<O extends ObservedSummary>(
  observed: O,
  input: ReconcileInput<O>,
): Finding<O>[] {
  const { taskId } = observed;
  const known = taskId === null ? undefined : input.newestAttempt(taskId);
  if (taskId === null || known === undefined) return [{ kind: 'orphan', observed }];
  // What was kept for a look stays; an attempt newer than any we know is a sign of a lost database.
  if (known.isKept) return [];
  if (observed.attempt > known.attempt) return [{ kind: 'orphan', observed }];
  const isAlive = observed.condition.kind === 'running' || observed.condition.kind === 'paused';
  return [{ kind: 'remove-stale', taskId, observed, isAlive }];
}

function settleTask<O extends ObservedSummary>(task: Task, observed: O | undefined): Finding<O> {
  if (observed === undefined) {
    // Names are deterministic: a create that may or may not have happened is settled by having
    // looked. What never began is begun; what began is gone.
    if (!hasBegun(task)) return { kind: 'start', task, observed: null };
    return { kind: 'vanished', task, event: vanished(task, 'It is no longer on the node.') };
  }
  const { condition } = observed;
  if (condition.kind === 'created') {
    if (!hasBegun(task)) return { kind: 'start', task, observed };
    return {
      kind: 'vanished',
      task,
      event: vanished(task, 'It was made anew on the node, and not by us.'),
    };
  }
  const kind = condition.kind === 'ended' ? 'collect' : 'adopt';
  return { kind, task, observed, events: eventsFor(task, observed) };
}

/** Whether the newest attempt was seen running. */
function hasBegun({ state }: Task): boolean {
  return 'kill' in state && state.status !== 'ASSIGNING' && state.startedAt !== null;
}

function vanished(task: Task, why: string): TaskEvent {
  return { kind: 'vanished', attempt: task.attempt, why };
}

/**
 * What to tell a task so that it comes to the condition in which its newest attempt was found, in
 * the order in which the task machine takes it: `started` before `ended` for what began unseen,
 * `start-failed` for what ended without having begun, `resumed` before an end that a frozen task
 * cannot come to. Empty when it is there already.
 */
export function eventsFor(
  task: Task,
  observed: Pick<ObservedSummary, 'condition' | 'imageDigest'>,
): readonly TaskEvent[] {
  const { condition } = observed;
  switch (condition.kind) {
    case 'created':
      return [];
    case 'running':
    case 'paused':
      return [
        ...startedEvents(task, condition.startedAt, observed.imageDigest),
        ...alive(task, condition),
      ];
    case 'ended':
      return endEvents(task, { ...condition, imageDigest: observed.imageDigest });
  }
}

function startedEvents(task: Task, at: Instant, imageDigest: string | null): TaskEvent[] {
  if (hasBegun(task)) return [];
  return [{ kind: 'started', attempt: task.attempt, at, imageDigest }];
}

function alive(
  task: Task,
  { kind, startedAt }: Extract<ObservedCondition, { readonly kind: 'running' | 'paused' }>,
): TaskEvent[] {
  const { attempt } = task;
  const { status } = task.state;
  if (status === 'LOST' && hasBegun(task))
    return [{ kind: 'found', attempt, condition: kind, startedAt }];
  // What was just told to have started counts as running.
  const isPaused = status === 'PAUSED';
  if (kind === 'paused' && !isPaused) return [{ kind: 'paused', attempt, by: 'node' }];
  if (kind === 'running' && isPaused) return [{ kind: 'resumed', attempt, by: 'node' }];
  return [];
}

/** The events that bring a task to its end, whatever was seen of the attempt before. */
export function endEvents(
  task: Task,
  observed: Omit<ObservedEnd, 'kind'> & { readonly imageDigest: string | null },
): readonly TaskEvent[] {
  const { attempt, state } = task;
  const { end, startedAt, problem } = observed;
  if (!hasBegun(task) && startedAt === null) {
    return [{ kind: 'start-failed', attempt, why: problem ?? 'It ended before it began.' }];
  }
  const events = startedAt === null ? [] : startedEvents(task, startedAt, observed.imageDigest);
  if (state.status === 'PAUSED' && end.exitCode === 0) {
    events.push({ kind: 'resumed', attempt, by: 'node' });
  }
  const run = task.type === 'vps' && startedAt !== null ? { run: startedAt } : {};
  events.push({ kind: 'ended', attempt, end, why: problem, ...run });
  return events;
}
