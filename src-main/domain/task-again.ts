import type { BatchId, Instant, TaskId } from '../contract/ids.ts';
import type { Task } from './task.ts';

export interface Again {
  /** New IDs of all that are submitted again together, by their old ones. */
  readonly newIds: ReadonlyMap<TaskId, TaskId>;
  readonly batchId: BatchId;
  readonly now: Instant;
}

/**
 * A task that ended, as a new one: it asks for the same, and waits for those of its dependencies that
 * are submitted again with it; the others are over.
 */
export function taskAgain(task: Task, { newIds, batchId, now }: Again): Task {
  const after = task.spec.after.flatMap(({ task: old, on }) => {
    const renewed = newIds.get(old);
    return renewed === undefined ? [] : [{ task: renewed, on }];
  });
  return {
    ...task,
    id: newIds.get(task.id) ?? task.id,
    batchId,
    spec: { ...task.spec, after, notBefore: null },
    submittedAt: now,
    attempt: 0,
    imageDigest: null,
    state: {
      status: 'PENDING',
      since: now,
      held: false,
      reason: null,
      notBefore: null,
      blockedBy: after.map((one) => one.task),
    },
  };
}
