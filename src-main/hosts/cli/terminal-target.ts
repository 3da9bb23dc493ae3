import type { Api } from '../../contract/client.ts';
import { isAppError } from '../../contract/errors.ts';
import type { TerminalTarget } from '../../contract/terminals.ts';
import { isFinal, type TaskView } from '../../contract/task.ts';

/**
 * What a person means by a VPS, a task or a node: a task that has not ended, else a node of that
 * name, else whatever the core says of it.
 */
export async function findTarget(api: Api, reference: string): Promise<TerminalTarget> {
  const task = await lookUp(() => api.tasks.get({ task: reference }), 'not-found/task');
  if (task !== undefined && !isFinal(task.status)) return targetOf(task);
  const node = await lookUp(() => api.nodes.get({ node: reference }), 'not-found/node');
  if (node !== undefined) return { kind: 'node', node: node.id };
  return task === undefined ? { kind: 'task', task: reference } : targetOf(task);
}

function targetOf({ id }: TaskView): TerminalTarget {
  return { kind: 'task', task: id };
}

async function lookUp<T>(ask: () => Promise<T>, missing: string): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isAppError(error) && error.code === missing) return undefined;
    throw error;
  }
}
