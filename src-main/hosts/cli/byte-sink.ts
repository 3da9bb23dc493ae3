import type { Writable } from 'node:stream';
import { ReaderGone } from './errors.ts';

/** Where output goes, no faster than it is taken. */
export interface ByteSink {
  readonly isTerminal: boolean;
  /** Width of the terminal, if it is one. */
  readonly columns: number | undefined;
  /** Resolves when there is room for more. Throws ReaderGone when nobody reads any longer. */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when everything written has left this process. */
  flushed(): Promise<void>;
}

/**
 * A sink over a stream of the process. A reader that leaves (EPIPE) is no error: `onReaderGone` is
 * told once, and writing throws ReaderGone.
 */
export function byteSink(
  stream: Writable & { isTTY?: boolean; columns?: number },
  onReaderGone: (reason: ReaderGone) => void,
): ByteSink {
  let failure: Error | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (failure !== undefined) return;
    failure = error.code === 'EPIPE' ? new ReaderGone() : error;
    if (failure instanceof ReaderGone) onReaderGone(failure);
  });
  const settle = (wait: (done: () => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        stream.off('error', done);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      stream.once('error', done);
      wait(done);
    });
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.columns === 0 ? undefined : stream.columns;
    },
    async write(data) {
      if (failure !== undefined) throw failure;
      if (stream.write(data)) return;
      await settle((done) => stream.once('drain', done));
    },
    async flushed() {
      if (failure !== undefined || stream.writableLength === 0) return;
      await settle((done) => stream.write('', done));
    },
  };
}
