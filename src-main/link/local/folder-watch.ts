// Told by the operating system when something in a folder of this computer changes. Linux tells of one
// folder at a time, so each that counts is watched; what is ignored is not.
import { watch, type FSWatcher } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { Timers } from '../../domain/clock.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { ignoreFileNames, IgnoreRules } from '../../domain/transfers/ignore-rules.ts';
import { FileError } from '../errors.ts';

/** Editors and compilers write several files in a moment: it is over when it was quiet this long. */
const quietMs = 200;
/** What never becomes quiet is told all the same. */
const longestWaitMs = 3000;

export interface FolderWatchOptions {
  readonly exclude: readonly string[];
  readonly useIgnoreFiles: boolean;
  readonly timers: Timers;
}

export class FolderWatch implements Disposable {
  readonly #root: string;
  readonly #options: FolderWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #rules: IgnoreRules;
  #isChanged = false;
  #onChange: () => void = () => undefined;

  constructor(root: string, options: FolderWatchOptions) {
    this.#root = root;
    this.#options = options;
    this.#rules = new IgnoreRules(options.exclude);
  }

  /** Watches folders that are new and lets go of those that are gone. @throws FileError */
  async lookForFolders(): Promise<void> {
    this.#isChanged = false;
    const rules = new IgnoreRules(this.#options.exclude);
    const found = new Set<string>();
    for (const waiting = ['']; waiting.length > 0;) {
      const folder = waiting.pop() ?? '';
      // Before it is read: what is made in it meanwhile is seen.
      if (!this.#watch(folder)) continue;
      found.add(folder);
      waiting.push(...(await this.#foldersIn(folder, rules)));
    }
    this.#rules = rules;
    for (const [folder, watcher] of this.#watchers) {
      if (found.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
  }

  /** Resolves when something has changed since folders were last looked for and it is quiet again; false when aborted. */
  async changed(signal: AbortSignal): Promise<boolean> {
    const { timers } = this.#options;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let quiet: Disposable | undefined;
    let latest: Disposable | undefined;
    const onAbort = () => resolve(false);
    this.#onChange = () => {
      quiet?.[Symbol.dispose]();
      quiet = timers.after(quietMs, () => resolve(true));
      latest ??= timers.after(longestWaitMs, () => resolve(true));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (this.#isChanged) this.#onChange();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#onChange = () => undefined;
      quiet?.[Symbol.dispose]();
      latest?.[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** False when the folder is gone. */
  #watch(folder: string): boolean {
    if (this.#watchers.has(folder)) return true;
    try {
      const watcher = watch(joinPath(this.#root, folder), (event, name) => {
        if (event === 'rename' && name !== null) this.#forget(joinedName(folder, name));
        this.#note(folder, name);
      });
      // A watched folder that is removed is an error on some systems; its own folder tells of it.
      watcher.on('error', () => this.#note(folder, null));
      this.#watchers.set(folder, watcher);
      return true;
    } catch (error) {
      if (isMissing(error) && folder !== '') return false;
      throw cannotWatch(this.#root, error);
    }
  }

  /** A folder that went, or came anew under its name: what watched it sees nothing any more. */
  #forget(path: string): void {
    if (!this.#watchers.has(path)) return;
    for (const [folder, watcher] of this.#watchers) {
      if (folder !== path && !folder.startsWith(`${path}/`)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
  }

  #note(folder: string, name: string | null): void {
    const path = name === null ? undefined : joinedName(folder, name);
    const isIgnored =
      path !== undefined && this.#rules.isIgnored(path, true) && this.#rules.isIgnored(path, false);
    if (isIgnored) return;
    this.#isChanged = true;
    this.#onChange();
  }

  async #foldersIn(folder: string, rules: IgnoreRules): Promise<string[]> {
    const at = joinPath(this.#root, folder);
    try {
      const entries = await readdir(at, { withFileTypes: true });
      for (const name of this.#options.useIgnoreFiles ? ignoreFileNames : []) {
        const isThere = entries.some((entry) => entry.name === name && entry.isFile());
        if (isThere) rules.add(folder, await readFile(joinPath(at, name), 'utf8'));
      }
      return entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => joinedName(folder, entry.name))
        .filter((path) => !rules.isIgnored(path, true));
    } catch (error) {
      // Gone, or not ours to read: the sync itself says so.
      if (isMissing(error)) return [];
      throw cannotWatch(at, error);
    }
  }
}

function joinedName(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES';
}

function cannotWatch(path: string, cause: unknown): FileError {
  const isLimit =
    cause instanceof Error &&
    'code' in cause &&
    (cause.code === 'ENOSPC' || cause.code === 'EMFILE');
  const words = isLimit
    ? `There are more folders in ${path} than may be watched here: ignore those that do not count, or raise fs.inotify.max_user_watches.`
    : `${path} cannot be watched.`;
  return new FileError('link/file-failed', words, { cause, details: { path } });
}
