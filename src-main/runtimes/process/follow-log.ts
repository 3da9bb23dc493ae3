import type { LogPart, OpenLogs } from './log-file.ts';
import type { LogPosition } from './log-position.ts';
import type { NextNotice } from './next-notice.ts';

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

/** All bytes of both logs from `position` on, which moves with them, until the attempt has ended. */
export async function* followLog(
  followed: Followed,
  position: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogPart> {
  let { hasEnded, mayBeSilent } = followed;
  await using opened = new AsyncDisposableStack();
  let files: OpenLogs | undefined;
  for (let mustLook = !hasEnded && !mayBeSilent; ;) {
    using next = followed.next();
    // Asked before reading: what has ended by then writes no more.
    if (mustLook) hasEnded = await followed.hasEndedNow();
    if (files === undefined && hasEnded && followed.endedSilently()) return;
    if (hasEnded || !mayBeSilent) files ??= opened.use(await followed.open());
    if (files !== undefined) yield* files.read(position, { signal, isFinal: hasEnded });
    if (hasEnded) return;
    mustLook = await next.take();
    mayBeSilent = false;
  }
}
