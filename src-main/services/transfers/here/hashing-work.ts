// Hashing of this computer's files: as they are read to be sent, or right behind what is written, while
// their bytes are still in memory.
import { closeSync, readSync } from 'node:fs';
import { sha256, startDigest, type RunningDigest } from '../digests.ts';
import type { Begin, Further, WholeFile } from './orders.ts';
import { filesPerTurn, openToRead, withFile, type Giving, type Work } from './work.ts';

const part = Buffer.allocUnsafe(1024 * 1024);
/** Read of one file before the others have their turn, and before orders are heard. */
const partsPerTurn = 8;

/** One file, hashed from its beginning as far as it was told. */
export class FollowingWork implements Work {
  readonly #answer: Giving;
  readonly #sum: RunningDigest;
  readonly #file: number;
  #position = 0;
  #goal = 0;
  #isLast = false;
  #isClosed = false;

  constructor({ path, digest }: Extract<Begin, { kind: 'follow' }>, answer: Giving) {
    this.#answer = answer;
    this.#sum = startDigest(digest);
    this.#file = openToRead(path);
  }

  take(order: Further): void {
    if (order.kind !== 'advance') return;
    this.#goal = Math.max(this.#goal, order.to);
    this.#isLast = order.isLast;
  }

  drop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
  }

  turn(): boolean {
    if (this.#isClosed) return false;
    if (this.#readOn()) return true;
    if (this.#isLast) this.#finish();
    return false;
  }

  /** False when it is where it should be, or at the end of the file. */
  #readOn(): boolean {
    for (let turn = 0; turn < partsPerTurn; turn += 1) {
      const length = Math.min(part.length, this.#goal - this.#position);
      const read = length <= 0 ? 0 : readSync(this.#file, part, 0, length, this.#position);
      if (read === 0) return false;
      this.#sum.update(part.subarray(0, read));
      this.#position += read;
    }
    return this.#position < this.#goal;
  }

  #finish(): void {
    this.drop();
    this.#answer({ kind: 'hashes', hashes: [this.#sum.finish()] }, []);
  }
}

/** Small files, one after the other: to open one takes longer than to hash it. */
export class WholeWork implements Work {
  readonly #files: readonly WholeFile[];
  readonly #answer: Giving;
  /** Undefined where each has its own. */
  readonly #together: RunningDigest | undefined;
  readonly #hashes: string[] = [];
  #isDropped = false;
  /** How many are read. */
  done = 0;

  constructor({ files, together }: Extract<Begin, { kind: 'whole' }>, answer: Giving) {
    this.#files = files;
    this.#answer = answer;
    this.#together = together === null ? undefined : startDigest(together);
  }

  turn(): boolean {
    if (this.#isDropped) return false;
    for (const file of this.#files.slice(this.done, this.done + filesPerTurn)) {
      this.#add(file);
      this.done += 1;
    }
    if (this.done < this.#files.length) return true;
    const all = this.#together?.finish();
    this.#answer({ kind: 'hashes', hashes: all === undefined ? this.#hashes : [all] }, []);
    return false;
  }

  take(): void {
    // Once it has begun, nothing more is said.
  }

  drop(): void {
    this.#isDropped = true;
  }

  #add(file: WholeFile): void {
    const sum = this.#together ?? startDigest(sha256);
    readWhole(file, sum);
    if (this.#together === undefined) this.#hashes.push(sum.finish());
  }
}

function readWhole({ path, size }: WholeFile, sum: RunningDigest): void {
  withFile(openToRead(path), (file) => {
    // One byte more than there should be tells that it grew.
    for (let at = 0; at <= size;) {
      const length = Math.min(part.length, size + 1 - at);
      const read = readSync(file, part, 0, length, at);
      if (read === 0) break;
      sum.update(part.subarray(0, read));
      at += read;
      // A file that is read from a disk gives less only at its end.
      if (read < length) break;
    }
  });
}
