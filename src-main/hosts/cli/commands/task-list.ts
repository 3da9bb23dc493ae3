import { batchId, nodeId } from '../../../contract/ids.ts';
import type { Api } from '../../../contract/client.ts';
import type { TaskFilter, TaskStatus, TaskView } from '../../../contract/task.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { taskJson } from '../shape/task-json.ts';
import { tasksTable } from '../text/task-text.ts';

interface ListOptions {
  status?: readonly TaskStatus[];
  node?: string;
  name?: string;
  label?: readonly [string, string];
  batch?: string;
  limit: number;
  all?: boolean;
}

/** The core gives at most so many at once. */
const windowSize = 500;

export async function listTasks(call: Call<ListOptions>): Promise<void> {
  const { limit, all } = call.options;
  const api = await call.api();
  const filter = await filterOf(api, call.options);
  const { tasks, total } = await read(api, filter, all === true ? Infinity : limit);
  await call.answer(
    () => tasks.map(taskJson),
    () => tasksTable(tasks, { look: call.look, now: call.io.now() }),
  );
  if (total > tasks.length && !call.isJson && call.io.err.isTerminal) {
    await call.say(`${String(tasks.length)} of ${String(total)} tasks; --all shows all.`);
  }
}

/** The newest tasks, window by window. One that moves between windows while they are read is not shown twice. */
async function read(
  api: Api,
  filter: TaskFilter,
  limit: number,
): Promise<{ tasks: TaskView[]; total: number }> {
  const found = new Map<string, TaskView>();
  let offset = 0;
  for (;;) {
    const size = Math.min(windowSize, limit - found.size);
    const { rows, total } = await api.tasks.list({ filter, sort: 'newest', offset, limit: size });
    for (const task of rows) found.set(task.id, task);
    offset += rows.length;
    if (rows.length < size || found.size >= limit) return { tasks: [...found.values()], total };
  }
}

async function filterOf(api: Api, options: ListOptions): Promise<TaskFilter> {
  const { status, node, name, label, batch } = options;
  return {
    ...(status === undefined ? {} : { statuses: [...status] }),
    ...(node === undefined ? {} : { nodeId: nodeId.parse((await api.nodes.get({ node })).id) }),
    ...(name === undefined ? {} : { nameGlob: name }),
    ...(label === undefined ? {} : { label: { key: label[0], value: label[1] } }),
    ...(batch === undefined ? {} : { batchId: wholeBatchId(batch) }),
  };
}

function wholeBatchId(text: string) {
  const parsed = batchId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `"${text}" is not the ID of a batch: give it whole, as "task submit" printed it.`,
  );
}
