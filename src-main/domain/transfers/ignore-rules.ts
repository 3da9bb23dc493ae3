// What a sync leaves alone: by patterns given with it, and by ignore files as git reads them.
import ignore, { type Ignore } from 'ignore';

/** Files of patterns; of two that speak of the same, the later named wins. */
export const ignoreFileNames = ['.gitignore', '.kohakuriverignore'] as const;
/** What a transfer is moving lies in such folders; it is never part of anything. */
const underWay = /^\.kohakuriver-[^/]+\.part$/;

/** Longer files of patterns are not read: each pattern is tried on every path. */
export const longestIgnoreFile = 256 * 1024;

// Paths here are those of a walk: no «..» is in them, but a folder may be called «...».
const asGit = { allowRelativePaths: true, ignorecase: false } as const;

/** Rules that grow while a tree is walked: those of a folder are added before what is in it is asked about. */
export class IgnoreRules {
  readonly #excluded: Ignore;
  readonly #byFolder = new Map<string, Ignore>();

  constructor(exclude: readonly string[]) {
    this.#excluded = ignore(asGit).add([...exclude]);
  }

  /** Adds the text of an ignore file that lies in a folder; the root's path is empty. */
  add(folder: string, text: string): void {
    const rules = this.#byFolder.get(folder) ?? ignore(asGit);
    rules.add(text);
    this.#byFolder.set(folder, rules);
  }

  /**
   * Whether a path below the root is left alone. The folders above it are taken not to be: a walk
   * does not go into those that are.
   */
  isIgnored(path: string, isDirectory: boolean): boolean {
    if (underWay.test(path.slice(path.lastIndexOf('/') + 1))) return true;
    const ending = isDirectory ? '/' : '';
    if (this.#excluded.ignores(path + ending)) return true;
    // The rules of the nearest folder win.
    for (let folder = parentOf(path); ; folder = parentOf(folder)) {
      const below = folder === '' ? path : path.slice(folder.length + 1);
      const found = this.#byFolder.get(folder)?.test(below + ending);
      if (found?.ignored === true) return true;
      if (found?.unignored === true || folder === '') return false;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
