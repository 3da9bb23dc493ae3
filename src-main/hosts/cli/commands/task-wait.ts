import type { Call } from '../call.ts';
import { awaitEnds } from '../await-ends.ts';
import { exitCodes, exitCodeOfTask, firstFailure } from '../exit-codes.ts';
import { taskJson } from '../shape/task-json.ts';
import { endText } from '../text/task-text.ts';

/** `task wait`: the tasks once all have ended; 124 when that takes too long. */
export async function waitForTasks(
  call: Call<{ timeout?: number }>,
  references: string[],
): Promise<number> {
  const { timeout } = call.options;
  const late = new AbortController();
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => late.abort(new TooLate()), Math.min(timeout, longestTimerMs));
  try {
    const signal = AbortSignal.any([call.signal, late.signal]);
    const ended = await Promise.race([awaitEnds(call, references, signal), aborted(late.signal)]);
    await call.answer(
      () => ended.map(taskJson),
      () => ended.map((task) => endText(task, call.paint)).join(''),
    );
    return firstFailure(ended.map(exitCodeOfTask));
  } catch (error) {
    if (!(error instanceof TooLate)) throw error;
    await call.say('Not all of them have ended in this time; they go on.');
    return exitCodes.timeout;
  } finally {
    clearTimeout(timer);
  }
}

/** Past this a timer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

class TooLate extends Error {}

/** A wait for a core that is away does not see the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
