import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/worker-url.ts';
import type { Logger } from '../logger.ts';
import type { Snapshot } from './screen.ts';
import type { ScreenOrder, ScreenReport } from './screen-messages.ts';

/** Bytes a screen may have that it has not drawn yet; more is waited for. */
const windowBytes = 256 * 1024;
const emptySnapshot: Snapshot = { bytes: new Uint8Array(0), columns: 80, rows: 24 };

/** A terminal as it looks, kept in the thread of the screens. */
export interface ScreenHandle {
  /** Draws; no more than is bounded may be under way: see `room`. */
  write(bytes: Uint8Array): void;
  /** Undefined when more may be written, or what resolves then. */
  room(): Promise<void> | undefined;
  resize(columns: number, rows: number): void;
  /** As it looks after everything written so far. */
  snapshot(): Promise<Snapshot>;
  close(): void;
}

export interface ScreenListener {
  answered(bytes: Uint8Array): void;
  titled(title: string): void;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
  readonly scrollbackLines: number;
}

interface Entry {
  readonly listener: ScreenListener;
  size: Size;
  readonly waiting: Map<number, (snapshot: Snapshot) => void>;
  underWay: number;
  wake: (() => void) | undefined;
}

/** All screens, in one worker thread. Should the thread die, terminals go on with screens that start empty. */
export class Screens implements AsyncDisposable {
  readonly #log: Logger;
  readonly #entries = new Map<number, Entry>();
  #worker: Worker | undefined;
  #lastScreen = 0;
  #lastRequest = 0;
  #isDisposed = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  open(size: Size, listener: ScreenListener): ScreenHandle {
    this.#lastScreen += 1;
    const screen = this.#lastScreen;
    const entry: Entry = { listener, size, waiting: new Map(), underWay: 0, wake: undefined };
    this.#worker ??= this.#start();
    this.#entries.set(screen, entry);
    this.#post({ kind: 'open', screen, ...size });
    return {
      write: (bytes) => {
        entry.underWay += bytes.byteLength;
        this.#post({ kind: 'write', screen, bytes });
      },
      room: () =>
        entry.underWay < windowBytes
          ? undefined
          : new Promise((resolve) => {
              entry.wake = resolve;
            }),
      resize: (columns, rows) => {
        entry.size = { ...entry.size, columns, rows };
        this.#post({ kind: 'resize', screen, columns, rows });
      },
      snapshot: () => {
        this.#lastRequest += 1;
        const request = this.#lastRequest;
        return new Promise((resolve) => {
          entry.waiting.set(request, resolve);
          this.#post({ kind: 'snapshot', screen, request });
        });
      },
      close: () => {
        this.#release(entry);
        this.#entries.delete(screen);
        this.#post({ kind: 'close', screen });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    for (const entry of this.#entries.values()) this.#release(entry);
    this.#entries.clear();
    await worker?.terminate();
  }

  #post(order: ScreenOrder): void {
    if (this.#isDisposed) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(order);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('screens-worker', import.meta.url), {
      name: 'kohakuriver-screens',
    });
    worker.unref();
    worker.on('message', (report: ScreenReport) => this.#receive(report));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`it ended with code ${code}`)));
    for (const [screen, { size }] of this.#entries)
      worker.postMessage({ kind: 'open', screen, ...size });
    return worker;
  }

  #receive(report: ScreenReport): void {
    const entry = this.#entries.get(report.screen);
    if (entry === undefined) return;
    switch (report.kind) {
      case 'written':
        entry.underWay -= report.bytes;
        if (entry.underWay < windowBytes / 2) entry.wake?.();
        break;
      case 'snapshot':
        entry.waiting.get(report.request)?.(report);
        entry.waiting.delete(report.request);
        break;
      case 'answer':
        entry.listener.answered(report.bytes);
        break;
      case 'title':
        entry.listener.titled(report.title);
        break;
    }
  }

  #lose(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#log.error({ err: error }, 'the thread of the screens died; screens start empty');
    for (const entry of this.#entries.values()) this.#release(entry);
  }

  /** Whoever waits for this screen is told that there is nothing to wait for. */
  #release(entry: Entry): void {
    entry.underWay = 0;
    entry.wake?.();
    for (const resolve of entry.waiting.values()) resolve(emptySnapshot);
    entry.waiting.clear();
  }
}
