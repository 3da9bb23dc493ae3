// Deciding for every item what happens to it, by what lies at the other end.
import type { ConflictPolicy } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { baseName, joinPath, parentPath } from '../../domain/files/paths.ts';
import { decide, freeName, type Item, type Present } from '../../domain/transfers/plan.ts';
import type { RemoteFiles } from '../../link/node-link.ts';
import { FileError } from '../../link/errors.ts';
import type { Problem, Source } from './scan.ts';

/** Where everything goes: a folder, and the new name of a single source. */
export interface Target {
  readonly directory: string;
  readonly rename: string | null;
}

/** An item that is to be moved, and where it will lie below the target's folder. */
export interface Placed {
  readonly item: Item;
  readonly to: string;
  /** What is there now, if it is to be replaced. */
  readonly older?: Present | undefined;
}

export interface Placing {
  readonly moves: readonly Placed[];
  /** Tops that nothing is in the way of: they are put in place in one step. */
  readonly whole: ReadonlySet<string>;
  /** Folders that are there. */
  readonly present: ReadonlySet<string>;
  readonly asks: readonly string[];
  readonly problems: readonly Problem[];
  readonly alreadyThere: readonly Item[];
}

export interface PlacingOptions {
  readonly files: Pick<RemoteFiles, 'list'>;
  readonly target: Target;
  readonly policy: ConflictPolicy;
  /** An earlier run may have put some in place. */
  readonly isAgain: boolean;
  /** The other end takes `A` and `a` for one. */
  readonly isCaseBlind: boolean;
  /** Known to be there already. */
  readonly same?: ReadonlySet<Item>;
}

/** Looks at the other end and decides. Changes nothing. */
export async function place(sources: readonly Source[], options: PlacingOptions): Promise<Placing> {
  const placer = new Placer(options);
  for (const source of sources) await placer.add(source);
  return placer.result();
}

class Placer {
  readonly #options: PlacingOptions;
  readonly #moves: Placed[] = [];
  readonly #whole = new Set<string>();
  readonly #present = new Set<string>();
  readonly #asks: string[] = [];
  readonly #problems: Problem[] = [];
  readonly #alreadyThere: Item[] = [];
  readonly #listings = new Map<string, Promise<Map<string, Present>>>();
  readonly #taken = new Set<string>();

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  async add(source: Source): Promise<void> {
    const top = this.#options.target.rename ?? source.name;
    const isNew = (await this.#lookAt(top)) === undefined;
    const before = this.#problems.length;
    /** Folders that cannot be: what is below them cannot be either. */
    const barred: string[] = [];
    for (const item of source.items) {
      const to = top + item.path.slice(source.name.length);
      if (barred.some((folder) => item.path.startsWith(`${folder}/`))) {
        this.#fail(item, 'The folder it belongs into could not be made.');
      } else if (!this.#claim(to)) {
        this.#fail(item, 'Another file differs from it only by upper and lower case.');
        if (item.kind === 'directory') barred.push(item.path);
      } else if (isNew) {
        this.#moves.push({ item, to });
      } else if (!(await this.#decide(item, to)) && item.kind === 'directory') {
        barred.push(item.path);
      }
    }
    if (isNew && this.#problems.length === before) this.#whole.add(top);
  }

  result(): Placing {
    return {
      moves: this.#moves,
      whole: this.#whole,
      present: this.#present,
      asks: this.#asks,
      problems: this.#problems,
      alreadyThere: this.#alreadyThere,
    };
  }

  /** False when nothing may be put there. */
  async #decide(item: Item, to: string): Promise<boolean> {
    if (this.#options.same?.has(item) === true) {
      this.#alreadyThere.push(item);
      return true;
    }
    const there = await this.#lookAt(to);
    const { policy, isAgain } = this.#options;
    const decision = decide(item, there, { policy, isAgain });
    if (item.kind === 'directory' && there?.kind === 'directory') this.#present.add(to);
    switch (decision.kind) {
      case 'move':
        this.#moves.push({ item, to, older: there });
        return true;
      case 'done':
        this.#alreadyThere.push(item);
        return true;
      case 'ask':
        this.#asks.push(item.path);
        return true;
      case 'skip':
        this.#problems.push({ path: item.path, outcome: 'skipped', message: decision.why });
        return true;
      case 'rename':
        this.#moves.push({ item, to: await this.#freePath(to) });
        return true;
      case 'fail':
        this.#fail(item, decision.why);
        return false;
    }
  }

  async #freePath(to: string): Promise<string> {
    const folder = to.includes('/') ? parentPath(to) : '';
    const taken = await this.#listing(folder);
    const below = (name: string) => (folder === '' ? name : joinPath(folder, name));
    const name = freeName(baseName(to), (each) => taken.has(each) || this.#taken.has(below(each)));
    this.#claim(below(name));
    return below(name);
  }

  #claim(to: string): boolean {
    const key = this.#options.isCaseBlind ? to.toLowerCase() : to;
    if (this.#taken.has(key)) return false;
    this.#taken.add(key);
    return true;
  }

  async #lookAt(to: string): Promise<Present | undefined> {
    const folder = to.includes('/') ? parentPath(to) : '';
    return (await this.#listing(folder)).get(baseName(to));
  }

  #listing(folder: string): Promise<Map<string, Present>> {
    const known = this.#listings.get(folder) ?? this.#list(folder);
    this.#listings.set(folder, known);
    return known;
  }

  async #list(folder: string): Promise<Map<string, Present>> {
    // Below what is not there, nothing is.
    if (folder !== '' && !this.#present.has(folder)) return new Map();
    const path = joinPath(this.#options.target.directory, folder);
    try {
      const entries = await this.#options.files.list(path);
      return new Map(entries.map((entry) => [entry.name, entry]));
    } catch (error) {
      if (error instanceof FileError && error.code === 'link/file-not-found') return new Map();
      throw error;
    }
  }

  #fail(item: Item, message: string): void {
    this.#problems.push({ path: item.path, outcome: 'failed', message: shownName(message) });
  }
}
