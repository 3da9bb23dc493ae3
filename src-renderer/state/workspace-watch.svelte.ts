// What is open and shown of a workspace, watched by the core for as long as the page is there.
import type { FilePlace } from '../../src-main/contract/files.ts';
import type { WatchNews } from '../../src-main/contract/workspace.ts';
import type { CoreClient } from '../lib/client.ts';
import { jsonLines } from '../lib/json-lines.ts';
import { codeOf } from '../lib/problem.ts';

export interface WatchSet {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

export type WatchState = 'starting' | 'events' | 'looks' | 'lost' | 'impossible';

export interface WatchOwner {
  /** These may be different now. */
  changed: (paths: readonly string[]) => void;
  /** From now on changes are seen: what of these was read before may be old. */
  began: (paths: readonly string[]) => void;
}

const mostFiles = 64;
const mostFolders = 128;
/** Folders are opened and closed in quick succession. */
const settleMs = 300;
const delaysMs = { first: 2000, most: 30_000 };
/** What the system told just before may still be on its way. */
const graceMs = 1500;
/** One that looks may have begun to before another one saw everything; the next time it has not. */
const lastLooks = 2;

/** One stream of news. */
interface Watch {
  readonly abort: AbortController;
  readonly paths: WatchSet;
  how: 'events' | 'looks';
  /** How often it looks before it is left; undefined while it counts. */
  looksLeft?: number;
}

export class WorkspaceWatch {
  readonly #client: CoreClient;
  readonly #place: FilePlace;
  readonly #owner: WatchOwner;
  #state = $state<WatchState>('starting');
  #wanted: WatchSet = { files: [], folders: [] };
  #watched = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #open = new Set<Watch>();
  #current: Watch | undefined;
  #next: Watch | undefined;
  #delayMs = delaysMs.first;

  constructor(client: CoreClient, place: FilePlace, owner: WatchOwner) {
    this.#client = client;
    this.#place = place;
    this.#owner = owner;
  }

  get state(): WatchState {
    return this.#state;
  }

  /** Watches these from now on, and nothing else. */
  follow({ files, folders }: WatchSet): void {
    const next = { files: files.slice(0, mostFiles), folders: folders.slice(0, mostFolders) };
    const isSame = JSON.stringify(next) === JSON.stringify(this.#wanted);
    if (isSame || this.#state === 'impossible') return;
    this.#wanted = next;
    this.#begin(settleMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#leaveAll();
    this.#wanted = { files: [], folders: [] };
    this.#watched = new Set();
    this.#state = 'starting';
  }

  #begin(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#watch(), delayMs);
  }

  /** The one before goes on until this one sees everything, so that nothing is missed between them. */
  async #watch(): Promise<void> {
    this.#next?.abort.abort();
    const own: Watch = { abort: new AbortController(), paths: this.#wanted, how: 'events' };
    this.#next = own;
    this.#open.add(own);
    const { signal } = own.abort;
    const { files, folders } = own.paths;
    try {
      const input = { place: this.#place, files: [...files], folders: [...folders] };
      const stream = this.#client.openStream('workspace.watch', input, { signal });
      for await (const news of jsonLines<WatchNews>(stream)) {
        if (signal.aborted) return;
        this.#take(own, news);
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(own, error);
    } finally {
      this.#open.delete(own);
    }
  }

  #take(own: Watch, news: WatchNews): void {
    if (news.kind === 'watching') this.#took(own, news.how);
    else if (news.kind === 'changed') this.#owner.changed(news.paths);
    else if (own.looksLeft !== undefined) {
      own.looksLeft -= 1;
      if (own.looksLeft === 0) own.abort.abort();
    }
  }

  #took(own: Watch, how: 'events' | 'looks'): void {
    own.how = how;
    if (this.#next === own) {
      if (this.#current !== undefined) leaveSoon(this.#current);
      this.#current = own;
      this.#next = undefined;
    }
    const isBack = this.#state === 'lost';
    this.#state = how;
    this.#delayMs = delaysMs.first;
    const { files, folders } = own.paths;
    const before = isBack ? new Set() : this.#watched;
    const all = [...files, ...folders];
    this.#watched = new Set(all);
    this.#owner.began(all.filter((path) => !before.has(path)));
  }

  #failed(own: Watch, error: unknown): void {
    // One that is about to be left is missed by nobody.
    if (own.looksLeft !== undefined) return;
    this.#leaveAll();
    if (codeOf(error) === 'workspace/missing-tool') {
      this.#state = 'impossible';
      return;
    }
    this.#state = 'lost';
    this.#begin(this.#delayMs);
    this.#delayMs = Math.min(delaysMs.most, this.#delayMs * 2);
  }

  #leaveAll(): void {
    for (const { abort } of this.#open) abort.abort();
    this.#current = undefined;
    this.#next = undefined;
  }
}

function leaveSoon(watch: Watch): void {
  watch.looksLeft = lastLooks;
  if (watch.how === 'events') setTimeout(() => watch.abort.abort(), graceMs);
}
