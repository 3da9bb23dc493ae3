import type { Timers } from '../../domain/clock.ts';
import { lostError } from '../../link/errors.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { Watcher } from './watcher.ts';

export interface NoticeOptions {
  readonly watcher: Watcher;
  readonly link: NodeLink;
  readonly timers: Timers;
  /** `TASK/ATTEMPT`. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** When to look even though nothing was told. */
  readonly pollMs: number;
  /** Growth of the log counts, too. */
  readonly withGrowth: boolean;
}

export interface NextNotice extends Disposable {
  /**
   * Resolves when something was told since this was made: true when the attempt itself may have
   * changed, false when only its log grew. Rejects when the link drops or the signal aborts.
   */
  take(): Promise<boolean>;
}

/** While the watcher is not there to tell. */
const lookSoonMs = 1000;

/** What is told about an attempt from now on; made before looking, so that nothing falls between. */
export function nextNotice(options: NoticeOptions): NextNotice {
  const { watcher, link, timers, path, signal, pollMs, withGrowth } = options;
  const happened = Promise.withResolvers<undefined>();
  // Growth may be told first and the end while that is being read: the end must not be lost.
  let mustLook = false;
  const look = () => {
    mustLook = true;
    happened.resolve(undefined);
  };
  const wait = watcher.isListening ? pollMs : Math.min(pollMs, lookSoonMs);
  const onAbort = () => {
    happened.reject(signal.reason);
  };
  // Listened to directly: made for each of many short attempts, signals of its own would cost the most here.
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const held: Disposable[] = [
    timers.after(wait, look),
    watcher.onDidNotice((notice) => {
      if (notice.kind === 'reset') look();
      else if (notice.path !== path) return;
      else if (notice.kind === 'exit') look();
      else if (withGrowth) happened.resolve(undefined);
    }),
    link.onDidClose((reason) => {
      happened.reject(reason ?? lostError(link.description));
    }),
  ];
  // Nobody may be waiting for it any more when it is rejected.
  happened.promise.catch(() => undefined);
  return {
    take: async () => {
      await happened.promise;
      return mustLook;
    },
    [Symbol.dispose]: () => {
      for (const item of held) item[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
