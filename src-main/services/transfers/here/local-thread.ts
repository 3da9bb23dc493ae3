// A thread for this computer's files. To list ten thousand, read and hash them takes a quarter of a second of
// a processor: in the main thread, everything else would wait for it.
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../../store/worker-url.ts';
import { LocalHashes } from './local-hashes.ts';
import {
  isLast,
  type Answer,
  type Begin,
  type Further,
  type Order,
  type Report,
} from './orders.ts';

/** Who hears of one piece of work. */
export interface Listener {
  onAnswer(answer: Answer): void;
  /** The thread is gone, or the core ends. */
  onLost(why: string): void;
}

/** One piece of work; what is not at its end is given up. */
export interface Job extends Disposable {
  post(order: Further, own?: readonly ArrayBuffer[]): void;
}

/** Started when first needed. */
export class LocalThread implements AsyncDisposable {
  readonly hashes = new LocalHashes(this);
  readonly #listeners = new Map<number, Listener>();
  /** Given up, and the thread has not said that it heard of it. */
  readonly #dropped = new Set<number>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  /** False also while it has not heard that something was given up: it may hang in just that. */
  get isIdle(): boolean {
    return this.#listeners.size === 0 && this.#dropped.size === 0;
  }

  begin(order: Begin, listener: Listener): Job {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#listeners.set(id, listener);
    this.#post({ ...order, id });
    return {
      post: (further, own = []) => {
        if (this.#listeners.has(id)) this.#post({ ...further, id }, own);
      },
      [Symbol.dispose]: () => {
        if (!this.#listeners.delete(id)) return;
        this.#dropped.add(id);
        this.#post({ kind: 'drop', id });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#lose(worker, 'the core ends');
    await worker?.terminate();
  }

  #post(order: Order, own: readonly ArrayBuffer[] = []): void {
    if (this.#isClosed) {
      this.#loseOne(order.id, 'the core ends');
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(order, own);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('local-files-worker', import.meta.url), {
      name: 'kohakuriver-files',
    });
    worker.on('message', (report: Report) => this.#receive(report));
    worker.on('error', (error) => this.#lose(worker, String(error)));
    worker.on('exit', (code) => this.#lose(worker, `exit code ${String(code)}`));
    return worker;
  }

  #receive({ id, ...answer }: Report): void {
    const listener = this.#listeners.get(id);
    if (isLast(answer)) {
      this.#listeners.delete(id);
      this.#dropped.delete(id);
    }
    listener?.onAnswer(answer);
    this.#rest();
  }

  /** An idle thread does not keep the process alive. */
  #rest(): void {
    if (this.isIdle) this.#worker?.unref();
  }

  #loseOne(id: number, why: string): void {
    const listener = this.#listeners.get(id);
    this.#listeners.delete(id);
    this.#dropped.delete(id);
    listener?.onLost(why);
  }

  #lose(worker: Worker | undefined, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#dropped.clear();
    for (const id of [...this.#listeners.keys()]) this.#loseOne(id, why);
  }
}

/**
 * A thread for each transfer: what one waits for (a network drive that is gone) stops no other. One is kept
 * for the next transfer.
 */
export class LocalThreads implements AsyncDisposable {
  readonly #all = new Set<LocalThread>();
  readonly #free: LocalThread[] = [];

  /** Given back at its end. */
  take(): { readonly thread: LocalThread } & Disposable {
    const thread = this.#free.pop() ?? new LocalThread();
    this.#all.add(thread);
    return { thread, [Symbol.dispose]: () => this.#giveBack(thread) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread[Symbol.asyncDispose]()));
  }

  #giveBack(thread: LocalThread): void {
    if (this.#free.length === 0 && thread.isIdle) {
      this.#free.push(thread);
      return;
    }
    this.#all.delete(thread);
    // Not waited for: it may hang in its file system for long.
    void thread[Symbol.asyncDispose]();
  }
}
