// The address of a workspace: the place, its folder, and the file that is looked at.
import type { FilePlace } from '../../src-main/contract/files.ts';
import { href } from '../state/router.svelte.ts';

export const workspacePath = ['files', 'workspace'] as const;

export function workspaceQuery(
  place: FilePlace,
  path?: string,
  file?: string,
): Readonly<Record<string, string | undefined>> {
  return {
    ...(place.kind === 'node' ? { node: place.node } : {}),
    ...(place.kind === 'task' ? { task: place.task } : {}),
    path,
    file,
  };
}

/** Without a folder: the one in which a login begins. */
export function workspaceHref(place: FilePlace, path?: string, file?: string): string {
  return href(workspacePath, workspaceQuery(place, path, file));
}
