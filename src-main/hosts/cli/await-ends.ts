import type { ConnectedClient } from '../../contract/client.ts';
import { isFinal, type TaskView } from '../../contract/task.ts';
import type { Call } from './call.ts';

/** Feeds one connection follows at once; many tasks wait in turn, which costs them nothing. */
const mostAtOnce = 64;

/**
 * Resolves with the tasks when all have ended, in the order given. Survives a restart of the core.
 * Throws `not-found/task` when one is removed meanwhile.
 */
export async function awaitEnds(
  call: Call,
  references: readonly string[],
  signal: AbortSignal = call.signal,
): Promise<TaskView[]> {
  const core = await call.connect();
  const ended: TaskView[] = [];
  const waiting = references.entries();
  const one = async (): Promise<void> => {
    for (const [index, task] of waiting) {
      ended[index] = await core.throughLosses((client) => awaitEnd(client, task, signal));
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, references.length) }, one));
  return ended;
}

async function awaitEnd(
  { api }: ConnectedClient,
  task: string,
  signal: AbortSignal,
): Promise<TaskView> {
  for await (const { value } of await api.tasks.watch({ task }, { signal })) {
    // A VPS at rest is waited for no longer: nothing happens to it by itself.
    if (isFinal(value.task.status) || value.task.status === 'STOPPED') return value.task;
  }
  // The feed ends without an end of the task when the task was removed: asking says so.
  return api.tasks.get({ task });
}
