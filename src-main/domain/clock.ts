import type { Instant } from '../contract/ids.ts';

/** Time as it is handed in, so that the whole core can run in simulated time. */
export interface Clock {
  /** Wall-clock time. May step back. */
  now(): Instant;
  /** Never steps back; only differences mean anything. Milliseconds. */
  monotonic(): number;
}

export interface Timers {
  /** Calls back once after `delayMs`; disposing cancels. */
  after(delayMs: number, callback: () => void): Disposable;
  /** Calls back every `intervalMs` until disposed. */
  every(intervalMs: number, callback: () => void): Disposable;
}

/** Randomness as it is handed in: 0 ≤ x < 1. */
export type Random = () => number;

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer[Symbol.dispose]();
      reject(signal?.reason as Error);
    };
    const timer = timers.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
