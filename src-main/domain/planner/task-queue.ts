// Waiting tasks in their order: priority, then submission. One list per priority: tasks mostly come
// in the order of their IDs, so that a list seldom needs sorting.
import { compareIds } from '../snowflake.ts';
import type { QueuedTask } from './model.ts';

type Position = Pick<QueuedTask, 'priority' | 'id'>;

/** Order of the queue: priority, then submission (IDs rise with time). */
export function compareQueued(a: Position, b: Position): number {
  return b.priority - a.priority || compareIds(a.id, b.id);
}

/** A task in a queue. */
export interface Waiting {
  readonly task: QueuedTask;
  /** Placed, killed or changed: skipped, and dropped when convenient. */
  isGone: boolean;
}

interface Level<W extends Waiting> {
  readonly priority: number;
  /** What is before `head` is over. */
  waiting: W[];
  head: number;
  live: number;
  isSorted: boolean;
}

export class TaskQueue<W extends Waiting> {
  /** Highest priority first. */
  readonly #levels: Level<W>[] = [];
  #live = 0;

  /** Tasks that wait. */
  get size(): number {
    return this.#live;
  }

  add(waiting: W): void {
    const level = this.#levelOf(waiting.task.priority);
    const last = level.waiting.at(-1);
    if (last !== undefined && compareIds(last.task.id, waiting.task.id) > 0) level.isSorted = false;
    level.waiting.push(waiting);
    level.live += 1;
    this.#live += 1;
  }

  remove(waiting: W): void {
    if (waiting.isGone) return;
    waiting.isGone = true;
    this.#levelOf(waiting.task.priority).live -= 1;
    this.#live -= 1;
  }

  /** The first task, or undefined when none waits. */
  head(): W | undefined {
    for (const level of this.#levels) {
      if (level.live === 0) continue;
      tidy(level);
      return level.waiting[level.head];
    }
    return undefined;
  }

  /** How many come before the given one, which may be here or not. */
  countBefore(position: Position): number {
    let count = 0;
    for (const level of this.#levels) {
      if (level.priority < position.priority) break;
      if (level.priority > position.priority) count += level.live;
      else count += countOlder(level, position.id);
    }
    return count;
  }

  #levelOf(priority: number): Level<W> {
    const at = this.#levels.findIndex((level) => level.priority <= priority);
    const found = this.#levels[at];
    if (found?.priority === priority) return found;
    const level = { priority, waiting: [], head: 0, live: 0, isSorted: true };
    this.#levels.splice(at === -1 ? this.#levels.length : at, 0, level);
    return level;
  }
}

/** Sorts if need be, moves the head past what is gone, and drops it when it is most of the list. */
function tidy(level: Level<Waiting>): void {
  if (!level.isSorted || level.waiting.length > 2 * level.live + 64) {
    level.waiting = level.waiting.slice(level.head).filter(({ isGone }) => !isGone);
    level.head = 0;
  }
  if (!level.isSorted) level.waiting.sort((a, b) => compareIds(a.task.id, b.task.id));
  level.isSorted = true;
  while (level.waiting[level.head]?.isGone === true) level.head += 1;
}

function countOlder(level: Level<Waiting>, id: QueuedTask['id']): number {
  tidy(level);
  let count = 0;
  for (let at = level.head; at < level.waiting.length; at += 1) {
    const waiting = level.waiting[at];
    if (waiting === undefined || compareIds(waiting.task.id, id) >= 0) break;
    if (!waiting.isGone) count += 1;
  }
  return count;
}
