// A folder of some place that is worked in: its tree, the files that are open, what is looked for in it.
// It lives on while other pages are shown, so that nothing typed is lost.
import type { FileLocation } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import { joinPath } from '../lib/files/paths.ts';
import { keep, keptOf } from './workspace-kept.ts';
import { WorkspaceFind } from './workspace-find.svelte.ts';
import { WorkspaceTab, type TabOwner } from './workspace-tab.svelte.ts';
import { WorkspaceTree } from './workspace-tree.svelte.ts';
import { WorkspaceWatch } from './workspace-watch.svelte.ts';

export const sideWidths = { least: 180, usual: 260, most: 560 };
/** More are not open at once: the one that was looked at longest ago is closed. */
const mostTabs = 40;
const autosaveMs = 1000;

export interface WorkspaceParts {
  readonly client: CoreClient;
  readonly location: FileLocation;
  /** Identifies it among those this browser knows. */
  readonly key: string;
  readonly failed: (error: unknown) => void;
}

export class Workspace {
  readonly location: FileLocation;
  readonly tree: WorkspaceTree;
  readonly find: WorkspaceFind;
  readonly watch: WorkspaceWatch;
  readonly #key: string;
  readonly #owner: TabOwner;
  readonly #failed: (error: unknown) => void;
  readonly #timers = new Map<WorkspaceTab, ReturnType<typeof setTimeout>>();
  #tabs = $state.raw<readonly WorkspaceTab[]>([]);
  #active = $state.raw<WorkspaceTab | undefined>(undefined);
  #recent: WorkspaceTab[] = [];
  view = $state<'files' | 'find'>('files');
  #sideWidth = $state(sideWidths.usual);
  #isWrapped = $state(false);
  #isAutosaved = $state(false);

  readonly dirtyTabs: readonly WorkspaceTab[] = $derived(
    this.#tabs.filter(({ isDirty }) => isDirty),
  );

  constructor({ client, location, key, failed }: WorkspaceParts) {
    this.location = location;
    this.#key = key;
    this.#failed = failed;
    this.tree = new WorkspaceTree(client, location);
    this.find = new WorkspaceFind(client, location);
    this.watch = new WorkspaceWatch(client, location.place, {
      changed: (paths) => this.#look(paths),
      began: (paths) => this.#look(paths),
    });
    this.#owner = {
      client,
      edited: (tab) => this.#saveSoon(tab),
      saved: () => undefined,
      failed,
    };
    this.#takeUp();
  }

  get tabs(): readonly WorkspaceTab[] {
    return this.#tabs;
  }
  get active(): WorkspaceTab | undefined {
    return this.#active;
  }
  get sideWidth(): number {
    return this.#sideWidth;
  }
  get isWrapped(): boolean {
    return this.#isWrapped;
  }
  get isAutosaved(): boolean {
    return this.#isAutosaved;
  }

  /** Reads what is shown, and watches it until what it returns is called. */
  start(): () => void {
    void this.tree.start().then(() => this.#reveal());
    this.#active?.open();
    for (const tab of this.#tabs) this.#settle(tab.look());
    return () => {
      this.watch.stop();
      this.find.stop();
      this.tree.close();
      if (this.#isAutosaved) for (const tab of this.dirtyTabs) void tab.save({ isAuto: true });
    };
  }

  /** Files and folders in which changes count. */
  get watched(): { readonly files: readonly string[]; readonly folders: readonly string[] } {
    return { files: this.#tabs.map(({ path }) => path), folders: this.tree.shownFolders };
  }

  /** Opens a file, at a line if one is named. */
  open(path: string, line?: number): WorkspaceTab {
    const known = this.#tabs.find((tab) => tab.path === path);
    const tab = known ?? new WorkspaceTab({ ...this.location, path }, this.#owner);
    if (known === undefined) {
      const at = this.#active === undefined ? -1 : this.#tabs.indexOf(this.#active);
      this.#tabs = this.#tabs.toSpliced(at < 0 ? this.#tabs.length : at + 1, 0, tab);
    }
    this.select(tab);
    if (line !== undefined) tab.goTo(line);
    if (this.tree.cursor !== path) void this.tree.reveal(path);
    this.#closeSurplus();
    return tab;
  }

  select(tab: WorkspaceTab): void {
    this.#active = tab;
    this.#recent = [tab, ...this.#recent.filter((each) => each !== tab)];
    tab.open();
    this.#keep();
  }

  /** Closes it, whatever was typed in it. The one looked at before comes to the front. */
  close(tab: WorkspaceTab): void {
    tab.close();
    clearTimeout(this.#timers.get(tab));
    this.#timers.delete(tab);
    this.#tabs = this.#tabs.filter((each) => each !== tab);
    this.#recent = this.#recent.filter((each) => each !== tab);
    if (this.#active === tab) {
      const next = this.#recent[0] ?? this.#tabs.at(-1);
      this.#active = undefined;
      if (next !== undefined) this.select(next);
    }
    this.#keep();
  }

  /** Something has another name now: open files follow, unless something was typed in them. */
  renamed(from: string, to: string): void {
    for (const tab of this.#tabs) {
      const isBelow = tab.path.startsWith(`${from}/`);
      if ((tab.path !== from && !isBelow) || tab.isDirty) continue;
      const wasActive = this.#active === tab;
      const next = new WorkspaceTab(
        { ...this.location, path: to + tab.path.slice(from.length) },
        this.#owner,
      );
      this.#tabs = this.#tabs.map((each) => (each === tab ? next : each));
      this.#recent = this.#recent.map((each) => (each === tab ? next : each));
      tab.close();
      if (wasActive) this.select(next);
    }
    this.#keep();
  }

  /** The path of what was found below the folder. */
  pathOf(below: string): string {
    return joinPath(this.location.path, below);
  }

  resize(width: number): void {
    this.#sideWidth = Math.round(Math.min(sideWidths.most, Math.max(sideWidths.least, width)));
    this.#keep();
  }

  showHidden(isShown: boolean): void {
    this.tree.isHiddenShown = isShown;
    this.#keep();
  }

  wrap(isWrapped: boolean): void {
    this.#isWrapped = isWrapped;
    this.#keep();
  }

  autosave(isAutosaved: boolean): void {
    this.#isAutosaved = isAutosaved;
    if (isAutosaved) for (const tab of this.dirtyTabs) this.#saveSoon(tab);
    this.#keep();
  }

  /** Called when folders were opened or closed. */
  noteFolders(): void {
    this.#keep();
  }

  async #reveal(): Promise<void> {
    if (this.#active !== undefined) await this.tree.reveal(this.#active.path);
  }

  #look(paths: readonly string[]): void {
    const wanted = new Set(paths);
    for (const tab of this.#tabs) if (wanted.has(tab.path)) this.#settle(tab.look());
    const folders = this.tree.shownFolders.filter((path) => wanted.has(path));
    if (folders.length > 0) void this.tree.readAgain(folders);
  }

  /** What cannot be looked at now is looked at again when its place is back. */
  #settle(looking: Promise<void>): void {
    looking.catch((error: unknown) => {
      if (this.watch.state !== 'lost') this.#failed(error);
    });
  }

  #saveSoon(tab: WorkspaceTab): void {
    if (!this.#isAutosaved) return;
    clearTimeout(this.#timers.get(tab));
    this.#timers.set(
      tab,
      setTimeout(() => void tab.save({ isAuto: true }), autosaveMs),
    );
  }

  #closeSurplus(): void {
    const surplus = this.#tabs.length - mostTabs;
    if (surplus <= 0) return;
    const oldest = [...this.#tabs]
      .filter((tab) => tab !== this.#active && !tab.isDirty)
      .sort((a, b) => this.#ageOf(b) - this.#ageOf(a));
    for (const tab of oldest.slice(0, surplus)) this.close(tab);
  }

  #ageOf(tab: WorkspaceTab): number {
    const at = this.#recent.indexOf(tab);
    return at < 0 ? Infinity : at;
  }

  #takeUp(): void {
    const kept = keptOf(this.#key);
    if (kept === undefined) return;
    this.#tabs = kept.tabs.map((path) => new WorkspaceTab({ ...this.location, path }, this.#owner));
    this.#active = this.#tabs.find(({ path }) => path === kept.active) ?? this.#tabs.at(-1);
    this.#recent = this.#active === undefined ? [] : [this.#active];
    this.tree.takeUp(kept.expanded);
    this.tree.isHiddenShown = kept.isHiddenShown;
    this.#sideWidth = kept.sideWidth;
    this.#isWrapped = kept.isWrapped;
    this.#isAutosaved = kept.isAutosaved;
  }

  #keep(): void {
    keep({
      key: this.#key,
      tabs: this.#tabs.map(({ path }) => path).slice(0, mostTabs),
      active: this.#active?.path ?? null,
      expanded: this.tree.expandedFolders.slice(0, 200),
      sideWidth: this.#sideWidth,
      isHiddenShown: this.tree.isHiddenShown,
      isWrapped: this.#isWrapped,
      isAutosaved: this.#isAutosaved,
    });
  }
}
