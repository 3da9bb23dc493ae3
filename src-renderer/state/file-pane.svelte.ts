// One pane of the files page: a folder of some place, its entries as they come, and what is chosen.
import type { FileEntryView, FileLocation, FilePlace } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import { orderOf, type SortKey } from '../lib/files/entry-order.ts';
import { baseName, joinPath, parentPath } from '../lib/files/paths.ts';
import { jsonLines } from '../lib/json-lines.ts';
import { codeOf, toProblem, type Problem } from '../lib/problem.ts';

/** A folder of 100,000 entries is shown while it is read, but not sorted anew for every batch. */
const showEveryMs = 150;

export class FilePane {
  readonly #client: CoreClient;
  #place = $state.raw<FilePlace>({ kind: 'here' });
  #path = $state('');
  #entries = $state.raw<readonly FileEntryView[]>([]);
  #problem = $state.raw<Problem | undefined>(undefined);
  #isLoading = $state(false);
  #selected = $state.raw<ReadonlySet<string>>(new Set());
  #freeBytes = $state<number | null>(null);
  #anchor = 0;
  #abort = new AbortController();
  filter = $state('');
  isHiddenShown = $state(false);
  #sort = $state<SortKey>('name');
  #isReversed = $state(false);
  cursor = $state(0);

  /** What is shown, in order: folders first. */
  readonly shown: readonly FileEntryView[] = $derived.by(() => {
    const text = this.filter.toLowerCase();
    const fits = ({ name }: FileEntryView): boolean =>
      (this.isHiddenShown || !name.startsWith('.')) && name.toLowerCase().includes(text);
    const order = orderOf(this.#sort, this.#isReversed);
    return this.#entries.filter(fits).sort(order);
  });

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get place(): FilePlace {
    return this.#place;
  }
  /** Absolute; empty until a place was opened. */
  get path(): string {
    return this.#path;
  }
  get location(): FileLocation {
    return { place: this.#place, path: this.#path };
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get isLoading(): boolean {
    return this.#isLoading;
  }
  get selected(): ReadonlySet<string> {
    return this.#selected;
  }
  get freeBytes(): number | null {
    return this.#freeBytes;
  }
  get count(): number {
    return this.#entries.length;
  }
  get hiddenCount(): number {
    return this.isHiddenShown ? 0 : this.#entries.filter(({ name }) => name.startsWith('.')).length;
  }
  get sort(): SortKey {
    return this.#sort;
  }
  get isReversed(): boolean {
    return this.#isReversed;
  }

  /** What an order is for: what is chosen, or what the cursor is on where nothing is. */
  readonly chosen: readonly FileEntryView[] = $derived.by(() => {
    const picked = this.shown.filter(({ name }) => this.#selected.has(name));
    const current = this.shown[this.cursor];
    return picked.length > 0 || current === undefined ? picked : [current];
  });

  get chosenPaths(): readonly string[] {
    return this.chosen.map(({ name }) => this.pathOf(name));
  }

  pathOf(name: string): string {
    return joinPath(this.#path, name);
  }

  /** Opens a place, at its home unless a path is given. */
  async open(place: FilePlace, path?: string): Promise<void> {
    const signal = this.#begin();
    this.#place = place;
    this.#path = path ?? '';
    this.#clear();
    try {
      const at = path ?? (await this.#client.api.files.home({ place }, { signal })).path;
      if (!signal.aborted) await this.go(at);
    } catch (error) {
      this.#fail(error, signal);
    }
  }

  /** Reads a folder. What comes late of another is not shown. */
  async go(path: string): Promise<void> {
    const signal = this.#begin();
    const from = this.#path;
    this.#path = path;
    if (path !== from) this.#clear();
    try {
      await this.#read(signal);
      // Going up leaves one where one came from.
      const at = parentPath(from) === path ? this.#indexOf(baseName(from)) : -1;
      if (path !== from && at >= 0) this.cursor = at;
    } catch (error) {
      this.#fail(error, signal);
    } finally {
      if (!signal.aborted) this.#isLoading = false;
    }
  }

  /** Reads it again, or tries its place again. */
  reload(): Promise<void> {
    return this.#path === '' ? this.open(this.#place) : this.go(this.#path);
  }

  up(): Promise<void> {
    return this.go(parentPath(this.#path));
  }

  /** Goes into a folder, or what a link leads to; false when it is no folder. */
  async enter(entry: FileEntryView): Promise<boolean> {
    const path = this.pathOf(entry.name);
    if (entry.kind === 'link') {
      const { targetKind } = await this.#client.api.files.info({ place: this.#place, path });
      if (targetKind !== 'directory') return false;
    } else if (entry.kind !== 'directory') return false;
    await this.go(path);
    return true;
  }

  select(names: Iterable<string>): void {
    this.#selected = new Set(names);
  }

  selectAll(): void {
    this.select(this.shown.map(({ name }) => name));
  }

  /** Chooses one alone, one more (or less), or all from where the last choice began. */
  pick(at: number, how: 'alone' | 'toggle' | 'range'): void {
    const name = this.shown[at]?.name;
    if (name === undefined) return;
    if (how === 'range') {
      const [from, to] = [Math.min(this.#anchor, at), Math.max(this.#anchor, at)];
      this.select(this.shown.slice(from, to + 1).map((each) => each.name));
    } else if (how === 'toggle') {
      const next = new Set(this.#selected);
      if (!next.delete(name)) next.add(name);
      this.#selected = next;
    } else this.select([name]);
    if (how !== 'range') this.#anchor = at;
    this.cursor = at;
  }

  /** Moves the cursor; without Shift, the next range begins there. */
  moveTo(at: number, isRange: boolean): void {
    const next = Math.min(this.shown.length - 1, Math.max(0, at));
    if (isRange) this.pick(next, 'range');
    else this.#anchor = next;
    this.cursor = next;
  }

  /** Puts the cursor on what was just made or renamed. */
  moveToName(name: string): void {
    const at = this.#indexOf(name);
    if (at < 0) return;
    this.pick(at, 'alone');
  }

  sortBy(key: SortKey): void {
    this.#isReversed = this.#sort === key && !this.#isReversed;
    this.#sort = key;
  }

  close(): void {
    this.#abort.abort();
    this.#isLoading = false;
  }

  #begin(): AbortSignal {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#problem = undefined;
    this.#isLoading = true;
    return this.#abort.signal;
  }

  #clear(): void {
    this.#entries = [];
    this.#selected = new Set();
    this.#freeBytes = null;
    this.cursor = 0;
    this.#anchor = 0;
    this.filter = '';
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#entries = [];
    this.#isLoading = false;
    this.#problem = toProblem(error);
  }

  #indexOf(name: string): number {
    return this.shown.findIndex((entry) => entry.name === name);
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { location } = this;
    const found: FileEntryView[] = [];
    let shownAt = performance.now();
    const listing = this.#client.openStream('files.list', location, { signal });
    for await (const batch of jsonLines<FileEntryView[]>(listing)) {
      found.push(...batch);
      if (performance.now() - shownAt < showEveryMs || this.#entries.length > found.length)
        continue;
      shownAt = performance.now();
      this.#entries = [...found];
    }
    if (signal.aborted) return;
    this.#entries = found;
    const names = new Set(found.map(({ name }) => name));
    this.select([...this.#selected].filter((name) => names.has(name)));
    this.cursor = Math.min(this.cursor, Math.max(0, this.shown.length - 1));
    await this.#readDiskUse(location, signal);
  }

  /** Where the far side does not tell, nothing is shown, and nothing else is hidden by that. */
  async #readDiskUse(location: FileLocation, signal: AbortSignal): Promise<void> {
    try {
      const use = await this.#client.api.files.diskUse(location, { signal });
      if (!signal.aborted) this.#freeBytes = use?.freeBytes ?? null;
    } catch (error) {
      if (!codeOf(error).startsWith('link/file-')) throw error;
    }
  }
}
