// Text looked for in the files of a workspace: by file, as it is found.
import type { FileLocation } from '../../src-main/contract/files.ts';
import type { FindHit, FindNews } from '../../src-main/contract/workspace.ts';
import type { CoreClient } from '../lib/client.ts';
import { jsonLines } from '../lib/json-lines.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export interface FoundFile {
  readonly path: string;
  readonly hits: readonly FindHit[];
}

export type FindRow =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly count: number;
      readonly isOpen: boolean;
    }
  | { readonly kind: 'hit'; readonly path: string; readonly hit: FindHit };

/** What was found is shown as it comes, but not anew for every line. */
const showEveryMs = 100;

export class WorkspaceFind {
  readonly #client: CoreClient;
  readonly #location: FileLocation;
  text = $state('');
  isPattern = $state(false);
  isCaseSensitive = $state(false);
  isWord = $state(false);
  isEverywhere = $state(false);
  /** What the results are of; undefined before the first time. */
  #asked = $state.raw<{ text: string; isPattern: boolean } | undefined>(undefined);
  #files = $state.raw<readonly FoundFile[]>([]);
  #closed = $state.raw<ReadonlySet<string>>(new Set());
  #isRunning = $state(false);
  #problem = $state.raw<Problem | undefined>(undefined);
  #end = $state.raw<{ isCut: boolean; unread: number } | undefined>(undefined);
  #abort: AbortController | undefined;

  readonly rows: readonly FindRow[] = $derived.by(() =>
    this.#files.flatMap(({ path, hits }): FindRow[] => {
      const isOpen = !this.#closed.has(path);
      const head = { kind: 'file' as const, path, count: hits.length, isOpen };
      return isOpen ? [head, ...hits.map((hit) => ({ kind: 'hit' as const, path, hit }))] : [head];
    }),
  );
  readonly hitCount = $derived(this.#files.reduce((sum, { hits }) => sum + hits.length, 0));

  constructor(client: CoreClient, location: FileLocation) {
    this.#client = client;
    this.#location = location;
  }

  get asked(): { readonly text: string; readonly isPattern: boolean } | undefined {
    return this.#asked;
  }
  get fileCount(): number {
    return this.#files.length;
  }
  get isRunning(): boolean {
    return this.#isRunning;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  /** How it ended; undefined while it runs, and after it was stopped. */
  get end(): { readonly isCut: boolean; readonly unread: number } | undefined {
    return this.#end;
  }

  toggle(path: string): void {
    const next = new Set(this.#closed);
    if (!next.delete(path)) next.add(path);
    this.#closed = next;
  }

  stop(): void {
    this.#abort?.abort();
    this.#isRunning = false;
  }

  /** Looks for what is typed. */
  async start(): Promise<void> {
    this.stop();
    if (this.text === '') return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#asked = { text: this.text, isPattern: this.isPattern };
    this.#files = [];
    this.#closed = new Set();
    this.#problem = undefined;
    this.#end = undefined;
    this.#isRunning = true;
    try {
      await this.#read(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) this.#problem = toProblem(error);
    } finally {
      if (this.#abort === abort) this.#isRunning = false;
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { text, isPattern, isCaseSensitive, isWord, isEverywhere } = this;
    const input = { ...this.#location, text, isPattern, isCaseSensitive, isWord, isEverywhere };
    const byFile = new Map<string, FindHit[]>();
    const add = (hit: FindHit): void => {
      const hits = byFile.get(hit.path);
      if (hits === undefined) byFile.set(hit.path, [hit]);
      else hits.push(hit);
    };
    const show = (): void => {
      this.#files = [...byFile].map(([path, hits]) => ({ path, hits: [...hits] }));
    };
    let shownAt = 0;
    const stream = this.#client.openStream('workspace.find', input, { signal });
    for await (const news of jsonLines<FindNews>(stream)) {
      if (signal.aborted) return;
      if (news.kind === 'end') this.#end = news;
      else for (const hit of news.hits) add(hit);
      if (performance.now() - shownAt < showEveryMs) continue;
      shownAt = performance.now();
      show();
    }
    if (!signal.aborted) show();
  }
}
