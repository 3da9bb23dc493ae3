import type { Call } from '../call.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean } from '../text/clean.ts';

interface OrderResult {
  id: string;
  ok: boolean;
  status: string;
  message: string | null;
}

export interface KillOptions {
  signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP' | 'SIGQUIT' | 'SIGUSR1' | 'SIGUSR2';
  /** Milliseconds. */
  grace?: number;
}

/** `hold`, `release`, `pause`, `resume`, `remove`. */
export function orderTasks(word: 'hold' | 'release' | 'pause' | 'resume' | 'remove') {
  return async (call: Call, references: string[]): Promise<number> => {
    const { tasks } = await call.api();
    return answerOrder(call, await tasks[word]({ tasks: references }), doneWords[word]);
  };
}

const doneWords = {
  hold: 'held',
  release: 'released',
  pause: 'paused',
  resume: 'resumed',
  remove: 'removed',
} as const;

export async function killTasks(call: Call<KillOptions>, references: string[]): Promise<number> {
  const { signal, grace } = call.options;
  const { tasks } = await call.api();
  const results = await tasks.kill({
    tasks: references,
    signal,
    ...(grace === undefined ? {} : { graceSeconds: Math.ceil(grace / 1000) }),
  });
  return answerOrder(call, results, 'told to end');
}

export async function setPriority(
  call: Call,
  reference: string,
  priority: number,
): Promise<number> {
  const { tasks } = await call.api();
  const results = await tasks.setPriority({ tasks: [reference], priority });
  return answerOrder(call, results, `priority ${String(priority)}`);
}

/** Fails when any of them could not be done. */
export async function answerOrder(
  call: Call,
  results: readonly OrderResult[],
  doneWord: string,
): Promise<number> {
  if (call.isJson) await call.line(results);
  else {
    for (const { id, ok, status, message } of results) {
      const words = ok ? `${doneWord} (${status})` : `not ${doneWord} (${status})`;
      await call.say(`${id}: ${words}${message === null ? '' : `. ${clean(message)}`}`);
    }
  }
  return results.every(({ ok }) => ok) ? exitCodes.done : exitCodes.failed;
}
