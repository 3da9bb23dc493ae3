// Moving a waiting task to another place of the queue: which priority would put it there.
import type { TaskView } from '../../src-main/contract/task.ts';

type Ordered = Pick<TaskView, 'priority' | 'submittedAt' | 'id'>;

export const priorityRange = { least: -100, most: 100 } as const;

/** The queue's own order: priority, then who came first. */
function isBefore(a: Ordered, b: Ordered): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.submittedAt !== b.submittedAt) return a.submittedAt < b.submittedAt;
  return a.id.length === b.id.length ? a.id < b.id : a.id.length < b.id.length;
}

/**
 * The priority, as near as possible to its own, that puts a task between two others; either is
 * undefined at an end of the queue. Undefined where no priority can: between two of the same
 * priority whoever came first goes first.
 */
export function priorityBetween(
  moved: Ordered,
  above: Ordered | undefined,
  below: Ordered | undefined,
): number | undefined {
  const { least, most } = priorityRange;
  const upper = above?.priority ?? most;
  const lower = below?.priority ?? least;
  const nearest = Math.min(upper, Math.max(lower, moved.priority));
  const candidates = [nearest, upper, upper - 1, lower, lower + 1].filter(
    (priority) =>
      priority >= least &&
      priority <= most &&
      (above === undefined || isBefore(above, { ...moved, priority })) &&
      (below === undefined || isBefore({ ...moved, priority }, below)),
  );
  candidates.sort((a, b) => Math.abs(a - moved.priority) - Math.abs(b - moved.priority));
  return candidates[0];
}

/**
 * As `priorityBetween`; where no priority puts it exactly there, the one that takes it past those of
 * the same priority, in the direction it was moved. Undefined where even that is out of range.
 */
export function priorityTowards(
  moved: Ordered,
  { above, below }: { above: Ordered | undefined; below: Ordered | undefined },
  direction: 'up' | 'down',
): number | undefined {
  const exact = priorityBetween(moved, above, below);
  if (exact !== undefined) return exact;
  const { least, most } = priorityRange;
  const past = direction === 'up' ? (above?.priority ?? most) + 1 : (below?.priority ?? least) - 1;
  return past > most || past < least ? undefined : past;
}
