// What `grep -nH --null` prints, as lines that were found: a path, NUL, a number, a colon, the line.
// All of it is data of whoever made the files: a path may hold line ends, a line may be endless or no text.
import type { FindHit } from '../../contract/workspace.ts';
import { textOfBytes } from '../files/path-text.ts';

/** Of one line no more is kept: what is cut off is of files that no person wrote. */
const longestLineBytes = 2000;
const longestPathBytes = 4096;
/** Characters of a line that are told. */
const shownCharacters = 300;
/** How much of it stands before what was found, where that is far into the line. */
const before = 60;

const nul = 0;
const lineEnd = 0x0a;

/** Cuts the output into what was found, with no more in memory than one line. */
export class HitCutter {
  readonly #needle: string;
  #isInPath = true;
  #part: Buffer[] = [];
  #size = 0;
  #path = '';
  #isBroken = false;

  /** @param needle what is looked for, where it is plain text; parts of long lines are chosen by it */
  constructor(needle: string) {
    this.#needle = needle.toLowerCase();
  }

  push(chunk: Buffer): FindHit[] {
    const hits: FindHit[] = [];
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(this.#isInPath ? nul : lineEnd, at);
      this.#keep(chunk.subarray(at, end < 0 ? chunk.length : end));
      if (end < 0) break;
      at = end + 1;
      const hit = this.#take();
      if (hit !== undefined) hits.push(hit);
    }
    return hits;
  }

  /** Beyond the limit it is only counted. */
  #keep(bytes: Buffer): void {
    const room = (this.#isInPath ? longestPathBytes : longestLineBytes) - this.#size;
    this.#size += bytes.length;
    if (this.#isInPath && room < bytes.length) this.#isBroken = true;
    // A copy: the chunk is large, and most of it is not kept.
    if (room > 0 && bytes.length > 0) this.#part.push(Buffer.from(bytes.subarray(0, room)));
  }

  #take(): FindHit | undefined {
    const bytes = Buffer.concat(this.#part);
    this.#part = [];
    this.#size = 0;
    if (this.#isInPath) {
      this.#path = textOfBytes(bytes).replace(/^\.\//, '');
      this.#isInPath = false;
      return undefined;
    }
    this.#isInPath = true;
    const isBroken = this.#isBroken || this.#path === '';
    this.#isBroken = false;
    return isBroken ? undefined : this.#hit(bytes);
  }

  #hit(bytes: Buffer): FindHit | undefined {
    const [, number = '', line = ''] = /^(\d{1,9}):(.*)$/s.exec(bytes.toString('utf8')) ?? [];
    // A line with NUL is of a file that is no text.
    if (number === '' || line.includes('\0')) return undefined;
    return { path: this.#path, line: Number(number), text: this.#shown(line.replace(/\r$/, '')) };
  }

  #shown(line: string): string {
    const at = this.#needle === '' ? -1 : line.toLowerCase().indexOf(this.#needle);
    const from = at + this.#needle.length > shownCharacters ? Math.max(0, at - before) : 0;
    const part = line.slice(from, from + shownCharacters).toWellFormed();
    return `${from > 0 ? '…' : ''}${part}${from + shownCharacters < line.length ? '…' : ''}`;
  }
}
