// Looking at what is to be moved: every file, folder and link below the sources.
import { shownName } from '../../domain/files/path-text.ts';
import { baseName, joinPath, parentPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { FileError } from '../../link/errors.ts';
import { eachOf } from '../../link/file-trees.ts';
import type { FileEntry, FileStat } from '../../link/node-link.ts';
import { absolute } from '../files/file-service.ts';
import type { Root } from '../files/places.ts';
import { HostileSourceError, TransferError } from './errors.ts';
import type { TreeEntry } from './here/columns.ts';
import { wholeTree, type ListTree } from './tree.ts';

/** One thing that was named to be moved, with all that is below it; folders before what is in them. */
export interface Source {
  /** Where it lies: paths of items are below this. */
  readonly directory: string;
  /** Its own name, and the first part of every item's path. */
  readonly name: string;
  readonly items: readonly Item[];
}

export interface Problem {
  readonly path: string;
  readonly outcome: 'failed' | 'skipped';
  readonly message: string;
}

export interface Scanned {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
}

/** More than that is not one transfer. A server that never ends its listing is stopped by it as well. */
export const mostItems = 1_000_000;
const deepest = 512;
/** Of all paths together: a server may make names long and folders deep without end. */
const mostPathLength = 512 * 1024 * 1024;
/** Folders listed at once. */
const lanes = 16;

type Looked = Pick<FileStat, 'kind' | 'size' | 'mode' | 'modifiedAt'>;

interface Found {
  /** Below the source's own folder. */
  readonly path: string;
  readonly stat: Looked;
  /** Where it is. */
  readonly at: string;
}

export interface ScanOptions {
  readonly root: Root;
  readonly paths: readonly string[];
  readonly recursive: boolean;
  readonly signal: AbortSignal;
  readonly onFound: (found: { files: number; bytes: number }) => void;
  /** Files, folders and links in one transfer. */
  readonly limit: number;
  /** What is in the folders named is moved, and not they themselves. */
  readonly contents?: Contents;
  /** Where whole trees can be listed in one go. */
  readonly listTree?: ListTree;
}

export interface Contents {
  /** Left alone, and what is below it is not looked at. Paths are below the folder named. */
  readonly isIgnored: (path: string, isDirectory: boolean) => boolean;
  /** Called with the entries of a folder before any of them is asked about. */
  readonly enter?: (folder: string, at: string, entries: readonly FileEntry[]) => Promise<void>;
}

/** Walks the sources without following links. Throws when a source itself is not there. */
export async function scan(options: ScanOptions): Promise<Scanned> {
  return new Scan(options).run();
}

class Scan {
  readonly #options: ScanOptions;
  readonly #problems: Problem[] = [];
  #items: Item[] = [];
  #count = 0;
  #listed = 0;
  #files = 0;
  #bytes = 0;
  #pathLength = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  async run(): Promise<Scanned> {
    const sources: Source[] = [];
    for (const given of this.#options.paths) {
      const path = await absolute(this.#options.root.files, given);
      const { contents } = this.#options;
      if (contents === undefined) sources.push(await this.#source(path));
      else sources.push(...(await this.#contents(path, contents)));
    }
    return { sources, problems: this.#problems };
  }

  async #source(path: string): Promise<Source> {
    const { root, recursive } = this.#options;
    const name = baseName(path);
    if (name === '') {
      throw new TransferError(
        'transfer/refused',
        'A whole file system is not moved: name a folder.',
      );
    }
    const stat = await root.files.stat(path);
    if (stat === undefined) {
      throw new FileError('link/file-not-found', `There is no ${shownName(path)}.`, {
        details: { path: shownName(path) },
      });
    }
    if (stat.kind === 'directory' && !recursive) {
      throw new TransferError(
        'transfer/refused',
        `${shownName(path)} is a folder: it is moved only when folders are asked for (-r).`,
        { retry: 'after-user-action' },
      );
    }
    await this.#tree({ path: name, stat, at: path });
    return { directory: parentPath(path), name, items: this.#items };
  }

  /** Each thing in a folder is a source of its own. */
  async #contents(directory: string, contents: Contents): Promise<Source[]> {
    const { files } = this.#options.root;
    const stat = await files.stat(directory, { follow: true });
    if (stat?.kind !== 'directory') {
      throw new FileError('link/file-not-found', `There is no folder ${shownName(directory)}.`, {
        details: { path: shownName(directory) },
      });
    }
    const entries: FileEntry[] = [];
    await this.#list(directory, entries);
    const sources: Source[] = [];
    await contents.enter?.('', directory, entries);
    for (const entry of entries) {
      const { name } = entry;
      if (contents.isIgnored(name, entry.kind === 'directory')) continue;
      await this.#tree({ path: name, stat: entry, at: joinPath(directory, name) });
      sources.push({ directory, name, items: this.#items });
    }
    return sources.filter(({ items }) => items.length > 0);
  }

  /** Level by level, several folders of each at once: every listing waits for round trips. */
  async #tree(top: Found): Promise<void> {
    this.#items = [];
    this.#add(top);
    if (top.stat.kind === 'directory' && (await this.#wholeTree(top))) return;
    let folders = top.stat.kind === 'directory' ? [top] : [];
    for (let depth = 0; folders.length > 0; depth += 1) {
      const below: Found[] = [];
      await eachOf(folders, lanes, async (folder) => {
        if (depth > deepest) this.#fail(folder.path, 'The folders below it never end.');
        else below.push(...(await this.#below(folder)));
      });
      folders = below;
    }
  }

  /** False when it has to be walked through. */
  async #wholeTree({ path, at }: Found): Promise<boolean> {
    const { listTree, contents, signal, limit, onFound } = this.#options;
    if (listTree === undefined || contents !== undefined) return false;
    let [files, bytes] = [this.#files, this.#bytes];
    const onSome = (some: readonly TreeEntry[]) => {
      for (const { kind, size } of some) {
        if (kind !== 'file') continue;
        files += 1;
        bytes += size;
      }
      onFound({ files, bytes });
    };
    const options = { signal, limit: limit - this.#count, onSome };
    const entries = await wholeTree(listTree, at, options);
    if (entries === undefined) return false;
    for (const entry of entries) {
      const below = `${path}/${entry.path}`;
      this.#add({ path: below, stat: entry, at: joinPath(at, entry.path) });
    }
    onFound({ files: this.#files, bytes: this.#bytes });
    return true;
  }

  /** Takes what is in a folder; resolves with the folders among it. */
  async #below({ path, at }: Found): Promise<Found[]> {
    const folders: Found[] = [];
    const entries = await this.#entries(path, at);
    const { contents } = this.#options;
    await contents?.enter?.(path, at, entries);
    for (const entry of entries) {
      const isDirectory = entry.kind === 'directory';
      const found = { path: `${path}/${entry.name}`, stat: entry, at: joinPath(at, entry.name) };
      if (contents?.isIgnored(found.path, isDirectory) === true) continue;
      this.#add(found);
      if (isDirectory) folders.push(found);
    }
    return folders;
  }

  #add({ path, stat }: Found): void {
    if (stat.kind === 'other') {
      this.#skip(path, 'It is a device, a socket or a pipe, which are not moved.');
    } else {
      this.#take(path, stat);
    }
  }

  #take(path: string, { kind, size, mode, modifiedAt }: Looked): void {
    if (kind === 'other') return;
    this.#count += 1;
    this.#pathLength += path.length;
    if (this.#count > this.#options.limit || this.#pathLength > mostPathLength)
      throw this.#tooMany();
    this.#items.push({ path, kind, size: kind === 'file' ? size : 0, mode, modifiedAt });
    if (kind !== 'file') return;
    this.#files += 1;
    this.#bytes += size;
  }

  /** Of one folder; where the reading breaks off, what was read counts. */
  async #entries(path: string, at: string): Promise<FileEntry[]> {
    const { onFound } = this.#options;
    const entries: FileEntry[] = [];
    try {
      await this.#list(at, entries);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#fail(path, error.message);
    }
    onFound({ files: this.#files, bytes: this.#bytes });
    return entries;
  }

  #tooMany(): TransferError {
    return new TransferError(
      'transfer/too-many',
      `There are more files than one transfer takes (${String(this.#options.limit)}). Move the folders below one by one.`,
      { retry: 'after-user-action' },
    );
  }

  /** A name twice in one listing is a lie that could make two things meet. */
  async #list(at: string, entries: FileEntry[]): Promise<void> {
    const { root, signal, limit } = this.#options;
    const names = new Set<string>();
    for await (const batch of root.files.listInBatches(at)) {
      signal.throwIfAborted();
      for (const entry of batch) {
        if (names.has(entry.name)) throw new HostileSourceError('it lists a name twice');
        names.add(entry.name);
        entries.push(entry);
      }
      // What is ignored counts as well, in all folders together: a listing may never end.
      this.#listed += batch.length;
      if (this.#listed > limit) throw this.#tooMany();
    }
  }

  #skip(path: string, message: string): void {
    this.#problems.push({ path, outcome: 'skipped', message });
  }

  #fail(path: string, message: string): void {
    this.#problems.push({ path, outcome: 'failed', message });
  }
}
