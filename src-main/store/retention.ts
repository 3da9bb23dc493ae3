import type { Instant, TaskId } from '../contract/ids.ts';
import type { GroupCommit } from './group-commit.ts';
import type { LogStore } from './logs/log-store.ts';
import type { MetricsRepository } from './metrics-repository.ts';
import type { TaskRepository } from './task-repository.ts';
import type { SecretRepository } from './vault/secret-repository.ts';

export interface RetentionParts {
  readonly tasks: TaskRepository;
  readonly logs: LogStore;
  readonly metrics: MetricsRepository;
  readonly secrets: SecretRepository;
  readonly group: GroupCommit;
}

export interface RetentionRules {
  /** Ended tasks are kept for this long after their end. */
  readonly keepEndedDays: number;
}

const dayMs = 24 * 60 * 60_000;

/** Tasks removed in one step, so that the main thread is never held for long. */
const tasksPerStep = 200;

/**
 * Removes what is too old: ended tasks with their events, logs and secrets, and old metrics.
 * Returns the tasks removed. May be called at any time and again after a failure. Throws StoreError.
 */
export async function prune(
  { tasks, logs, metrics, secrets, group }: RetentionParts,
  { keepEndedDays }: RetentionRules,
  now: Instant,
): Promise<TaskId[]> {
  const removed: TaskId[] = [];
  for (;;) {
    const old = tasks.endedBefore(now - keepEndedDays * dayMs, tasksPerStep);
    if (old.length === 0) break;
    tasks.remove(old);
    // The record goes first: a log without one is found below, a record without its log would lie.
    await group.flushed();
    for (const id of old) await logs.remove(id);
    removed.push(...old);
  }
  await removeOrphans(tasks, logs);
  group.write(() => secrets.dropOrphans());
  await group.flushed();
  await metrics.prune(now);
  return removed;
}

/** Removes logs whose task is no longer known: a crash came between the two. */
async function removeOrphans(tasks: TaskRepository, logs: LogStore): Promise<void> {
  let seen = 0;
  for (const id of await logs.taskIds()) {
    if (!tasks.has(id)) await logs.remove(id);
    seen += 1;
    if (seen % tasksPerStep === 0) await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
