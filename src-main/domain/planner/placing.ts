// One task to its place: the best of the nodes that have room for it, or a given one.
import type { Accounts } from './accounts.ts';
import { fitsOn } from './constraints.ts';
import { describeFit, measureFit, placeOn, type Fit } from './fit.ts';
import { viewFor, type Moment } from './guards.ts';
import type { Place } from '../task.ts';
import type { Placement } from './model.ts';
import type { NodeBook } from './node-book.ts';
import type { NodeState } from './node-state.ts';
import type { Entry } from './shape.ts';
import type { TaskBook } from './task-book.ts';

/** All that a planner knows, at a moment. */
export interface Books {
  readonly tasks: TaskBook;
  readonly nodes: NodeBook;
  readonly accounts: Accounts;
  readonly moment: Moment;
}

/** Caps keep the task from starting, whatever the nodes have. */
export function isCapped({ task, shape }: Entry, { accounts }: Books): boolean {
  return accounts.lacksOf(task, shape.need.gpuCount).length > 0;
}

/** Whether a node has room for the task, without what is kept there for others. */
function hasRoom({ task, shape }: Entry, state: NodeState, { moment }: Books): boolean {
  const view = viewFor(state, task, moment);
  return view === state || fitsOn(shape.need, view, moment.policy);
}

/** Places a task on the best of all nodes and counts it as placed; undefined where it fits on none. */
export function place(entry: Entry, books: Books, isBackfilled: boolean): Placement | undefined {
  if (isCapped(entry, books)) return undefined;
  const fit = entry.shape.bestFit(books.nodes.log(), (state) => hasRoom(entry, state, books));
  return fit === undefined ? undefined : placeAs(entry, fit, { books, isBackfilled });
}

/** Places a task on this node and counts it as placed; undefined where it does not fit there. */
export function placeThere(
  entry: Entry,
  state: NodeState,
  doing: { readonly books: Books; readonly isBackfilled: boolean },
): Placement | undefined {
  const { need } = entry.shape;
  const { policy } = doing.books.moment;
  if (isCapped(entry, doing.books) || !fitsOn(need, state, policy)) return undefined;
  if (!hasRoom(entry, state, doing.books)) return undefined;
  return placeAs(entry, measureFit(need, state, policy), doing);
}

function placeAs(
  entry: Entry,
  fit: Fit,
  { books, isBackfilled }: { readonly books: Books; readonly isBackfilled: boolean },
): Placement {
  const { task, shape } = entry;
  const { now, policy } = books.moment;
  const found = placeOn(shape.need, viewFor(fit.state, task, books.moment), policy);
  const where: Place = isBackfilled ? { ...found, isBackfilled } : found;
  const endsAt = task.timeLimitMs === null ? null : now + task.timeLimitMs;
  // The attempt number is the task machine's to give; what is held is held either way.
  books.tasks.start(entry, { taskId: task.id, attempt: 0, place: where, counted: task, endsAt });
  const why = describeFit(shape.need, fit);
  const ahead = isBackfilled ? '; ahead of others that wait for more room' : '';
  return { taskId: task.id, place: where, why: `${why}${ahead}`, gang: task.gang };
}
