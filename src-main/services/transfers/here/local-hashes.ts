// Digests of files of this computer, in a thread of its own: at full speed it would keep the main
// thread from moving bytes for a third of the time.
import { shownName } from '../../../domain/files/path-text.ts';
import type { Digest } from '../digests.ts';
import { ItemError } from '../errors.ts';
import type { Job, Listener, LocalThread } from './local-thread.ts';
import type { Begin, WholeFile } from './orders.ts';

/** Told at most so often: each telling wakes the thread. */
const stepBytes = 8 * 1024 * 1024;

/** A hash that is made while its file is read or written. Dropped without harm at any time. */
export interface FollowingHash extends Disposable {
  /** The file is there up to this position. */
  advance(to: number): void;
  /** Of the first `end` bytes, in hexadecimal. @throws ItemError when it cannot be read. */
  finish(end: number): Promise<string>;
}

export class LocalHashes {
  readonly #thread: Pick<LocalThread, 'begin'>;

  constructor(thread: Pick<LocalThread, 'begin'>) {
    this.#thread = thread;
  }

  /** The file may not be there yet beyond what `advance` says. The signal ends it, whatever it hangs in. */
  follow(path: string, digest: Digest, signal: AbortSignal): FollowingHash {
    const { job, hashes } = this.#begin({ kind: 'follow', path, digest }, [path], signal);
    let told = 0;
    return {
      advance: (to) => {
        if (to - told < stepBytes) return;
        told = to;
        job.post({ kind: 'advance', to, isLast: false });
      },
      finish: (to) => {
        job.post({ kind: 'advance', to, isLast: true });
        return hashes.then(([hash = '']) => hash);
      },
      [Symbol.dispose]: () => job[Symbol.dispose](),
    };
  }

  /** Of the first `end` bytes. @throws ItemError when it cannot be read. */
  async of(
    path: string,
    { end, digest, signal }: { end: number; digest: Digest; signal: AbortSignal },
  ): Promise<string> {
    using file = this.follow(path, digest, signal);
    return await file.finish(end);
  }

  /**
   * SHA-256 of small files as they are, each read up to a byte more than its size.
   * @throws ItemError for the first that cannot be read.
   */
  async ofEach(files: readonly WholeFile[], signal: AbortSignal): Promise<readonly string[]> {
    return files.length === 0 ? [] : this.#ofWhole(files, null, signal);
  }

  /** Of the bytes of all of them, one after the other, as `ofEach` reads them. Throws as it does. */
  async ofAll(files: readonly WholeFile[], digest: Digest, signal: AbortSignal): Promise<string> {
    const [hash = ''] = await this.#ofWhole(files, digest, signal);
    return hash;
  }

  async #ofWhole(
    files: readonly WholeFile[],
    together: Digest | null,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const paths = files.map(({ path }) => path);
    const { job, hashes } = this.#begin({ kind: 'whole', files, together }, paths, signal);
    using _job = job;
    return await hashes;
  }

  #begin(
    order: Begin,
    paths: readonly string[],
    signal: AbortSignal,
  ): { job: Job; hashes: Promise<readonly string[]> } {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    promise.catch(() => undefined);
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const fail = (why: string, at: number) => {
      const path = shownName(paths[at] ?? '');
      reject(new ItemError(path, `It could not be read to be compared (${why}).`));
    };
    const listener: Listener = {
      onAnswer: (answer) => {
        if (answer.kind === 'hashes') resolve(answer.hashes);
        else if (answer.kind === 'failed') fail(answer.error, answer.at);
      },
      onLost: (why) => fail(why, 0),
    };
    const begun = this.#thread.begin(order, listener);
    const job: Job = {
      post: (further, own) => begun.post(further, own),
      [Symbol.dispose]: () => {
        signal.removeEventListener('abort', onAbort);
        begun[Symbol.dispose]();
      },
    };
    return { job, hashes: promise };
  }
}
