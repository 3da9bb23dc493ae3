// A waiting task was dropped on a GPU: it asks for that place from now on, and can be put back.
import { RequestError } from '../../src-main/contract/errors.ts';
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { TaskAmendment } from '../../src-main/contract/task.ts';
import type { GpuCell } from '../lib/gpus.ts';
import { targetOn } from '../lib/placement-wish.ts';
import { taskTitle } from '../lib/task-words.ts';
import { placement as words } from '../lib/texts/overview.ts';
import type { App } from './app.svelte.ts';

async function amend(app: App, id: TaskId, changes: TaskAmendment): Promise<void> {
  const [result] = await app.client.api.tasks.amend({ tasks: [id], changes });
  if (result?.ok === false)
    throw new RequestError('conflict/state', result.message ?? words.refused);
}

/** Asks for the GPU, with as many more of its node as the task needs. What is refused is said. */
export async function placeOn(
  app: App,
  id: TaskId,
  { cell, ofNode }: { cell: GpuCell; ofNode: readonly GpuCell[] },
): Promise<void> {
  await app.attempt(async () => {
    const task = await app.client.api.tasks.get({ task: id });
    const target = targetOn(task, cell, ofNode);
    if (target === undefined)
      throw new RequestError('task/never-fits', words.tooFew(cell.node.name));
    // A number of GPUs and named ones cannot both be asked for.
    await amend(app, id, { target, gpus: null });
    app.toasts.done(words.done(taskTitle(task), target), {
      label: words.undo,
      run: () =>
        void app.attempt(() => amend(app, id, { target: task.target, gpus: task.gpuRequest })),
    });
  });
}
