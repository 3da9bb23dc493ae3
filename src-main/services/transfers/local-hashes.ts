// Digests of files of this computer, in a thread of its own: at full speed it would keep the main
// thread from moving bytes for a third of the time.
import { Worker } from 'node:worker_threads';
import { bytesOfText, hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { workerUrl } from '../../store/worker-url.ts';
import type { Digest } from './digests.ts';
import { ItemError } from './errors.ts';

export type HashedPath = string | Uint8Array;

/** One that is there already, and is thought to be of this size. */
export interface WholeFile {
  readonly path: HashedPath;
  readonly size: number;
}

/**
 * `to` is where to read to, from the beginning of the file; the last one is answered by a report, as are
 * `whole` files.
 */
export type HashOrder =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly path: HashedPath;
      readonly digest: Digest;
    }
  | {
      readonly kind: 'whole';
      readonly id: number;
      readonly files: readonly WholeFile[];
      /** One for all of them, one after the other; null: the SHA-256 of each. */
      readonly together: Digest | null;
    }
  | { readonly kind: 'advance'; readonly id: number; readonly to: number; readonly isLast: boolean }
  | { readonly kind: 'drop'; readonly id: number };

/** `at` is the number of the file that failed. */
export type HashReport =
  | { readonly id: number; readonly hashes: readonly string[] }
  | { readonly id: number; readonly error: string; readonly at: number };

interface Waiting {
  readonly paths: readonly string[];
  readonly answer: PromiseWithResolvers<readonly string[]>;
}

/** Told at most so often: each telling wakes the thread. */
const stepBytes = 8 * 1024 * 1024;

/** A hash that is made while its file is read or written. Dropped without harm at any time. */
export interface FollowingHash extends Disposable {
  /** The file is there up to this position. */
  advance(to: number): void;
  /** Of the first `end` bytes, in hexadecimal. @throws ItemError when it cannot be read. */
  finish(end: number): Promise<string>;
}

export class LocalHashes implements AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  /** The file may not be there yet beyond what `advance` says. */
  follow(path: string, digest: Digest): FollowingHash {
    const { id, answer } = this.#wait([path]);
    this.#post({ kind: 'open', id, path: hashedPath(path), digest });
    let told = 0;
    return {
      advance: (to) => {
        if (to - told < stepBytes) return;
        told = to;
        this.#post({ kind: 'advance', id, to, isLast: false });
      },
      finish: (to) => {
        this.#post({ kind: 'advance', id, to, isLast: true });
        return answer.then(([hash = '']) => hash);
      },
      [Symbol.dispose]: () => {
        if (this.#waiting.delete(id)) this.#post({ kind: 'drop', id });
        this.#rest();
      },
    };
  }

  /** Of the first `end` bytes. @throws ItemError when it cannot be read. */
  async of(path: string, end: number, digest: Digest): Promise<string> {
    using file = this.follow(path, digest);
    return await file.finish(end);
  }

  /**
   * SHA-256 of small files as they are, each read up to a byte more than its size.
   * @throws ItemError for the first that cannot be read.
   */
  async ofEach(files: readonly { path: string; size: number }[]): Promise<readonly string[]> {
    return files.length === 0 ? [] : this.#ofWhole(files, null);
  }

  /** Of the bytes of all of them, one after the other, as `ofEach` reads them. Throws as it does. */
  async ofAll(files: readonly { path: string; size: number }[], digest: Digest): Promise<string> {
    const [hash = ''] = await this.#ofWhole(files, digest);
    return hash;
  }

  #ofWhole(
    files: readonly { path: string; size: number }[],
    together: Digest | null,
  ): Promise<readonly string[]> {
    const { id, answer } = this.#wait(files.map(({ path }) => path));
    const whole = files.map(({ path, size }) => ({ path: hashedPath(path), size }));
    this.#post({ kind: 'whole', id, files: whole, together });
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#lose(worker, 'the core ends');
    await worker?.terminate();
  }

  #wait(paths: readonly string[]): { id: number; answer: Promise<readonly string[]> } {
    this.#lastId += 1;
    const answer = Promise.withResolvers<readonly string[]>();
    answer.promise.catch(() => undefined);
    this.#waiting.set(this.#lastId, { paths, answer });
    return { id: this.#lastId, answer: answer.promise };
  }

  #post(order: HashOrder): void {
    if (this.#isClosed) {
      this.#settle(order.id, 'the core ends');
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(order);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('hash-worker', import.meta.url), {
      name: 'kohakuriver-hashes',
    });
    worker.on('message', (report: HashReport) => this.#receive(report));
    worker.on('error', (error) => this.#lose(worker, String(error)));
    worker.on('exit', (code) => this.#lose(worker, `exit code ${String(code)}`));
    return worker;
  }

  #receive(report: HashReport): void {
    if ('error' in report) this.#settle(report.id, report.error, report.at);
    else this.#waiting.get(report.id)?.answer.resolve(report.hashes);
    this.#waiting.delete(report.id);
    this.#rest();
  }

  /** An idle thread does not keep the process alive. */
  #rest(): void {
    if (this.#waiting.size === 0) this.#worker?.unref();
  }

  #settle(id: number, why: string, at = 0): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting === undefined) return;
    const path = shownName(waiting.paths[at] ?? '');
    waiting.answer.reject(new ItemError(path, `It could not be read to be compared (${why}).`));
  }

  #lose(worker: Worker | undefined, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, why);
  }
}

function hashedPath(path: string): HashedPath {
  return hasRawBytes(path) ? bytesOfText(path) : path;
}
