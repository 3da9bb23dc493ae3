import type { FilePlace } from '../../contract/files.ts';
import { isAppError } from '../../contract/errors.ts';
import type { Call } from './call.ts';
import { UsageError } from './errors.ts';
import type { FileTarget } from './parse/file-target.ts';

/**
 * What a word before the colon means: `here` (the computer of the core), a node, or else a task or
 * VPS. @throws `not-found/node` when it is none of them, `ambiguous/id`.
 */
export async function placeOf(call: Call, remote: string): Promise<FilePlace> {
  if (remote === 'here') return { kind: 'here' };
  const api = await call.api();
  try {
    return { kind: 'node', node: (await api.nodes.get({ node: remote })).id };
  } catch (error) {
    if (!isAppError(error) || error.code !== 'not-found/node') throw error;
    return taskPlace(call, remote, error);
  }
}

async function taskPlace(call: Call, remote: string, noNode: Error): Promise<FilePlace> {
  const api = await call.api();
  try {
    return { kind: 'task', task: (await api.tasks.get({ task: remote })).id };
  } catch (error) {
    throw isAppError(error) && error.code === 'not-found/task' ? noNode : error;
  }
}

/** Where one side of a copy is. @throws UsageError for a path here where the core is elsewhere. */
export async function sideOf(call: Call, target: FileTarget | undefined): Promise<FilePlace> {
  if (target?.kind === 'remote') return placeOf(call, target.remote);
  if (call.isElsewhere) {
    throw new UsageError(
      'The core is on another computer, and copies only what it sees: name its files as here:/path.',
    );
  }
  return { kind: 'here' };
}
