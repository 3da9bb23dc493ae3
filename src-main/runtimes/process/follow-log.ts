import type { LogPart, OpenLogs } from './log-file.ts';
import type { LogPosition } from './log-position.ts';
import type { News, NextNotice } from './next-notice.ts';

/** An attempt as seen by whoever follows its log. */
export interface Followed {
  /** As it was found; what has ended writes no more. */
  readonly hasEnded: boolean;
  /** Launched here, and nothing was heard of it yet: there may be nothing to open. */
  readonly mayBeSilent: boolean;
  /** What will be told from now on. */
  next(): NextNotice;
  hasEndedNow(): Promise<boolean>;
  /** It is known to have ended without printing anything. */
  endedSilently(): boolean;
  open(): Promise<OpenLogs>;
}

/** Both logs, open while they are needed. */
class NeededLogs implements AsyncDisposable {
  readonly #open: () => Promise<OpenLogs>;
  #files: OpenLogs | undefined;

  constructor(open: () => Promise<OpenLogs>) {
    this.#open = open;
  }

  get areOpen(): boolean {
    return this.#files !== undefined;
  }

  async need(): Promise<void> {
    this.#files ??= await this.#open();
  }

  /** Nothing while they are not open. */
  async *read(...how: Parameters<OpenLogs['read']>): AsyncGenerator<LogPart> {
    if (this.#files !== undefined) yield* this.#files.read(...how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const files = this.#files;
    this.#files = undefined;
    await files?.[Symbol.asyncDispose]();
  }
}

/**
 * All bytes of both logs from `position` on, which moves with them, until the attempt has ended. Logs
 * that are quiet are not held open: a node lets a connection have so many files at a time.
 */
export async function* followLog(
  followed: Followed,
  position: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogPart> {
  let { hasEnded } = followed;
  await using logs = new NeededLogs(() => followed.open());
  const isKnown = followed.mayBeSilent;
  for (let news: News = { mustLook: !hasEnded && !isKnown, hasGrown: !isKnown }; ;) {
    using next = followed.next();
    // Asked before reading: what has ended by then writes no more.
    if (news.mustLook) hasEnded = await followed.hasEndedNow();
    if (hasEnded && !logs.areOpen && followed.endedSilently()) return;
    if (hasEnded || news.hasGrown) await logs.need();
    yield* logs.read(position, { signal, isFinal: hasEnded });
    if (hasEnded) return;
    const isQuiet = !news.mustLook && !news.hasGrown;
    if (isQuiet) await logs[Symbol.asyncDispose]();
    news = await next.take();
  }
}
