import type { Task } from '../../domain/task.ts';
import type { AttemptRef } from '../../runtimes/runtime.ts';

/** How a runtime finds the newest attempt of a task. */
export function attemptRef(task: Task): AttemptRef {
  const ref = { taskId: task.id, attempt: task.attempt };
  return task.type === 'vps' ? { ...ref, vps: { lastRun: task.disk?.lastRun ?? null } } : ref;
}

/** How a runtime finds the container of a VPS whatever ran in it last. */
export function diskRef({ taskId, attempt }: AttemptRef): AttemptRef {
  return { taskId, attempt, vps: { lastRun: null } };
}
