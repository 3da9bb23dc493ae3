// Live views of tasks: a window into a list, computed anew when something changed, and one task
// with its history.
import type { z } from 'zod';
import type { FeedItem, taskWindowChange } from '../../contract/procedures.ts';
import type { TaskId } from '../../contract/ids.ts';
import type { TaskEventView, TaskView, TaskWindow, TaskWindowQuery } from '../../contract/task.ts';
import type { Timers } from '../../domain/clock.ts';
import type { TaskRecords } from './ports.ts';
import { Pulse } from './pulse.ts';
import type { TaskBook, TaskChange } from './task-book.ts';
import type { TaskService } from './task-service.ts';

type WindowChange = z.infer<typeof taskWindowChange>;
interface TaskWithEvents {
  task: TaskView;
  events: TaskEventView[];
}

/** Changes arrive in bursts; a view is drawn at most this often. */
const REDRAW_MS = 100;
/** Events of one task that wait for a slow viewer; past this the feed starts over with a snapshot. */
const EVENT_BACKLOG = 1000;

export interface TaskFeedParts {
  readonly book: TaskBook;
  readonly service: TaskService;
  readonly records: TaskRecords;
  readonly timers: Timers;
}

export class TaskFeeds {
  readonly #parts: TaskFeedParts;

  constructor(parts: TaskFeedParts) {
    this.#parts = parts;
  }

  async window(query: TaskWindowQuery): Promise<TaskWindow> {
    const { records, service } = this.#parts;
    const { total, counts, rows } = await records.window(query);
    return { total, counts, offset: query.offset, rows: rows.map((row) => service.view(row)) };
  }

  /** A window and how it changes. Ends with the signal. */
  async *watchWindow(
    query: TaskWindowQuery,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem<TaskWindow, WindowChange>> {
    const { book, timers } = this.#parts;
    using pulse = new Pulse(timers, REDRAW_MS);
    using _listening = book.onDidChange(() => pulse.announce());
    let shown = await this.window(query);
    yield { kind: 'snapshot', value: shown };
    let seq = 0;
    while (await pulse.next(signal)) {
      const next = await this.window(query);
      const change = windowChange(shown, next);
      shown = next;
      if (change === undefined) continue;
      seq += 1;
      yield { kind: 'change', seq, value: change };
    }
  }

  /** One task: itself and all its events, then what is new. Ends when the task was removed. */
  async *watchTask(
    reference: string,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem<TaskWithEvents, TaskWithEvents>> {
    const { book, timers, service } = this.#parts;
    const id = service.resolve(reference);
    using pulse = new Pulse(timers, REDRAW_MS);
    const news: TaskEventView[] = [];
    const removal = new AbortController();
    using _listening = book.onDidChange((change) => {
      if (idOf(change) !== id) return;
      if (change.event !== undefined) news.push(change.event);
      if (change.kind === 'removed') removal.abort();
      pulse.announce();
    });
    yield { kind: 'snapshot', value: this.#whole(id) };
    let seq = 0;
    while (await pulse.next(AbortSignal.any([signal, removal.signal]))) {
      if (news.length > EVENT_BACKLOG) {
        // Emptied before the snapshot goes out: what comes while it is on its way is news again.
        news.length = 0;
        yield { kind: 'snapshot', value: this.#whole(id) };
        seq = 0;
        continue;
      }
      seq += 1;
      yield { kind: 'change', seq, value: { task: service.get(id), events: news.splice(0) } };
    }
  }

  #whole(id: TaskId): TaskWithEvents {
    const { service, records } = this.#parts;
    return { task: service.get(id), events: [...records.events(id)] };
  }
}

function idOf({ before, after }: TaskChange): TaskId | undefined {
  return (after ?? before)?.id;
}

/** What is different between two drawings of one window; undefined when nothing is. */
export function windowChange(before: TaskWindow, after: TaskWindow): WindowChange | undefined {
  const known = new Map(before.rows.map((row) => [row.id, JSON.stringify(row)]));
  const rows = after.rows.filter((row) => known.get(row.id) !== JSON.stringify(row));
  const isSame =
    rows.length === 0 &&
    before.total === after.total &&
    before.rows.length === after.rows.length &&
    before.rows.every((row, index) => row.id === after.rows[index]?.id) &&
    JSON.stringify(before.counts) === JSON.stringify(after.counts);
  if (isSame) return undefined;
  return { total: after.total, counts: after.counts, order: after.rows.map((row) => row.id), rows };
}
