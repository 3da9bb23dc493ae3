// A list of tasks of any length, of which only what is on screen is asked for. The core filters,
// sorts and cuts; this keeps the rows by their place, so that scrolling back finds them, and moves
// the window along with what is visible.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type {
  StatusCounts,
  TaskFilter,
  TaskSort,
  TaskView,
  TaskWindow,
} from '../../src-main/contract/task.ts';
import type { CoreClient } from '../lib/client.ts';
import type { TaskWindowChange } from '../lib/contract-types.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

/** Rows asked for beyond what is visible, on each side. */
const margin = 40;
/** While scrolling on, most of these lie ahead: this many are kept behind. */
const behind = 10;
/** This near to the window's end, the next one is asked for, so that it is there in time. */
const near = 24;
/** Windows start at multiples of this, so that small scrolls keep the window. */
const step = 20;
const maxRows = 300;
/** A fast scroll asks only for where it slows down… */
const settleMs = 60;
/** …but one that goes on and on sees rows all the same. */
const patienceMs = 250;

export interface TaskListQuery {
  filter: TaskFilter;
  sort: TaskSort;
}

export class TaskWindowState {
  readonly #client: CoreClient;
  #total = $state<number | undefined>(undefined);
  #counts = $state.raw<StatusCounts>({});
  #rows = $state.raw<ReadonlyMap<number, TaskView>>(new Map());
  #problem = $state.raw<Problem | undefined>(undefined);
  #query: TaskListQuery = { filter: {}, sort: 'newest' };
  #range = { offset: 0, limit: 80 };
  /** The one whose rows are shown, and the one that shall take its place when it answers. */
  #feed: Disposable | undefined;
  #nextFeed: Disposable | undefined;
  /** What comes next is of another list than what is shown. */
  #isNewList = true;
  #generation = 0;
  /** The generation of the feed whose rows are shown. */
  #shown = -1;
  #settle: ReturnType<typeof setTimeout> | undefined;
  /** The first row that was visible when last looked. */
  #seen = 0;
  /** Since when rows are visible that nobody has asked for. */
  #lackingSince: number | undefined;
  /** What the newest snapshot covers; changes refer to it. */
  #window: { offset: number; order: readonly TaskId[] } = { offset: 0, order: [] };

  constructor(client: CoreClient) {
    this.#client = client;
  }

  /** Undefined until the first answer. */
  get total(): number | undefined {
    return this.#total;
  }
  /** By status, of everything but the filter's statuses. */
  get counts(): StatusCounts {
    return this.#counts;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  /** The rows known now, by their place in the whole list. */
  get rows(): ReadonlyMap<number, TaskView> {
    return this.#rows;
  }

  /** Shows another list. What was there stays on screen until its first answer. */
  show(query: TaskListQuery, limit = 80): void {
    this.#query = query;
    this.#range = { offset: 0, limit };
    this.#isNewList = true;
    this.#open();
  }

  /** The rows from `first` to `last` are visible. */
  look(first: number, last: number): void {
    const { offset, limit } = this.#range;
    const way = Math.sign(first - this.#seen);
    this.#seen = first;
    if (first >= offset && last < offset + limit) {
      this.#lookAhead(first, last, way);
      return;
    }
    this.#cover(first - margin, last + margin);
    const now = performance.now();
    this.#lackingSince ??= now;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(
      () => this.#open(),
      Math.max(0, Math.min(settleMs, this.#lackingSince + patienceMs - now)),
    );
  }

  stop(): void {
    clearTimeout(this.#settle);
    this.#generation += 1;
    this.#feed?.[Symbol.dispose]();
    this.#nextFeed?.[Symbol.dispose]();
    this.#feed = this.#nextFeed = undefined;
    this.#shown = -1;
  }

  /** All IDs the list has, up to `limit`, for orders to everything that matches. */
  async allIds(limit: number): Promise<TaskId[]> {
    const ids: TaskId[] = [];
    const page = 500;
    while (ids.length < limit) {
      const { rows } = await this.#client.api.tasks.list({
        ...this.#query,
        offset: ids.length,
        limit: Math.min(page, limit - ids.length),
      });
      ids.push(...rows.map(({ id }) => id));
      if (rows.length < page) break;
    }
    return ids;
  }

  /** Asks for the next rows that way in time. */
  #lookAhead(first: number, last: number, way: number): void {
    const { offset, limit } = this.#range;
    const end = offset + limit;
    const isNearEnd = way > 0 && last + near >= end && end < (this.#total ?? 0);
    const isNearStart = way < 0 && first - near < offset && offset > 0;
    if (!isNearEnd && !isNearStart) return;
    const ahead = 2 * margin - behind;
    this.#cover(first - (isNearEnd ? behind : ahead), last + (isNearEnd ? ahead : behind));
    this.#open();
  }

  #cover(first: number, last: number): void {
    const offset = Math.max(0, Math.floor(first / step) * step);
    const limit = Math.min(maxRows, Math.ceil((last - offset) / step) * step);
    this.#range = { offset, limit };
  }

  #open(): void {
    this.#lackingSince = undefined;
    clearTimeout(this.#settle);
    // One that has not answered yet is not waited for any more.
    this.#nextFeed?.[Symbol.dispose]();
    const generation = (this.#generation += 1);
    const query = { ...this.#query, ...this.#range };
    let isFirst = true;
    this.#nextFeed = this.#client.feed<TaskWindow, TaskWindowChange>(
      (api, signal) => api.tasks.watchWindow(query, { signal }),
      {
        onSnapshot: (window) => {
          if (isFirst && generation === this.#generation) this.#replaceFeed();
          if (generation !== this.#shown) return;
          this.#takeSnapshot(window);
          isFirst = false;
        },
        onChange: (change) => {
          if (generation === this.#shown) this.#takeChange(change);
        },
        onError: (error) => {
          if (generation !== this.#generation) return;
          if (isFirst) this.#replaceFeed();
          this.#problem = toProblem(error);
        },
      },
    );
  }

  /** The old window went on until the new one was there: rows in both never blink. */
  #replaceFeed(): void {
    this.#feed?.[Symbol.dispose]();
    this.#feed = this.#nextFeed;
    this.#nextFeed = undefined;
    this.#shown = this.#generation;
  }

  #takeSnapshot(window: TaskWindow): void {
    this.#problem = undefined;
    this.#total = window.total;
    this.#counts = window.counts;
    this.#window = { offset: window.offset, order: window.rows.map(({ id }) => id) };
    const rows = this.#isNewList ? new Map<number, TaskView>() : this.#nearby(window.offset);
    this.#isNewList = false;
    window.rows.forEach((row, i) => rows.set(window.offset + i, row));
    this.#rows = rows;
  }

  #takeChange({ total, counts, order, rows: changed }: TaskWindowChange): void {
    const byId = new Map<TaskId, TaskView>();
    const { offset } = this.#window;
    this.#window.order.forEach((id, i) => {
      const row = this.#rows.get(offset + i);
      if (row?.id === id) byId.set(id, row);
    });
    for (const row of changed) byId.set(row.id, row);
    // Rows outside of the window may have moved as well: they are asked for again when looked at.
    const next = new Map<number, TaskView>();
    order.forEach((id, i) => {
      const row = byId.get(id);
      if (row !== undefined) next.set(offset + i, row);
    });
    this.#total = total;
    this.#counts = counts;
    this.#window = { offset, order };
    this.#rows = next;
  }

  /** The rows worth keeping beside a new window: a few screens around it. */
  #nearby(offset: number): Map<number, TaskView> {
    const kept = new Map<number, TaskView>();
    for (const [at, row] of this.#rows) {
      if (Math.abs(at - offset) < maxRows * 3) kept.set(at, row);
    }
    return kept;
  }
}
