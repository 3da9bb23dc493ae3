// The order of the queue: priority, where waiting counts as priority in time; then who used less; then
// submission.
import { compareIds } from '../snowflake.ts';
import type { TaskId } from '../../contract/ids.ts';
import type { Instant } from '../../contract/ids.ts';
import type { QueuedTask } from './model.ts';
import type { PlannerPolicy } from './policy.ts';

export interface Rank {
  /** Priority with aging. */
  readonly step: number;
  /** What its owner used. */
  readonly score: number;
  readonly id: TaskId;
}

/** Who is first comes first. Never 0 for two tasks. */
export function compareRanks(a: Rank, b: Rank): number {
  return b.step - a.step || a.score - b.score || compareIds(a.id, b.id);
}

/** A task's step now, and when it rises next. */
export function ageOf(
  { priority, waitingSince }: Pick<QueuedTask, 'priority' | 'waitingSince'>,
  now: Instant,
  { agingMs }: Pick<PlannerPolicy, 'agingMs'>,
): { readonly step: number; readonly agesAt: Instant } {
  const steps = Math.max(0, Math.floor((now - waitingSince) / agingMs));
  return { step: priority + steps, agesAt: waitingSince + (steps + 1) * agingMs };
}
