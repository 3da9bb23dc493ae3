// Waiting tasks of one lane in their order: step (priority with aging), then submission. One list per
// step: tasks mostly come in the order of their IDs, so that a list seldom needs sorting.
import { compareIds } from '../snowflake.ts';
import type { QueuedTask } from './model.ts';

/** A task in a queue. */
export interface Waiting {
  readonly task: QueuedTask;
  /** Its priority with aging: higher is sooner. */
  readonly step: number;
  /** Placed, killed or changed: skipped, and dropped when convenient. */
  isGone: boolean;
}

interface Level<W extends Waiting> {
  readonly step: number;
  /** What is before `head` is over. */
  waiting: W[];
  head: number;
  live: number;
  isSorted: boolean;
}

export class TaskQueue<W extends Waiting> {
  /** Highest step first. */
  readonly #levels: Level<W>[] = [];
  #live = 0;

  /** Tasks that wait. */
  get size(): number {
    return this.#live;
  }

  add(waiting: W): void {
    const level = this.#levelOf(waiting.step);
    const last = level.waiting.at(-1);
    if (last !== undefined && compareIds(last.task.id, waiting.task.id) > 0) level.isSorted = false;
    level.waiting.push(waiting);
    level.live += 1;
    this.#live += 1;
  }

  remove(waiting: W): void {
    if (waiting.isGone) return;
    waiting.isGone = true;
    this.#levelOf(waiting.step).live -= 1;
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

  /** All that wait, in their order. */
  all(): W[] {
    return this.#levels.flatMap((level) => {
      tidy(level);
      return level.waiting.slice(level.head).filter(({ isGone }) => !isGone);
    });
  }

  /** Tasks by step, highest first. */
  *steps(): Iterable<{ readonly step: number; readonly count: number }> {
    for (const { step, live } of this.#levels) if (live > 0) yield { step, count: live };
  }

  /** How many of one step were submitted before an ID. */
  countOlder(step: number, id: QueuedTask['id']): number {
    const level = this.#levels.find((one) => one.step === step);
    return level === undefined ? 0 : countOlder(level, id);
  }

  #levelOf(step: number): Level<W> {
    let at = 0;
    for (; at < this.#levels.length; at += 1) {
      const level = this.#levels[at];
      if (level === undefined || level.step < step) break;
      if (level.step === step) return level;
    }
    const made = { step, waiting: [], head: 0, live: 0, isSorted: true };
    this.#levels.splice(at, 0, made);
    return made;
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
