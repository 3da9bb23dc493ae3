import type { Instant } from '../../contract/ids.ts';
import type { Task } from '../../domain/task.ts';

/** When a task is over by its time limit at the latest, counted from its start or, before that, its placing; null without one. */
export function endOf({ state, spec }: Task): Instant | null {
  if (spec.timeLimitSeconds === null || !('kill' in state)) return null;
  const startedAt = state.status === 'ASSIGNING' ? null : state.startedAt;
  return (startedAt ?? state.assignedAt) + spec.timeLimitSeconds * 1000;
}
