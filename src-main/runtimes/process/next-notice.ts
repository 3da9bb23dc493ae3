import type { Timers } from '../../domain/clock.ts';
import { lostError } from '../../link/errors.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { LookAround } from './look-around.ts';
import type { Watcher } from './watcher.ts';

export interface NoticeOptions {
  readonly watcher: Watcher;
  readonly lookAround: LookAround;
  readonly link: NodeLink;
  readonly timers: Timers;
  /** `TASK/ATTEMPT`. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Look even though nothing was told, after so long; null: when it seems to have ended. */
  readonly pollMs: number | null;
  /** Growth of the log counts, too; and when it is quiet for long. */
  readonly withGrowth: boolean;
}

/** What was told; nothing of it: the log is quiet. */
export interface News {
  /** The attempt itself may have changed. */
  readonly mustLook: boolean;
  readonly hasGrown: boolean;
}

export interface NextNotice extends Disposable {
  /** Resolves when something was told since this was made. Rejects when the link drops or the signal aborts. */
  take(): Promise<News>;
}

/** While the watcher is not there to tell. */
export const lookSoonMs = 1000;
/** A log that has not grown for so long is quiet. */
const quietMs = 60_000;

/** What is told about an attempt from now on; made before looking, so that nothing falls between. */
export function nextNotice(options: NoticeOptions): NextNotice {
  const { watcher, lookAround, link, timers, path, signal, pollMs, withGrowth } = options;
  const happened = Promise.withResolvers<undefined>();
  // Growth may be told first and the end while that is being read: the end must not be lost.
  const news = { mustLook: false, hasGrown: false };
  const look = () => {
    news.mustLook = true;
    happened.resolve(undefined);
  };
  const read = () => {
    news.hasGrown = true;
    happened.resolve(undefined);
  };
  const onAbort = () => {
    happened.reject(signal.reason);
  };
  // Listened to directly: made for each of many short attempts, signals of its own would cost the most here.
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const held: Disposable[] = [
    pollMs === null ? lookAround.wait(path, look) : timers.after(pollMs, look),
    watcher.onDidNotice((notice) => {
      if (notice.kind === 'reset') {
        // A watcher that listens tells of every log again.
        if (withGrowth && !watcher.isListening) read();
        look();
      } else if (notice.path !== path) return;
      else if (notice.kind === 'exit') look();
      else if (withGrowth) read();
    }),
    link.onDidClose((reason) => {
      happened.reject(reason ?? lostError(link.description));
    }),
  ];
  if (withGrowth) {
    const quiet = () => happened.resolve(undefined);
    held.push(watcher.isListening ? timers.after(quietMs, quiet) : timers.after(lookSoonMs, read));
  }
  // Nobody may be waiting for it any more when it is rejected.
  happened.promise.catch(() => undefined);
  return {
    take: async () => {
      await happened.promise;
      return news;
    },
    [Symbol.dispose]: () => {
      for (const item of held) item[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
