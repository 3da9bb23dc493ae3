// What is printed by whatever watches: paths in which something happened, a line each. Which of the paths
// that count may be different is found here; one too many does no harm.
import { joinPath, parentPath } from '../files/paths.ts';

/** Said by `inotifywait` when it is ready, and by our own loop. */
const readyLine = 'Watches established.';
/** Said by our own loop, each time it has looked at everything. */
const lookedLine = 'Looked.';

export interface WatchedPaths {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

export interface WatchRead {
  readonly isReady: boolean;
  readonly hasLooked: boolean;
  readonly changed: readonly string[];
}

/** Longer lines are of no path. */
const longestLine = 8192;

export class WatchLines {
  readonly #files: ReadonlySet<string>;
  readonly #folders: ReadonlySet<string>;
  /** Names with line ends come apart: files that have one are told of with their folder, by that folder. */
  readonly #brokenNames: readonly { readonly path: string; readonly folder: string }[];
  #rest = '';

  constructor({ files, folders }: WatchedPaths) {
    this.#files = new Set(files);
    this.#folders = new Set(folders);
    this.#brokenNames = files
      .filter((path) => path.includes('\n'))
      .map((path) => ({ path, folder: parentPath(path.split('\n')[0] ?? path) }));
  }

  /** Takes text as it comes, decoded as names of files are. */
  push(text: string): WatchRead {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-longestLine);
    const changed = new Set<string>();
    for (const line of lines) this.#note(line, changed);
    return {
      isReady: lines.includes(readyLine),
      hasLooked: lines.includes(lookedLine),
      changed: [...changed],
    };
  }

  #note(line: string, changed: Set<string>): void {
    if (!line.startsWith('/')) return;
    const path = joinPath('/', line.replace(/^\/+/, '').replace(/\/+$/, ''));
    if (this.#files.has(path)) changed.add(path);
    if (this.#folders.has(path)) changed.add(path);
    const folder = parentPath(path);
    if (this.#folders.has(folder)) changed.add(folder);
    for (const broken of this.#brokenNames) {
      if (broken.folder === folder) changed.add(broken.path);
    }
  }
}

/** Folders in which something has to be noticed: those that are shown, and those of files. */
export function watchedFolders({ files, folders }: WatchedPaths): string[] {
  return [...new Set([...folders, ...files.map(parentPath)])];
}
