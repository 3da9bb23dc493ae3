import { sleep, type Timers } from '../../domain/clock.ts';
import type { RemoteFiles } from '../../link/node-link.ts';

/** How often it is looked at: nothing else tells how far a program is. */
const lookEveryMs = 500;

export interface Watched {
  readonly files: Pick<RemoteFiles, 'stat'>;
  readonly path: string;
  readonly timers: Timers;
}

/** Tells the size of a file that is being written, until the signal. Never rejects: others tell of a lost link. */
export async function watchSize(
  { files, path, timers }: Watched,
  signal: AbortSignal,
  onSize: (size: number) => void,
): Promise<void> {
  try {
    for (;;) {
      await sleep(timers, lookEveryMs, signal);
      const there = await files.stat(path);
      if (signal.aborted) return;
      if (there !== undefined) onSize(there.size);
    }
  } catch {
    // It is over, or the link is lost.
  }
}
