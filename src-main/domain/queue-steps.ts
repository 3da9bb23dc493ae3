// Steps of the task machine that concern waiting: amendments, dependencies, retries.
import { retryOf } from './retry.ts';
import { backInTheQueue, waitingOn, type Decision, type Moment } from './task-steps.ts';

/** A person changed what a waiting task asks for. */
export function amend({
  state,
  event,
  task,
  now,
}: Moment<'PENDING', 'amended'>): Decision | string {
  if (task.attempt > 0 && event.blockedBy.length > 0)
    return 'It has run before: what it waited for is not asked again.';
  const { spec, priority, held, notBefore, blockedBy } = event;
  return {
    state: waitingOn(state, { held, notBefore, blockedBy }, now),
    task: { spec, priority },
    why: event.words,
    who: event.by,
  };
}

export function meetDependency({
  state,
  event,
  now,
}: Moment<'PENDING', 'dependency-met'>): Decision | string {
  const blockedBy = state.blockedBy.filter((id) => id !== event.on);
  if (blockedBy.length === state.blockedBy.length) return `It does not wait for ${event.on}.`;
  const left = blockedBy.length === 0 ? 'nothing else' : `${String(blockedBy.length)} more`;
  return {
    state: waitingOn(state, { blockedBy }, now),
    why: `task ${event.on} has ended; it waits for ${left}`,
    who: 'core',
  };
}

/** It can never run: what it waits for did not end as it had to. */
export function failDependency({ event, now }: Moment<'PENDING', 'dependency-failed'>): Decision {
  return {
    state: {
      status: 'FAILED',
      since: now,
      reason: event.why,
      place: null,
      assignedAt: null,
      startedAt: null,
      end: null,
    },
    why: event.why,
    who: 'core',
  };
}

/** Another attempt, where the policy says so. */
export function retry({
  task,
  event,
  now,
}: Moment<'FAILED' | 'KILLED_OOM', 'retried'>): Decision | string {
  if (retryOf(task) === undefined) return 'Its retry policy gives it no other attempt.';
  return {
    state: backInTheQueue(now, event.why, event.notBefore),
    why: event.why,
    who: 'core',
  };
}
