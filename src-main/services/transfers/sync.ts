// Bringing one folder in step with another: looking at both ends, and what is to be moved or removed.
// What is moved goes the way of every transfer.
import type { SyncOptions } from '../../contract/sync.ts';
import type { TransferRequest } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { isWithin, joinPath } from '../../domain/files/paths.ts';
import {
  ignoreFileNames,
  IgnoreRules,
  longestIgnoreFile,
} from '../../domain/transfers/ignore-rules.ts';
import { isSame, type Item } from '../../domain/transfers/plan.ts';
import { removalsOf, type Removal } from '../../domain/transfers/sync.ts';
import { eachOf } from '../../link/file-trees.ts';
import { FileError } from '../../link/errors.ts';
import type { FileEntry, RemoteFiles } from '../../link/node-link.ts';
import { absolute } from '../files/file-service.ts';
import type { Root } from '../files/places.ts';
import { TransferError } from './errors.ts';
import { digestFor } from './digests.ts';
import { findTools, hashesOf } from './far-side.ts';
import { scan, type Problem, type Scanned } from './scan.ts';

const lanes = 16;
const hashedTogether = 2000;

export interface SyncParts {
  readonly from: Root;
  readonly to: Root;
  readonly request: TransferRequest;
  readonly sync: SyncOptions;
  readonly signal: AbortSignal;
  /** Files, folders and links at each end. */
  readonly limit: number;
  /** The target takes `A` and `a` for one. */
  readonly isCaseBlind: boolean;
  readonly onFound: (found: { files: number; bytes: number }) => void;
}

export interface SyncPlan {
  readonly fromPath: string;
  readonly toPath: string;
  readonly scanned: Scanned;
  /** What is in the target, without what is ignored there. */
  readonly there: ReadonlyMap<string, FileEntry>;
  readonly same: ReadonlySet<Item>;
  readonly removals: readonly Removal[];
  readonly ignored: number;
}

/** Looks at both ends. Changes nothing. */
export async function planSync(parts: SyncParts): Promise<SyncPlan> {
  const { from, to, request, sync } = parts;
  const fromPath = await absolute(from.files, request.from.paths[0] ?? '');
  const toPath = await absolute(to.files, request.to.path);
  await refuseWithin(parts, fromPath, toPath);
  const rules = new Rules(sync);
  // Rules are those of this computer, whichever way it goes: a node has none to give.
  // To read them, all of the target is looked at first; else only the folders that count.
  const isTargetFirst = sync.ignoreFiles && to.nodeId === undefined && from.nodeId !== undefined;
  const target = new TargetWalk(parts, toPath, rules);
  if (isTargetFirst) await target.run({ enter: rules.enterHere(to.files), into: () => true });
  const scanned = await scan({
    root: from,
    paths: [fromPath],
    recursive: true,
    signal: parts.signal,
    limit: parts.limit,
    onFound: parts.onFound,
    contents: {
      isIgnored: (path, isDirectory) => rules.isIgnored(path, isDirectory),
      ...(from.nodeId === undefined ? { enter: rules.enterHere(from.files) } : {}),
    },
  });
  const items = scanned.sources.flatMap((source) => source.items);
  const folders = new Set(items.filter(isFolder).map(({ path }) => path));
  if (!isTargetFirst) await target.run({ into: (path) => sync.delete || folders.has(path) });
  const { there } = target;
  const removals = sync.delete ? safeRemovals(parts, { scanned, items, target, toPath }) : [];
  const same = await sameItems(items, { ...parts, fromPath, toPath, there });
  return { fromPath, toPath, scanned, there, same, removals, ignored: rules.count };
}

/** The part of files that deciding needs, answered from what was seen. */
export function listingOf({ toPath, there }: SyncPlan): Pick<RemoteFiles, 'list'> {
  const byFolder = Map.groupBy(there, ([path]) => joinPath(toPath, parentOf(path)));
  return {
    list: (path) => Promise.resolve((byFolder.get(path) ?? []).map(([, entry]) => entry)),
  };
}

/** Removes what is to be removed; nothing while anything failed. Resolves with what could not be. */
export async function removeExtra(
  { files }: Root,
  { toPath, removals }: SyncPlan,
  signal: AbortSignal,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const isDirectory = ({ kind }: Removal) => kind === 'directory';
  const tryTo = async (path: string, remove: (path: string) => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await remove(joinPath(toPath, path));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (error.code === 'link/file-not-found') return;
      problems.push({ path, outcome: 'failed', message: `Not removed: ${error.message}` });
    }
  };
  await eachOf(
    removals.filter((one) => !isDirectory(one)),
    lanes,
    ({ path }) => tryTo(path, (each) => files.remove(each)),
  );
  // One after the other: what is in a folder before the folder.
  for (const { path } of removals.filter(isDirectory)) {
    await tryTo(path, (each) => files.removeDirectory(each));
  }
  return problems;
}

/** Ignore rules, with how many things they kept out. */
class Rules {
  readonly #rules: IgnoreRules;
  readonly #useFiles: boolean;
  count = 0;

  constructor({ exclude, ignoreFiles }: SyncOptions) {
    this.#rules = new IgnoreRules(exclude);
    this.#useFiles = ignoreFiles;
  }

  isIgnored(path: string, isDirectory: boolean): boolean {
    const isOut = this.#rules.isIgnored(path, isDirectory);
    if (isOut) this.count += 1;
    return isOut;
  }

  /** The same, without counting it. */
  looksIgnored(path: string, isDirectory: boolean): boolean {
    return this.#rules.isIgnored(path, isDirectory);
  }

  /** Reads the ignore files among the entries of a folder of this computer. */
  enterHere(files: RemoteFiles) {
    return async (folder: string, at: string, entries: readonly FileEntry[]): Promise<void> => {
      if (!this.#useFiles) return;
      for (const name of ignoreFileNames) {
        if (!entries.some((entry) => entry.name === name && entry.kind === 'file')) continue;
        const bytes = await files.readFile(joinPath(at, name), longestIgnoreFile);
        this.#rules.add(folder, bytes.toString('utf8'));
      }
    };
  }
}

interface Walking {
  /** Called with the entries of a folder before any of them is judged. */
  readonly enter?: (folder: string, at: string, entries: readonly FileEntry[]) => Promise<void>;
  readonly into: (folder: string) => boolean;
}

/** What is in the target folder; nothing when it is not there. */
class TargetWalk {
  readonly #parts: SyncParts;
  readonly #root: string;
  readonly #rules: Rules;
  readonly there = new Map<string, FileEntry>();
  readonly ignored: string[] = [];
  #listed = 0;

  constructor(parts: SyncParts, root: string, rules: Rules) {
    this.#parts = parts;
    this.#root = root;
    this.#rules = rules;
  }

  async run({ enter, into }: Walking): Promise<void> {
    const { to, signal } = this.#parts;
    const root = await to.files.stat(this.#root, { follow: true });
    if (root === undefined) return;
    for (let folders = ['']; folders.length > 0;) {
      const below: string[] = [];
      await eachOf(folders, lanes, async (folder) => {
        signal.throwIfAborted();
        const at = joinPath(this.#root, folder);
        const entries = await this.#list(at);
        await enter?.(folder, at, entries);
        below.push(...this.#take(folder, entries).filter(into));
      });
      folders = below;
    }
  }

  /** A listing that never ends is stopped, too. */
  async #list(at: string): Promise<FileEntry[]> {
    const { to, signal, limit } = this.#parts;
    const entries: FileEntry[] = [];
    for await (const batch of to.files.listInBatches(at)) {
      signal.throwIfAborted();
      this.#listed += batch.length;
      if (this.#listed > limit) throw tooMany(limit);
      entries.push(...batch);
    }
    return entries;
  }

  /** Resolves with the folders among them. */
  #take(folder: string, entries: readonly FileEntry[]): string[] {
    const folders: string[] = [];
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const isDirectory = entry.kind === 'directory';
      if (this.#rules.looksIgnored(path, isDirectory)) this.ignored.push(path);
      else {
        this.there.set(path, entry);
        if (isDirectory) folders.push(path);
      }
    }
    return folders;
  }
}

interface Compared {
  readonly from: Root;
  readonly to: Root;
  readonly sync: SyncOptions;
  readonly signal: AbortSignal;
  readonly fromPath: string;
  readonly toPath: string;
  readonly there: ReadonlyMap<string, FileEntry>;
}

/** Files and links that need not be moved. */
async function sameItems(items: readonly Item[], compared: Compared): Promise<Set<Item>> {
  const { there, sync, fromPath, toPath, from, to } = compared;
  const same = new Set<Item>();
  const isLinkAtBoth = ({ kind, path }: Item) =>
    kind === 'link' && there.get(path)?.kind === 'link';
  await eachOf(items.filter(isLinkAtBoth), lanes, async (item) => {
    const [near, far] = await Promise.all([
      from.files.readLink(joinPath(fromPath, item.path)),
      to.files.readLink(joinPath(toPath, item.path)),
    ]);
    if (near === far) same.add(item);
  });
  const files = items.filter((item) => {
    const other = there.get(item.path);
    return item.kind === 'file' && other?.kind === 'file' && other.size === item.size;
  });
  if (sync.compare === 'checksums') await addSameContent(files, same, compared);
  else {
    for (const item of files) {
      const other = there.get(item.path);
      if (other !== undefined && isSame(item, other)) same.add(item);
    }
  }
  return same;
}

/** What cannot be read or hashed at an end is not the same: moving it says why. */
async function addSameContent(
  files: readonly Item[],
  same: Set<Item>,
  { from, to, signal, fromPath, toPath }: Compared,
): Promise<void> {
  const [near, far] = await Promise.all([findTools(from), findTools(to)]);
  const digest = digestFor(near, far);
  const nearEnd = { root: from, tools: near, directory: fromPath, digest, thread: undefined };
  const farEnd = { root: to, tools: far, directory: toPath, digest, thread: undefined };
  for (let at = 0; at < files.length; at += hashedTogether) {
    signal.throwIfAborted();
    const some = files.slice(at, at + hashedTogether);
    const [here, there] = await Promise.all([
      readableHashes(nearEnd, some, signal),
      readableHashes(farEnd, some, signal),
    ]);
    for (const [index, item] of some.entries()) {
      if (here[index] !== undefined && here[index] === there[index]) same.add(item);
    }
  }
}

async function readableHashes(...given: Parameters<typeof hashesOf>) {
  try {
    return await hashesOf(...given);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return [];
  }
}

/** Where something of the source could not be seen, nothing is known to be too much in the target. */
function safeRemovals(
  { isCaseBlind }: SyncParts,
  seen: { scanned: Scanned; items: readonly Item[]; target: TargetWalk; toPath: string },
): Removal[] {
  const { scanned, items, target, toPath } = seen;
  if (scanned.problems.some(({ outcome }) => outcome === 'failed')) return [];
  if (items.length === 0 && target.there.size > 0) {
    throw new TransferError(
      'transfer/refused',
      `There is nothing to bring in step: removing what is not in the source would empty ${shownName(toPath)}. Delete it there if that is meant.`,
      { retry: 'after-user-action' },
    );
  }
  const { there, ignored } = target;
  const unmoved = scanned.problems.map(({ path }) => path);
  return removalsOf({ items, unmoved, there, ignored, isCaseBlind });
}

/** A folder is not brought in step with one it lies in; and nothing is removed from a home or a root. */
async function refuseWithin(
  { from, to, sync }: SyncParts,
  fromPath: string,
  toPath: string,
): Promise<void> {
  const isThere = (await to.files.stat(toPath, { follow: true })) !== undefined;
  const target = isThere ? await to.files.realPath(toPath) : toPath;
  if (JSON.stringify(from.place) === JSON.stringify(to.place)) {
    const source = await from.files.realPath(fromPath);
    if (isWithin(source, target) || isWithin(target, source)) {
      throw refused(`One of ${shownName(fromPath)} and ${shownName(toPath)} lies in the other.`);
    }
  }
  if (!sync.delete) return;
  if (target === '/' || target === (await to.files.realPath('.'))) {
    throw refused(
      `${shownName(toPath)} holds more than one project: what is not in the source is removed only from a folder below it.`,
    );
  }
}

function refused(message: string): TransferError {
  return new TransferError('transfer/refused', message, { retry: 'after-user-action' });
}

function tooMany(limit: number): TransferError {
  return new TransferError(
    'transfer/too-many',
    `There are more files in the target than one sync takes (${String(limit)}). Sync the folders below one by one.`,
    { retry: 'after-user-action' },
  );
}

function isFolder({ kind }: Item): boolean {
  return kind === 'directory';
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
