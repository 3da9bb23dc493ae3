// Putting what has arrived whole in its place: each top that nothing is in the way of in one step,
// everything else file by file.
import type { ConflictPolicy } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { eachOf } from '../../link/file-trees.ts';
import { makeDirectories } from '../files/file-service.ts';
import type { Root } from '../files/places.ts';
import { ItemError } from './errors.ts';
import type { Placed, Placing, Target } from './placing.ts';

const lanes = 24;

export interface Putting {
  readonly to: Root;
  readonly target: Target;
  readonly stage: string;
  readonly placing: Placing;
  readonly arrived: ReadonlySet<Item>;
  readonly policy: ConflictPolicy;
  readonly onProblem: (item: Item, error: ItemError) => void;
}

export async function putInPlace(putting: Putting): Promise<void> {
  const { placing, arrived } = putting;
  const moves = placing.moves.filter(({ item }) => arrived.has(item));
  const isWhole = ({ to: path }: Placed) => placing.whole.has(topOf(path));
  await putTops(moves.filter(isWhole), putting);
  await putIntoPresent(
    moves.filter((move) => !isWhole(move)),
    putting,
  );
}

/** In one step each, with all that is in it. */
async function putTops(moves: readonly Placed[], putting: Putting): Promise<void> {
  const { to, target, stage, placing } = putting;
  const folders = moves.filter(({ item }) => item.kind === 'directory');
  const below = folders.filter(({ to: path }) => !placing.whole.has(path));
  await dressAll(to, below, ({ item }) => joinPath(stage, item.path));
  const tops = moves.filter(({ to: path }) => placing.whole.has(path));
  await eachOf(tops, lanes, async (own) => {
    const paths = { from: joinPath(stage, own.item.path), to: joinPath(target.directory, own.to) };
    const isPut = await putOne(putting, { ...paths, own, isNew: true });
    // Not before: a folder that may not be written to may not be moved either.
    if (isPut && own.item.kind === 'directory') await dress(to, paths.to, own.item);
  });
}

/** Into folders of which some are there already. */
async function putIntoPresent(moves: readonly Placed[], putting: Putting): Promise<void> {
  const { to, target, stage, placing } = putting;
  const placeOf = (path: string) => joinPath(target.directory, path);
  const isNewFolder = ({ item, to: path }: Placed) =>
    item.kind === 'directory' && !placing.present.has(path);
  const newFolders = moves.filter(isNewFolder);
  for (const { to: path } of newFolders) await makeDirectories(to.files, placeOf(path));
  const others = moves.filter(({ item }) => item.kind !== 'directory');
  await eachOf(others, lanes, async (own) => {
    const paths = { from: joinPath(stage, own.item.path), to: placeOf(own.to) };
    await putOne(putting, { ...paths, own, isNew: false });
  });
  await dressAll(to, newFolders, ({ to: path }) => placeOf(path));
}

/** Deepest first: putting something into a folder changes its time, and its mode may close it to us. */
async function dressAll(
  to: Root,
  folders: readonly Placed[],
  pathOf: (folder: Placed) => string,
): Promise<void> {
  const levels = Map.groupBy(folders, ({ to: path }) => path.split('/').length);
  for (const [, level] of [...levels].sort(([a], [b]) => b - a)) {
    await eachOf(level, lanes, (folder) => dress(to, pathOf(folder), folder.item));
  }
}

async function putOne(
  { to: { files }, policy, onProblem }: Putting,
  move: { from: string; to: string; own: Placed; isNew: boolean },
): Promise<boolean> {
  const mayReplace = policy === 'overwrite' || policy === 'newer';
  // Somebody may have made it meanwhile.
  if ((move.isNew || !mayReplace) && (await files.stat(move.to)) !== undefined) {
    const { item } = move.own;
    const why = 'Something of this name appeared meanwhile.';
    onProblem(item, new ItemError(shownName(item.path), why));
    return false;
  }
  await files.rename(move.from, move.to);
  return true;
}

/** Gives a folder its mode and time, once everything is in it. */
async function dress({ files }: Root, path: string, item: Item): Promise<void> {
  await files.setMode(path, item.mode & 0o7777);
  await files.setModified(path, item.modifiedAt);
}

function topOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}
