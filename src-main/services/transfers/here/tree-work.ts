import { lstatSync, readdirSync } from 'node:fs';
import { joinPath } from '../../../domain/files/paths.ts';
import { textOfBytes } from '../../../domain/files/path-text.ts';
import { localPath, statOf } from '../../../link/local/local-path.ts';
import { columnsOf, type TreeEntry } from './columns.ts';
import type { Begin } from './orders.ts';
import { filesPerTurn, type Giving, type Work } from './work.ts';

/** Entries told of at once. */
const batchEntries = 2000;

/** Lists a tree, folders before what is in them; links are not followed. Fails with the first folder that cannot be read. */
export class TreeWork implements Work {
  readonly #path: string;
  readonly #limit: number;
  readonly #answer: Giving;
  /** Below the top, still to be looked at. */
  #names: { readonly folder: string; readonly names: string[] }[] = [];
  #found: TreeEntry[] = [];
  #count = 0;
  #isDropped = false;

  constructor({ path, limit }: Extract<Begin, { kind: 'tree' }>, answer: Giving) {
    this.#path = path;
    this.#limit = limit;
    this.#answer = answer;
    this.#enter('');
  }

  /** Throws what a folder cannot be read for. False at the end. */
  turn(): boolean {
    if (this.#isDropped) return false;
    for (let done = 0; done < filesPerTurn; done += 1) {
      const folder = this.#names.at(-1);
      if (folder === undefined) {
        this.#tell();
        this.#answer({ kind: 'ended', hash: null }, []);
        return false;
      }
      const name = folder.names.pop();
      if (name === undefined) this.#names.pop();
      else this.#look(folder.folder === '' ? name : `${folder.folder}/${name}`);
    }
    return true;
  }

  take(): void {
    // Once it has begun, nothing more is said.
  }

  drop(): void {
    this.#isDropped = true;
  }

  #look(path: string): void {
    const stats = lstatSync(localPath(joinPath(this.#path, path)), { throwIfNoEntry: false });
    // What vanished since is not there.
    if (stats === undefined) return;
    const { kind, size, mode, modifiedAt } = statOf(stats);
    this.#found.push({ path, kind, size, mode, modifiedAt });
    this.#count += 1;
    if (this.#count > this.#limit) throw new Error('too many entries');
    if (this.#found.length >= batchEntries) this.#tell();
    if (kind === 'directory') this.#enter(path);
  }

  #enter(path: string): void {
    const folder = localPath(joinPath(this.#path, path));
    const names = readdirSync(folder, { encoding: 'buffer' }).map(textOfBytes);
    this.#names.push({ folder: path, names: names.reverse() });
  }

  #tell(): void {
    const entries = columnsOf(this.#found);
    this.#found = [];
    this.#answer({ kind: 'entries', entries }, [entries.numbers.buffer]);
  }
}
