import type { Timers } from '../domain/clock.ts';
import type { RemoteProcess } from './node-link.ts';

/** So long a program may take to end once it is told to; then it is let go of. */
const letGoAfterMs = 2_000;

export interface Ending {
  readonly timers: Timers;
  /** Of the first order to end. */
  readonly kill?: string;
  /** Hears what goes wrong: nobody waits for this. */
  readonly onError: (error: unknown) => void;
}

/**
 * Ends a program when `signal` aborts. One that hangs (in a file system that answers nothing) or that its node
 * says nothing about any more is killed and let go of: its output ends, and whoever reads it goes on.
 */
export function endOnAbort(
  process: RemoteProcess,
  signal: AbortSignal | undefined,
  { timers, kill, onError }: Ending,
): void {
  if (signal === undefined) return;
  let letGo: Disposable | undefined;
  const onAbort = () => {
    process.end(kill).catch(onError);
    letGo = timers.after(letGoAfterMs, () => {
      // Not everybody who takes its output listens for how it breaks.
      process.stdout.on('error', () => undefined);
      process.stdout.destroy(signal.reason instanceof Error ? signal.reason : undefined);
      Promise.resolve(process[Symbol.asyncDispose]()).catch(onError);
    });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const forget = () => {
    letGo?.[Symbol.dispose]();
    signal.removeEventListener('abort', onAbort);
  };
  process.ended.then(forget, forget);
}

/**
 * Rejects when a program's output breaks: the link dropped, or it was let go of, and whoever waits for it to take
 * its input or to end waits in vain. Never resolves.
 */
export function brokenOutput({ stdout }: Pick<RemoteProcess, 'stdout'>): Promise<never> {
  const broken = new Promise<never>((_resolve, reject) => stdout.once('error', reject));
  broken.catch(() => undefined);
  return broken;
}
