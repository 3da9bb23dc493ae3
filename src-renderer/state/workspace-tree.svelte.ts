// The folders of a workspace: each is read when it is first opened, and shown as rows, one below the other.
import type { FileEntryView, FilePlace } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import { orderOf } from '../lib/files/entry-order.ts';
import { joinPath, parentPath } from '../lib/files/paths.ts';
import { jsonLines } from '../lib/json-lines.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

/** More entries of one folder are not shown: nobody looks through them in a tree. */
export const mostEntries = 20_000;
/** Requests under way at once when much is read anew. */
const atOnce = 4;

interface Folder {
  readonly entries: readonly FileEntryView[];
  readonly isCut: boolean;
  readonly isReading: boolean;
  readonly problem: Problem | undefined;
}

export interface EntryRow {
  readonly kind: 'entry';
  readonly path: string;
  readonly entry: FileEntryView;
  readonly depth: number;
  readonly isFolder: boolean;
  readonly isExpanded: boolean;
  readonly isReading: boolean;
  /** Its place among its siblings, from one, and how many they are. */
  readonly at: number;
  readonly of: number;
}

/** Something to say about a folder, below it. */
export interface NoteRow {
  readonly kind: 'note';
  readonly path: string;
  readonly depth: number;
  readonly note: 'empty' | 'cut' | Problem;
}

export type TreeRow = EntryRow | NoteRow;

const order = orderOf('name');

interface Reading {
  readonly turn: AbortController;
  readonly done: Promise<void>;
  /** The one after it, once somebody has asked. */
  next: Promise<void> | undefined;
}

export class WorkspaceTree {
  readonly #client: CoreClient;
  readonly #place: FilePlace;
  readonly root: string;
  #folders = $state.raw<ReadonlyMap<string, Folder>>(new Map());
  #expanded = $state.raw<ReadonlySet<string>>(new Set());
  /** Links that lead to folders: known once they were opened. */
  #linkedFolders = $state.raw<ReadonlySet<string>>(new Set());
  readonly #readings = new Map<string, Reading>();
  isHiddenShown = $state(false);
  /** The row the keys are on. */
  cursor = $state('');

  readonly rows: readonly TreeRow[] = $derived.by(() => {
    const rows: TreeRow[] = [];
    this.#addRows(this.root, 1, rows);
    return rows;
  });

  constructor(client: CoreClient, { place, path }: { place: FilePlace; path: string }) {
    this.#client = client;
    this.#place = place;
    this.root = path;
  }

  get isReading(): boolean {
    return this.#folders.get(this.root)?.isReading ?? true;
  }
  get problem(): Problem | undefined {
    return this.#folders.get(this.root)?.problem;
  }
  get isEmpty(): boolean {
    return this.rows.length === 0 || this.rows[0]?.kind === 'note';
  }

  /** Folders of which the entries are shown. */
  get shownFolders(): readonly string[] {
    return [...this.#folders.keys()].filter((path) => path === this.root || this.#isShown(path));
  }

  get expandedFolders(): readonly string[] {
    return [...this.#expanded];
  }

  /** Opens folders that were open before; each is read when it is shown. */
  takeUp(expanded: readonly string[]): void {
    this.#expanded = new Set(expanded);
  }

  isFolder(path: string, entry: FileEntryView): boolean {
    return entry.kind === 'directory' || this.#linkedFolders.has(path);
  }

  /** The folder in which something new would be made: that of the cursor, or the one it is on. */
  get folderOfCursor(): string {
    const row = this.rows.find(({ path, kind }) => path === this.cursor && kind === 'entry');
    if (row?.kind !== 'entry') return this.root;
    return row.isFolder && row.isExpanded ? row.path : parentPath(row.path);
  }

  get cursorRow(): EntryRow | undefined {
    const row = this.rows.find(({ path, kind }) => path === this.cursor && kind === 'entry');
    return row?.kind === 'entry' ? row : undefined;
  }

  /** Reads everything that is shown, from the root down. */
  async start(): Promise<void> {
    await this.read(this.root);
    const below = [...this.#expanded].sort((a, b) => a.length - b.length);
    for (const path of below) {
      const isThere = this.rows.some((row) => row.kind === 'entry' && row.path === path);
      // One that was removed meanwhile is not open any more.
      if (isThere) await this.read(path);
      else this.collapse(path);
    }
  }

  /** Opens or closes a folder. False where it is none: a link may lead to a file. */
  async toggle(row: EntryRow): Promise<boolean> {
    if (row.isExpanded) this.collapse(row.path);
    else return this.expand(row);
    return true;
  }

  async expand({ path, entry }: EntryRow): Promise<boolean> {
    if (entry.kind === 'link' && !this.#linkedFolders.has(path)) {
      const { targetKind } = await this.#client.api.files.info({ place: this.#place, path });
      if (targetKind !== 'directory') return false;
      this.#linkedFolders = new Set(this.#linkedFolders).add(path);
    } else if (!this.isFolder(path, entry)) return false;
    this.#expanded = new Set(this.#expanded).add(path);
    if (this.#folders.get(path)?.problem !== undefined || !this.#folders.has(path)) {
      await this.read(path);
    }
    return true;
  }

  collapse(path: string): void {
    this.#expanded = new Set([...this.#expanded].filter((each) => each !== path));
  }

  collapseAll(): void {
    this.#expanded = new Set();
    this.cursor = '';
  }

  /** Opens every folder on the way to a path, and puts the cursor on it. */
  async reveal(path: string): Promise<void> {
    const above: string[] = [];
    for (let at = parentPath(path); at.length > this.root.length; at = parentPath(at)) {
      above.unshift(at);
    }
    if (!path.startsWith(this.root)) return;
    this.#expanded = new Set([...this.#expanded, ...above]);
    for (const folder of above) if (!this.#folders.has(folder)) await this.read(folder);
    this.cursor = path;
  }

  /** Reads folders again that are shown; of others, what was read is forgotten. */
  async readAgain(paths: readonly string[] = [...this.#folders.keys()]): Promise<void> {
    const known = paths.filter((path) => this.#folders.has(path));
    const shown = new Set(this.shownFolders);
    const kept = [...this.#folders].filter(([path]) => shown.has(path) || !known.includes(path));
    this.#folders = new Map(kept);
    const waiting = known.filter((path) => shown.has(path));
    const lane = async (): Promise<void> => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        await this.read(path);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }

  /**
   * Reads a folder. Asked for while it is being read, it is read once more after that, for all who asked
   * meanwhile: one that changes faster than it can be listed is still listed to its end.
   */
  read(path: string): Promise<void> {
    const running = this.#readings.get(path);
    if (running === undefined) return this.#begin(path);
    running.next ??= running.done.then(() =>
      running.turn.signal.aborted ? undefined : this.read(path),
    );
    return running.next;
  }

  #begin(path: string): Promise<void> {
    const turn = new AbortController();
    const done = this.#readOnce(path, turn).finally(() => {
      if (this.#readings.get(path) === reading) this.#readings.delete(path);
    });
    const reading: Reading = { turn, done, next: undefined };
    this.#readings.set(path, reading);
    return done;
  }

  async #readOnce(path: string, turn: AbortController): Promise<void> {
    const before = this.#folders.get(path);
    const entries = before?.entries ?? [];
    this.#put(path, {
      entries,
      isCut: before?.isCut ?? false,
      isReading: true,
      problem: undefined,
    });
    try {
      const found = await this.#entriesOf(path, turn.signal);
      if (!turn.signal.aborted) this.#put(path, { ...found, isReading: false, problem: undefined });
    } catch (error) {
      if (turn.signal.aborted) return;
      const problem = toProblem(error);
      this.#put(path, { entries: [], isCut: false, isReading: false, problem });
    }
  }

  close(): void {
    for (const { turn } of this.#readings.values()) turn.abort();
    this.#readings.clear();
  }

  async #entriesOf(
    path: string,
    signal: AbortSignal,
  ): Promise<{ entries: readonly FileEntryView[]; isCut: boolean }> {
    const entries: FileEntryView[] = [];
    const listing = this.#client.openStream('files.list', { place: this.#place, path }, { signal });
    for await (const batch of jsonLines<FileEntryView[]>(listing)) {
      entries.push(...batch);
      // Leaving the loop ends the listing at its source.
      if (entries.length > mostEntries) return { entries: sorted(entries), isCut: true };
    }
    return { entries: sorted(entries), isCut: false };
  }

  #put(path: string, folder: Folder): void {
    this.#folders = new Map(this.#folders).set(path, folder);
  }

  #isShown(path: string): boolean {
    for (let at = path; at.length > this.root.length; at = parentPath(at)) {
      if (!this.#expanded.has(at)) return false;
    }
    return true;
  }

  #addRows(folder: string, depth: number, rows: TreeRow[]): void {
    const read = this.#folders.get(folder);
    if (read === undefined) return;
    const note = (text: NoteRow['note']): void => {
      rows.push({ kind: 'note', path: `${folder}/`, depth, note: text });
    };
    if (read.problem !== undefined) note(read.problem);
    const shown = read.entries.filter(({ name }) => this.isHiddenShown || !name.startsWith('.'));
    if (shown.length === 0 && !read.isReading && read.problem === undefined) note('empty');
    shown.forEach((entry, at) => {
      const path = joinPath(folder, entry.name);
      const isExpanded = this.#expanded.has(path);
      const isReading = isExpanded && this.#folders.get(path)?.isReading === true;
      const isFolder = this.isFolder(path, entry);
      const place = { at: at + 1, of: shown.length };
      rows.push({ kind: 'entry', path, entry, depth, isFolder, isExpanded, isReading, ...place });
      if (isExpanded) this.#addRows(path, depth + 1, rows);
    });
    if (read.isCut) note('cut');
  }
}

function sorted(entries: readonly FileEntryView[]): readonly FileEntryView[] {
  return entries.slice(0, mostEntries).sort(order);
}
