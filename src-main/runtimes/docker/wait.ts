// Waiting for the end of a container: the Engine's wait call, and its description afterwards.
import type Dockerode from 'dockerode';
import { sleep, type Timers } from '../../domain/clock.ts';
import type { Event } from '../../domain/emitter.ts';
import type { ObservedAttempt } from '../runtime.ts';
import { fromDocker, readComplaint } from './errors.ts';
import type { FoundContainer } from './observed.ts';

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly onDidChange: Event<undefined>;
}

/** Events normally tell of a start at once; this is for one that was missed. */
const lookAgainMs = 2000;

/**
 * Resolves with the ended attempt, or undefined when its container is not there any more. Waits
 * through `created` as well.
 */
export async function waitForContainer(
  docker: Dockerode,
  find: () => Promise<FoundContainer | undefined>,
  options: WaitOptions,
): Promise<ObservedAttempt | undefined> {
  for (;;) {
    options.signal.throwIfAborted();
    using next = nextChange(options.onDidChange, options.timers, options.signal);
    const found = await find();
    if (found === undefined || found.attempt.condition.kind === 'ended') return found?.attempt;
    if (found.status === 'created') await next.happened;
    else await waitUntilStopped(docker, found, options.signal);
  }
}

async function waitUntilStopped(
  docker: Dockerode,
  found: FoundContainer,
  signal: AbortSignal,
): Promise<void> {
  try {
    const container = docker.getContainer(found.id);
    await container.wait({ condition: 'not-running', abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    // Removed while it was waited for: the next look says so.
    if (readComplaint(error).status === 404) return;
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

/** The next event, or a moment later; taken before looking, so that nothing is missed between. */
export function nextChange(
  onDidChange: Event<undefined>,
  timers: Timers,
  signal: AbortSignal,
): Disposable & { readonly happened: Promise<void> } {
  const done = new AbortController();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const listener = onDidChange(() => {
    resolve(undefined);
  });
  const either = AbortSignal.any([done.signal, signal]);
  const timeout = sleep(timers, lookAgainMs, either).catch(() => undefined);
  const happened = Promise.race([promise, timeout]).then(() => {
    signal.throwIfAborted();
  });
  // Nobody may be waiting for it by the time it is aborted.
  happened.catch(() => undefined);
  return {
    happened,
    [Symbol.dispose]: () => {
      listener[Symbol.dispose]();
      done.abort();
    },
  };
}
