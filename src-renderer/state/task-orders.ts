// Orders to tasks, one or many: what was done is said in a toast, with what was refused and why.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { Api } from '../lib/client.ts';
import { tasks as words } from '../lib/texts/tasks.ts';
import type { App } from './app.svelte.ts';

export type Order =
  | { kind: 'kill'; isNow?: boolean }
  | { kind: 'pause' | 'resume' | 'hold' | 'release' | 'remove' }
  | { kind: 'priority'; priority: number };

type Results = Awaited<ReturnType<Api['tasks']['kill']>>;

function send(api: Api['tasks'], order: Order, tasks: TaskId[]): Promise<Results> {
  switch (order.kind) {
    case 'kill':
      return api.kill({
        tasks,
        ...(order.isNow === true ? { signal: 'SIGKILL', graceSeconds: 0 } : {}),
      });
    case 'priority':
      return api.setPriority({ tasks, priority: order.priority });
    case 'pause':
      return api.pause({ tasks });
    case 'resume':
      return api.resume({ tasks });
    case 'hold':
      return api.hold({ tasks });
    case 'release':
      return api.release({ tasks });
    case 'remove':
      return api.remove({ tasks });
  }
}

/** Gives an order; true when every task took it. */
export async function giveOrder(app: App, order: Order, ids: Iterable<TaskId>): Promise<boolean> {
  const tasks = [...ids];
  let isAllDone = false;
  await app.attempt(async () => {
    const results = await send(app.client.api.tasks, order, tasks);
    const refused = results.filter(({ ok }) => !ok);
    isAllDone = refused.length === 0;
    if (isAllDone) {
      if (tasks.length > 1)
        app.toasts.done(words.outcome.all(words.done[order.kind], tasks.length));
      return;
    }
    const [first] = refused;
    app.toasts.show({
      tone: 'info',
      title: words.outcome.some(results.length - refused.length, results.length),
      ...(first?.message == null ? {} : { text: first.message }),
    });
  });
  return isAllDone;
}
