// An end for want of memory that was noted as a mere kill. Kernel and shim tell the Engine of the two by different
// ways: where it hears of the end first, its container says «137, not OOM» for good (containerd issue 8180). What it
// heard afterwards it has among its events.
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { Timers } from '../../domain/clock.ts';
import type { ObservedAttempt } from '../runtime.ts';
import { fromDocker } from './errors.ts';
import type { FoundContainer } from './observed.ts';
import { asReadable } from './reply-stream.ts';

const killedExit = 137;
/** How long after an end the Engine may hear of the memory. */
const lateSeconds = 2;
/** The Engine ends its answer by its own clock; where that is set back meanwhile, it is not waited for. */
const longestWaitMs = 10_000;
/** More of one container's events than there ever are. */
const mostBytes = 64 * 1024;

const eventReply = z.object({ Action: z.string().max(64) });

export interface Asking {
  readonly docker: Dockerode;
  readonly timers: Timers;
}

/** Whether an end may be one for want of memory that was not noted as such: only then the Engine has to be asked. */
export function mayBeOom({ condition, uses }: ObservedAttempt): boolean {
  if (condition.kind !== 'ended' || uses.memoryBytes === 0) return false;
  return condition.end.exitCode === killedExit && !condition.end.oomKilled;
}

/**
 * The attempt with its end told as what the Engine knows of it by its events. Waits for what may still come, two
 * seconds at most, unless somebody ordered the kill. Throws what an Engine that does not answer means.
 */
export async function toldAsOom(
  { docker, timers }: Asking,
  { id, attempt }: Pick<FoundContainer, 'id' | 'attempt'>,
): Promise<ObservedAttempt> {
  const { condition } = attempt;
  if (condition.kind !== 'ended') return attempt;
  const from = condition.startedAt ?? condition.finishedAt;
  const heard = await firstEvent({ docker, timers }, id, {
    since: Math.floor(from / 1000),
    until: Math.ceil(condition.finishedAt / 1000) + lateSeconds,
  });
  if (heard !== 'oom') return attempt;
  return { ...attempt, condition: { ...condition, end: { ...condition.end, oomKilled: true } } };
}

/** Which came first of «oom» and «kill», by the Engine's own clock; undefined when neither did. */
async function firstEvent(
  { docker, timers }: Asking,
  container: string,
  span: { readonly since: number; readonly until: number },
): Promise<'oom' | 'kill' | undefined> {
  try {
    const events = await docker.getEvents({
      ...span,
      filters: { type: ['container'], container: [container], event: ['oom', 'kill'] },
    });
    const stream = asReadable(events);
    const late = new AbortController();
    using _limit = timers.after(longestWaitMs, () => {
      late.abort();
      stream.destroy();
    });
    try {
      let text = '';
      for await (const chunk of stream) {
        text += String(chunk);
        if (text.length > mostBytes) break;
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const action = actionOf(line);
          if (action === 'oom' || action === 'kill') return action;
        }
      }
      return undefined;
    } catch (error) {
      if (late.signal.aborted) return undefined;
      throw error;
    } finally {
      stream.destroy();
    }
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}

function actionOf(line: string): string | undefined {
  try {
    return eventReply.parse(JSON.parse(line)).Action;
  } catch {
    return undefined;
  }
}
