// Whether a failed attempt is tried again, and when (design, section 4, «Retry»).
import type { RetryCause } from '../contract/task-shape.ts';
import type { Task, TaskState } from './task.ts';

const longestBackoffMs = 3_600_000;

/** The n-th retry of `of`, after a wait. */
export interface Retry {
  readonly cause: RetryCause;
  /** From 1. */
  readonly number: number;
  readonly of: number;
  readonly waitMs: number;
}

/**
 * The retry that a task's policy gives it now that its newest attempt ended badly; undefined for
 * none. A kill that a person (or a time limit) asked for is no failure, also where the end came before
 * the kill, and neither is a start that could not be made as asked: the next would go the same way.
 */
export function retryOf(task: Pick<Task, 'attempt' | 'spec' | 'state'>): Retry | undefined {
  const policy = task.spec.retries;
  const cause = causeOf(task.state);
  if (policy === null || cause === undefined || !policy.on.includes(cause)) return undefined;
  if (task.attempt > policy.count) return undefined;
  const waitMs = Math.min(policy.backoffSeconds * 1000 * 2 ** (task.attempt - 1), longestBackoffMs);
  return { cause, number: task.attempt, of: policy.count, waitMs };
}

/** Why the newest attempt failed, as retry policies see it. */
function causeOf(state: TaskState): RetryCause | undefined {
  if ('missedKill' in state) return undefined;
  if (state.status === 'KILLED_OOM') return 'oom';
  if (state.status !== 'FAILED' || state.startedAt === null) return undefined;
  // Nobody knows how it would have ended: its node went down or lost it, or the Engine there did.
  const { end } = state;
  return end === null || (end.exitCode === null && end.signal === null) ? 'lost' : 'exit';
}

/** `retry 1 of 3 in 10 s: exit code 1`. */
export function describeRetry(retry: Retry, reason: string | null): string {
  const when = retry.waitMs === 0 ? 'now' : `in ${String(retry.waitMs / 1000)} s`;
  const because = reason === null ? '' : `: ${reason}`;
  return `retry ${String(retry.number)} of ${String(retry.of)} ${when}${because}`;
}
