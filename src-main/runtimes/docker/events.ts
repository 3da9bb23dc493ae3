// The Engine's event stream: tells that something changed, and when the Engine is gone.
import type Dockerode from 'dockerode';
import { sleep, type Timers } from '../../domain/clock.ts';
import type { RuntimeLog } from '../log.ts';
import { DockerConnectionError, fromDocker } from './errors.ts';
import { managedLabel } from './labels.ts';
import { asReadable } from './reply-stream.ts';

/** Before an Engine that ended the stream is asked whether it is still there. */
const reopenDelayMs = 500;

export interface WatchOptions {
  readonly timers: Timers;
  readonly log: RuntimeLog;
  readonly signal: AbortSignal;
  /** Something managed started, ended, was paused or removed; or events may have been missed. */
  readonly onChange: () => void;
}

/**
 * Follows the events of managed containers, and takes the stream up again when the Engine ends it
 * (it does when it stops). Resolves with the reason once the Engine does not answer any more, or
 * with undefined after an abort.
 */
export async function watchEvents(
  docker: Dockerode,
  options: WatchOptions,
): Promise<Error | undefined> {
  const { signal, timers, log, onChange } = options;
  try {
    for (;;) {
      await followOnce(docker, options);
      await sleep(timers, reopenDelayMs, signal);
      await docker.ping();
      log.debug({}, 'the Engine ended its event stream and still answers: taking it up again');
      onChange();
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    return fromDocker(error, { kind: 'ask' });
  }
}

async function followOnce(docker: Dockerode, options: WatchOptions): Promise<void> {
  const events = await docker.getEvents({
    filters: {
      type: ['container'],
      label: [`${managedLabel}=true`],
      event: ['start', 'die', 'oom', 'pause', 'unpause', 'destroy'],
    },
    abortSignal: options.signal,
  });
  const stream = asReadable(events);
  try {
    // What an event says is looked up afterwards, so its text is not even read.
    for await (const chunk of stream) if (String(chunk).trim() !== '') options.onChange();
  } catch (error) {
    options.signal.throwIfAborted();
    options.log.debug({ error }, 'the event stream broke');
  } finally {
    stream.destroy();
  }
}

/** The error a runtime gives out after its Engine has gone. */
export function engineGone(cause: unknown): DockerConnectionError {
  return new DockerConnectionError('The Docker Engine of this node does not answer any more.', {
    cause,
  });
}
