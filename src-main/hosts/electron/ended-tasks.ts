import type { TaskView } from '../../contract/task.ts';

type Ended = Pick<TaskView, 'id' | 'attempt' | 'finishedAt'>;

/**
 * Picks what has newly ended out of windows of ended tasks. The first window is history, not news.
 * What ended while the core could not be reached is news once it can.
 */
export class EndedTasks {
  #newest: number | undefined;
  #toldAtNewest = new Set<string>();

  take<T extends Ended>(rows: readonly T[]): T[] {
    const isFirst = this.#newest === undefined;
    const before = this.#newest ?? -Infinity;
    const news = rows.filter(({ id, attempt, finishedAt }) => {
      if (finishedAt === null || finishedAt < before) return false;
      return finishedAt > before || !this.#toldAtNewest.has(`${id}/${String(attempt)}`);
    });
    const newest = Math.max(before, ...news.map(({ finishedAt }) => finishedAt ?? before));
    if (newest !== before) this.#toldAtNewest = new Set();
    for (const { id, attempt, finishedAt } of news)
      if (finishedAt === newest) this.#toldAtNewest.add(`${id}/${String(attempt)}`);
    this.#newest = newest;
    return isFirst ? [] : news;
  }
}
