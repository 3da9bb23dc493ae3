// Batches as people handle them: looking at one, watching it, ending it, trying its failures again.
import type { BatchView, BatchWindow, BatchWindowQuery } from '../../contract/batches.ts';
import type { FeedItem } from '../../contract/feed.ts';
import type { BatchId, TaskId } from '../../contract/ids.ts';
import { RequestError } from '../../contract/errors.ts';
import { isFinal } from '../../contract/task.ts';
import type { Timers } from '../../domain/clock.ts';
import type { SnowflakeFactory } from '../../domain/snowflake.ts';
import type { Task, TaskEvent } from '../../domain/task.ts';
import { taskAgain } from '../../domain/task-again.ts';
import type { TaskRecords } from './ports.ts';
import { Pulse } from './pulse.ts';
import type { TaskBook } from './task-book.ts';
import type { TaskSecrets } from './task-secrets.ts';
import type { Accepted, Asker, OrderResult, TaskService } from './task-service.ts';

export interface BatchServiceParts {
  readonly book: TaskBook;
  readonly records: Pick<TaskRecords, 'batchWindow' | 'batch' | 'ofBatch' | 'resolveBatch'>;
  readonly tasks: TaskService;
  readonly secrets: TaskSecrets;
  readonly ids: SnowflakeFactory;
  readonly timers: Timers;
}

/** Changes arrive in bursts; a view is drawn at most this often. */
const redrawMs = 200;

export class BatchService {
  readonly #parts: BatchServiceParts;

  constructor(parts: BatchServiceParts) {
    this.#parts = parts;
  }

  list(query: BatchWindowQuery): Promise<BatchWindow> {
    return this.#parts.records.batchWindow(query);
  }

  /** Throws `not-found/batch` or `ambiguous/id`. */
  async get(reference: string): Promise<BatchView> {
    return this.#view(this.#parts.records.resolveBatch(reference));
  }

  async #view(id: BatchId): Promise<BatchView> {
    const batch = await this.#parts.records.batch(id);
    if (batch !== null) return batch;
    throw new RequestError('not-found/batch', `Batch ${id} was removed.`, {
      details: { batch: id },
    });
  }

  watchList(
    query: BatchWindowQuery,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem<BatchWindow, BatchWindow>> {
    return this.#watch(
      () => true,
      () => this.list(query),
      signal,
    );
  }

  watch(reference: string, signal: AbortSignal): AsyncGenerator<FeedItem<BatchView, BatchView>> {
    const id = this.#parts.records.resolveBatch(reference);
    return this.#watch(
      (task) => task.batchId === id,
      () => this.#view(id),
      signal,
    );
  }

  /** A view drawn anew when a task it is of changed; ends with the signal. */
  async *#watch<V>(
    isOfIt: (task: Task) => boolean,
    draw: () => Promise<V>,
    signal: AbortSignal,
  ): AsyncGenerator<FeedItem<V, V>> {
    const { book, timers } = this.#parts;
    using pulse = new Pulse(timers, redrawMs);
    using _listening = book.onDidChange(({ before, after, kind }) => {
      const task = after ?? before;
      if (kind !== 'progress' && task !== undefined && isOfIt(task)) pulse.announce();
    });
    let shown = await draw();
    yield { kind: 'snapshot', value: shown };
    let seq = 0;
    while (await pulse.next(signal)) {
      const next = await draw();
      if (JSON.stringify(next) === JSON.stringify(shown)) continue;
      shown = next;
      seq += 1;
      yield { kind: 'change', seq, value: next };
    }
  }

  /** Ends all of it that has not ended. */
  kill(
    reference: string,
    options: Asker & { signal: string; graceSeconds?: number | undefined },
  ): Promise<OrderResult[]> {
    const event = this.#parts.tasks.killEvent(options);
    return this.#order(reference, ({ state }) => !isFinal(state.status), event);
  }

  hold(reference: string, { who }: Asker): Promise<OrderResult[]> {
    return this.#order(reference, isWaiting, { kind: 'held', by: who });
  }

  release(reference: string, { who }: Asker): Promise<OrderResult[]> {
    return this.#order(reference, isWaiting, { kind: 'released', by: who });
  }

  setPriority(
    reference: string,
    { who, priority }: Asker & { priority: number },
  ): Promise<OrderResult[]> {
    const event: TaskEvent = { kind: 'reprioritized', by: who, priority };
    return this.#order(reference, ({ state }) => !isFinal(state.status), event);
  }

  #order(
    reference: string,
    isMeant: (task: Task) => boolean,
    event: TaskEvent,
  ): Promise<OrderResult[]> {
    const { records, tasks } = this.#parts;
    const members = this.#active(records.resolveBatch(reference)).filter(isMeant);
    return tasks.orderAll(
      members.map(({ id }) => id),
      () => event,
    );
  }

  #active(id: BatchId): Task[] {
    const { book, records } = this.#parts;
    return records.ofBatch(id).flatMap((task) => book.active(task) ?? []);
  }

  /**
   * Submits what failed or was killed again, as it was and with its numbers, as a new batch; durable
   * when it resolves. Throws `conflict/state` where nothing has failed.
   */
  async resubmitFailed(reference: string, { who }: Asker): Promise<Accepted> {
    const { records, book, secrets, ids } = this.#parts;
    const id = records.resolveBatch(reference);
    const failed = records.ofBatch(id).flatMap((task) => {
      const found = book.find(task)?.task;
      return found !== undefined && hasFailed(found) ? [found] : [];
    });
    const [first] = failed;
    if (first === undefined) {
      throw new RequestError('conflict/state', `Nothing of batch ${id} has failed or was killed.`, {
        details: { batch: id },
      });
    }
    const batchId = ids.batchId();
    const newIds = new Map<TaskId, TaskId>(failed.map((task) => [task.id, ids.taskId()]));
    const now = book.now();
    const again = failed.map((task) => taskAgain(task, { newIds, batchId, now }));
    const secretEnv = secrets.values(first);
    book.add(again, who, () => secrets.keep(batchId, secretEnv));
    await book.flushed();
    return { taskIds: again.map((task) => task.id), batchId, warnings: [] };
  }
}

function isWaiting({ state }: Task): boolean {
  return state.status === 'PENDING';
}

function hasFailed({ state }: Task): boolean {
  return state.status === 'FAILED' || state.status === 'KILLED_OOM' || state.status === 'KILLED';
}
