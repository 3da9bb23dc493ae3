// The folder of its own, beside its target, in which a transfer arrives.
import { bytesOfText, shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { eachOf } from '../../link/file-trees.ts';
import type { FileStat } from '../../link/node-link.ts';
import { makeDirectories } from '../files/file-service.ts';
import type { Root } from '../files/places.ts';
import { TransferError } from './errors.ts';
import { runThere } from './far-side.ts';
import type { TreeOptions } from './here/local-tree.ts';
import type { Placed } from './placing.ts';
import type { End } from './small-files.ts';

/** Folders listed at once; each waits for round trips. */
const lanes = 16;

/** What lies in the folder, by its path there. */
export type Staged = ReadonlyMap<string, FileStat>;

/** The folder in which everything arrives. */
export function stagePath(directory: string, id: string): string {
  return joinPath(directory, `.kohakuriver-${id}.part`);
}

/** More than any transfer has, with its folders: what holds more, or says so without end, is not looked through. */
export const mostStaged = 4_000_000;

/** Of all names together. */
const mostNamesLength = 512 * 1024 * 1024;

/** Makes the folder in which everything arrives, or finds what an earlier run left in it. */
export async function openStage(to: Root, stage: string, signal: AbortSignal): Promise<Staged> {
  const there = await to.files.stat(stage);
  if (there === undefined) {
    await to.files.makeDirectory(stage, 0o700);
    return new Map();
  }
  if (there.kind === 'directory') return stagedTree(to, stage, { signal, limit: mostStaged });
  throw new TransferError('transfer/refused', `${shownName(stage)} is in the way: remove it.`, {
    retry: 'after-user-action',
  });
}

/** Everything below a folder by its path there. @throws TransferError where that never ends */
export async function stagedTree(
  to: Root,
  stage: string,
  { signal, limit }: TreeOptions,
): Promise<Staged> {
  const found = new Map<string, FileStat>();
  let length = 0;
  for (let folders = ['']; folders.length > 0;) {
    const below: string[] = [];
    await eachOf(folders, lanes, async (path) => {
      for await (const batch of to.files.listInBatches(joinPath(stage, path))) {
        signal.throwIfAborted();
        for (const entry of batch) {
          const name = path === '' ? entry.name : `${path}/${entry.name}`;
          found.set(name, entry);
          length += entry.name.length;
          if (entry.kind === 'directory') below.push(name);
        }
        if (found.size > limit || length > mostNamesLength) throw endless(stage);
      }
    });
    folders = below;
  }
  return found;
}

/** Makes the folders that the files to be moved lie in, and those that are moved themselves. */
export async function makeStageDirectories(
  { root, tools, directory }: End,
  moves: readonly Placed[],
  staged: Staged,
): Promise<void> {
  const folders = foldersOf(moves);
  await clearTheWay({ root, directory }, { moves, folders, staged });
  const missing = [...folders].filter((path) => staged.get(path)?.kind !== 'directory').sort();
  // Each costs round trips, or a program in a container: one program for all of them.
  if (tools.shell && missing.length > 3) {
    const names = missing.map((path) => `${joinPath(directory, path)}\0`).join('');
    const make = ['xargs', '-0', 'mkdir', '-p'];
    const { exitCode } = await runThere(root, make, { input: bytesOfText(names) });
    if (exitCode === 0) return;
  }
  for (const path of missing) await makeDirectories(root.files, joinPath(directory, path));
}

function foldersOf(moves: readonly Placed[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { item } of moves) {
    const path = item.kind === 'directory' ? item.path : parentOf(item.path);
    for (let each = path; each !== '' && !folders.has(each); each = parentOf(each)) {
      folders.add(each);
    }
  }
  return folders;
}

/** Removes what a run that was broken off left in the place of what is of another kind now. */
async function clearTheWay(
  { root, directory }: Pick<End, 'root' | 'directory'>,
  given: { moves: readonly Placed[]; folders: ReadonlySet<string>; staged: Staged },
): Promise<void> {
  const { moves, folders, staged } = given;
  // A link in the place of a folder would lead out of the stage.
  for (const path of folders) {
    const there = staged.get(path);
    if (there !== undefined && there.kind !== 'directory')
      await root.files.remove(joinPath(directory, path));
  }
  for (const { item } of moves) {
    if (item.kind !== 'directory' && staged.get(item.path)?.kind === 'directory')
      await root.files.removeTree(joinPath(directory, item.path));
  }
}

function endless(stage: string): TransferError {
  return new TransferError(
    'transfer/failed',
    `${shownName(stage)} holds more than any transfer moves. Remove it and try again.`,
    { retry: 'after-user-action' },
  );
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
