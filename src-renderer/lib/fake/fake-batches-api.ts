// Batches of the fake core, counted from its tasks.
import {
  batchWindowQuery,
  type BatchView,
  type BatchWindow,
} from '../../../src-main/contract/batches.ts';
import { RequestError } from '../../../src-main/contract/errors.ts';
import { isFinal, type StatusCounts, type TaskView } from '../../../src-main/contract/task.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed } from './fake-feed.ts';
import { fakeTasksApi } from './fake-tasks-api.ts';

function viewOf(tasks: readonly TaskView[]): BatchView | undefined {
  const [first] = tasks;
  if (first === undefined) return undefined;
  const counts: StatusCounts = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  const isOver = tasks.every(({ status }) => isFinal(status));
  const several = first.arrayIndex === null ? 'targets' : 'array';
  return {
    id: first.batchId,
    name: first.name,
    owner: first.owner,
    kind: first.gang ? 'gang' : tasks.length === 1 ? 'single' : several,
    work: first.work,
    firstTask: first.id,
    total: tasks.length,
    counts,
    maxRunning: first.arrayMaxRunning,
    submittedAt: first.submittedAt,
    finishedAt: isOver ? Math.max(...tasks.map(({ finishedAt }) => finishedAt ?? 0)) : null,
  };
}

function groups(core: FakeCore): Map<string, TaskView[]> {
  const found = new Map<string, TaskView[]>();
  for (const task of core.tasks) {
    found.set(task.batchId, [...(found.get(task.batchId) ?? []), task]);
  }
  return found;
}

function mustFind(core: FakeCore, batch: string): BatchView {
  const view = viewOf(groups(core).get(batch) ?? []);
  if (view !== undefined) return view;
  throw new RequestError('not-found/batch', `There is no batch ${batch}.`);
}

function list(core: FakeCore, input: Parameters<Api['batches']['list']>[0]): BatchWindow {
  const query = batchWindowQuery.parse(input);
  const all = [...groups(core).values()]
    .flatMap((tasks) => viewOf(tasks) ?? [])
    .filter((batch) => batch.total >= query.leastTasks)
    .filter((batch) => query.owner === undefined || batch.owner === query.owner)
    .filter((batch) => !query.activeOnly || batch.finishedAt === null)
    .sort((a, b) => b.submittedAt - a.submittedAt);
  const rows = all.slice(query.offset, query.offset + query.limit);
  return { total: all.length, offset: query.offset, rows };
}

/** A view drawn anew whenever a task changed. */
function live<V>(core: FakeCore, look: () => V, signal: AbortSignal | undefined) {
  return fakeFeed({
    snapshot: look,
    subscribe: (push: (change: V) => void) => core.onTask.listen(() => push(look())),
    signal,
  });
}

export function fakeBatchesApi(core: FakeCore): Api['batches'] {
  const tasks = fakeTasksApi(core);
  const active = (batch: string) =>
    (groups(core).get(batch) ?? []).filter(({ status }) => !isFinal(status)).map(({ id }) => id);
  return {
    list: async (input) => list(core, input),
    watchList: async (input, options) => live(core, () => list(core, input), options?.signal),
    get: async ({ batch }) => mustFind(core, batch),
    watch: async ({ batch }, options) => live(core, () => mustFind(core, batch), options?.signal),
    kill: async ({ batch }) => tasks.kill({ tasks: active(batch) }),
    hold: async ({ batch }) => tasks.hold({ tasks: active(batch) }),
    release: async ({ batch }) => tasks.release({ tasks: active(batch) }),
    setPriority: async ({ batch, priority }) =>
      tasks.setPriority({ tasks: active(batch), priority }),
    resubmitFailed: async ({ batch }) => {
      const failed = (groups(core).get(batch) ?? []).filter(
        ({ status }) => isFinal(status) && status !== 'COMPLETED',
      );
      const [first] = failed;
      if (first === undefined)
        throw new RequestError('conflict/state', 'Nothing of it has failed.');
      const indices = failed.map(({ arrayIndex }, index) => arrayIndex ?? index);
      return tasks.submit({ work: first.work, name: first.name, array: { indices } });
    },
  };
}
