import { Worker } from 'node:worker_threads';
import type { BatchView, BatchWindow, BatchWindowQuery } from '../contract/batches.ts';
import { RemoteError } from '../contract/errors.ts';
import type { BatchId } from '../contract/ids.ts';
import type { MetricsPoint } from '../contract/node.ts';
import type { TaskWindowQuery } from '../contract/task.ts';
import type { StoreLog } from './connection.ts';
import { StoreError } from './errors.ts';
import type { FromWorker, MetricsQuery, Queries, QueryName } from './query-protocol.ts';
import type { StoredTaskWindow } from './task-window.ts';
import { workerUrl } from './worker-url.ts';

interface Waiting {
  readonly resolve: (output: Queries[QueryName]['output']) => void;
  readonly reject: (error: Error) => void;
}

/** Asks the worker thread for reads. Starts it at the first question, and again should it die. */
export class QueryWorker implements AsyncDisposable {
  readonly #file: string;
  readonly #log: StoreLog;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(file: string, log: StoreLog) {
    this.#file = file;
    this.#log = log;
  }

  taskWindow(query: TaskWindowQuery): Promise<StoredTaskWindow> {
    return this.#ask('taskWindow', query);
  }

  batchWindow(query: BatchWindowQuery): Promise<BatchWindow> {
    return this.#ask('batchWindow', query);
  }

  batch(id: BatchId): Promise<BatchView | null> {
    return this.#ask('batch', id);
  }

  metrics(query: MetricsQuery): Promise<MetricsPoint[]> {
    return this.#ask('metrics', query);
  }

  /** What all tasks have printed, in bytes. */
  taskLogBytes(): Promise<number> {
    return this.#ask('taskLogBytes', null);
  }

  /** Writes the database as it is now into a new file: one read transaction, however much is written meanwhile. */
  async copyInto(file: string): Promise<void> {
    await this.#ask('copyInto', { file });
  }

  /** Moves what was written from the write-ahead log into the database, as far as readers allow. */
  async checkpoint(): Promise<void> {
    await this.#ask('checkpoint', null);
  }

  #ask<N extends QueryName>(name: N, input: Queries[N]['input']): Promise<Queries[N]['output']> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Queries[N]['output']>();
    this.#worker ??= this.#start();
    this.#waiting.set(id, { resolve, reject });
    this.#worker.ref();
    this.#worker.postMessage({ id, name, input });
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('query-worker', import.meta.url), {
      workerData: { file: this.#file },
      name: 'kohakuriver-query',
    });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`exit code ${code}`)));
    return worker;
  }

  #receive(message: FromWorker): void {
    if ('log' in message) {
      this.#log.warn(message.log.fields, message.log.message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    // An idle worker does not keep the process alive.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ('error' in message) waiting?.reject(new RemoteError(message.error));
    else waiting?.resolve(message.output);
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) {
      reject(
        new StoreError('store/failed', 'Reading the database was interrupted; try again.', {
          cause,
          retry: 'later',
        }),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#lose(worker, new Error('the store was closed'));
    await worker.terminate();
  }
}
