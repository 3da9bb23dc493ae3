import { readSync } from 'node:fs';
import { joinPath } from '../../../domain/files/paths.ts';
import { startDigest, type RunningDigest } from '../digests.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar.ts';
import { entriesOf, type TreeEntry } from './columns.ts';
import type { Begin, Further } from './orders.ts';
import { filesPerTurn, openToRead, Passing, withFile, type Giving, type Work } from './work.ts';

const partBytes = 256 * 1024;
/** GNU tar fills its archives up to whole records of this size. */
const recordBytes = 20 * 512;
/** Parts under way to whoever takes them. */
const mostUnderway = 8;

/**
 * One archive of files as they are now, byte by byte as GNU tar makes it of the same names; what cannot be read, or has another size, is told and
 * left out.
 */
export class PackingWork implements Work {
  readonly #directory: string;
  readonly #items: readonly TreeEntry[];
  readonly #answer: Giving;
  readonly #passing: Passing;
  /** Of the archive. */
  readonly #sum: RunningDigest | undefined;
  #given = 0;
  #part = Buffer.allocUnsafeSlow(partBytes);
  #filled = 0;
  #next = 0;
  #underway = 0;
  #isDropped = false;

  constructor(order: Extract<Begin, { kind: 'pack' }>, answer: Giving) {
    this.#directory = order.directory;
    this.#items = entriesOf(order.items);
    this.#answer = answer;
    const { digests } = order;
    this.#passing = new Passing(digests);
    this.#sum = digests.kind === 'archive' ? startDigest(digests.digest) : undefined;
  }

  /** False while it waits to be told that there is room, and at the end. */
  turn(): boolean {
    for (let done = 0; done < filesPerTurn; done += 1) {
      if (this.#isDropped || this.#underway >= mostUnderway) return false;
      const item = this.#items[this.#next];
      if (item === undefined) {
        this.#isDropped = true;
        this.#finish();
        return false;
      }
      this.#add(this.#next, item);
      this.#next += 1;
    }
    return true;
  }

  take(order: Further): void {
    if (order.kind === 'more') this.#underway -= 1;
  }

  drop(): void {
    this.#isDropped = true;
  }

  #add(at: number, item: TreeEntry): void {
    const head = tarHeader({ ...item, name: `./${item.path}` });
    const padding = tarPadding(item.size);
    // One byte more than there should be tells that it grew.
    this.#makeRoom(head.length + item.size + Math.max(1, padding.length));
    const start = this.#filled + head.length;
    let read: number;
    try {
      read = this.#read(item, start);
    } catch (error) {
      this.#passing.failed(at, error);
      return;
    }
    if (read !== item.size) {
      this.#passing.changed(at);
      return;
    }
    head.copy(this.#part, this.#filled);
    padding.copy(this.#part, start + item.size);
    this.#filled = start + item.size + padding.length;
    this.#passing.done(at, this.#part.subarray(start, start + item.size));
  }

  #read({ path, size }: TreeEntry, start: number): number {
    return withFile(openToRead(joinPath(this.#directory, path)), (file) => {
      let read = 0;
      while (read <= size) {
        const more = readSync(file, this.#part, start + read, size + 1 - read, read);
        read += more;
        // Some file systems give less in the middle; at its size it is taken to be at its end.
        if (more === 0 || read === size) break;
      }
      return read;
    });
  }

  #makeRoom(bytes: number): void {
    if (this.#part.length - this.#filled >= bytes) return;
    this.#give();
    if (bytes > this.#part.length) this.#part = Buffer.allocUnsafeSlow(bytes);
  }

  #give(): void {
    const bytes = this.#part.subarray(0, this.#filled);
    this.#underway += 1;
    this.#given += bytes.length;
    this.#sum?.update(bytes);
    this.#answer({ kind: 'packed', bytes, passed: this.#passing.take() }, [this.#part.buffer]);
    this.#part = Buffer.allocUnsafeSlow(partBytes);
    this.#filled = 0;
  }

  #finish(): void {
    this.#makeRoom(tarEnd.length + recordBytes);
    const end = this.#filled + tarEnd.length;
    const beyond = (this.#given + end) % recordBytes;
    const whole = beyond === 0 ? end : end + recordBytes - beyond;
    this.#part.fill(0, this.#filled, whole);
    this.#filled = whole;
    this.#give();
    const hash = this.#sum?.finish() ?? this.#passing.finish();
    this.#answer({ kind: 'ended', hash }, []);
  }
}
