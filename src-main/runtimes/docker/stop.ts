// Ending a container: the signal, the grace, SIGKILL.
import type Dockerode from 'dockerode';
import { sleep, type Timers } from '../../domain/clock.ts';
import { fromDocker, readComplaint } from './errors.ts';
import type { FoundContainer } from './observed.ts';

/** How long the Engine may take to notice what SIGKILL has ended. */
const settleMs = 10_000;

export interface StopOptions {
  readonly signal: string;
  readonly graceMs: number;
  readonly timers: Timers;
}

/**
 * Ends what runs in the container. False when nothing ran in it any more. Returns when it has ended,
 * or a little after the grace at the latest.
 */
export async function stopContainer(
  docker: Dockerode,
  found: FoundContainer,
  options: StopOptions,
): Promise<boolean> {
  const container = docker.getContainer(found.id);
  // Begun first, so that an end right after the signal is not missed.
  using ended = watchEnd(container);
  if (!(await kill(container, options.signal))) return false;
  if (found.status === 'paused') await thaw(container);
  const isFinalSignal = /^(SIG)?KILL$/.test(options.signal);
  if (!isFinalSignal && !(await ended.within(options.timers, options.graceMs))) {
    await kill(container, 'SIGKILL');
    await thaw(container);
  }
  await ended.within(options.timers, settleMs);
  return true;
}

function watchEnd(container: Dockerode.Container) {
  const abort = new AbortController();
  // A wait that fails (the container is gone, the link dropped) has nothing left to wait for.
  const ended = container.wait({ condition: 'not-running', abortSignal: abort.signal }).then(
    () => true,
    () => true,
  );
  return {
    async within(timers: Timers, ms: number): Promise<boolean> {
      const timeout = new AbortController();
      const timedOut = sleep(timers, ms, timeout.signal).then(
        () => false,
        () => false,
      );
      const hasEnded = await Promise.race([ended, timedOut]);
      timeout.abort();
      return hasEnded;
    },
    [Symbol.dispose]: () => {
      abort.abort();
    },
  };
}

/** False when it is not running, or gone. */
async function kill(container: Dockerode.Container, signal: string): Promise<boolean> {
  try {
    await container.kill({ signal });
    return true;
  } catch (error) {
    const { status, text } = readComplaint(error);
    if (status === 404 || status === 409 || text.includes('is not running')) return false;
    throw fromDocker(error, { kind: 'other', container: container.id });
  }
}

/** A frozen container handles no signal; newer Engines thaw it themselves. */
async function thaw(container: Dockerode.Container): Promise<void> {
  try {
    await container.unpause();
  } catch (error) {
    const { status, text } = readComplaint(error);
    // «stopped»: the signal ended it before the Engine came to thaw it.
    const isThawed = text.includes('not paused') || text.includes('stopped container');
    if (status === 404 || status === 409 || isThawed) return;
    throw fromDocker(error, { kind: 'other', container: container.id });
  }
}
