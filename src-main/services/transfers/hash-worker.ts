// Entry of the thread that hashes files of this computer: as they are read to be sent, or right behind
// what is written, while their bytes are still in memory.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { sha256, startDigest, type Digest, type RunningDigest } from './digests.ts';
import type { HashedPath, HashOrder, HashReport, WholeFile } from './local-hashes.ts';

const port = parentPort;
if (port === null) throw new Error('hash-worker runs as a worker thread only');
const report = (message: HashReport): void => port.postMessage(message);

const part = Buffer.allocUnsafe(1024 * 1024);
/** Read of one file before the others have their turn, and before orders are heard. */
const partsPerTurn = 8;
const filesPerTurn = 50;

/** One file, hashed from its beginning as far as it was told. */
class Running {
  readonly #id: number;
  readonly #file: number;
  readonly #sum: RunningDigest;
  #position = 0;
  #goal = 0;
  #isLast = false;
  #isUnderWay = false;
  #isClosed = false;

  constructor(id: number, path: HashedPath, digest: Digest) {
    this.#id = id;
    this.#sum = startDigest(digest);
    this.#file = opened(path);
  }

  advance(goal: number, isLast: boolean): void {
    this.#goal = Math.max(this.#goal, goal);
    this.#isLast = isLast;
    if (!this.#isUnderWay) this.#turn();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
  }

  #turn(): void {
    if (this.#isClosed) return;
    try {
      this.#isUnderWay = this.#readOn();
    } catch (error) {
      fail(this.#id, error);
      return;
    }
    if (this.#isUnderWay) setImmediate(() => this.#turn());
    else if (this.#isLast) this.#finish();
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
    forget(this.#id);
    report({ id: this.#id, hashes: [this.#sum.finish()] });
  }
}

/** Small files, one after the other: to open one takes longer than to hash it. */
class Batch {
  readonly #id: number;
  readonly #files: readonly WholeFile[];
  /** Undefined where each has its own. */
  readonly #together: RunningDigest | undefined;
  readonly #hashes: string[] = [];
  #done = 0;

  constructor({ id, files, together }: Extract<HashOrder, { kind: 'whole' }>) {
    this.#id = id;
    this.#files = files;
    this.#together = together === null ? undefined : startDigest(together);
  }

  turn(): void {
    try {
      for (const file of this.#files.slice(this.#done, this.#done + filesPerTurn)) {
        this.#take(file);
        this.#done += 1;
      }
    } catch (error) {
      fail(this.#id, error, this.#done);
      return;
    }
    if (this.#done < this.#files.length) setImmediate(() => this.turn());
    else this.#finish();
  }

  #take(file: WholeFile): void {
    const sum = this.#together ?? startDigest(sha256);
    readWhole(file, sum);
    if (this.#together === undefined) this.#hashes.push(sum.finish());
  }

  #finish(): void {
    const all = this.#together?.finish();
    report({ id: this.#id, hashes: all === undefined ? this.#hashes : [all] });
  }
}

function readWhole({ path, size }: WholeFile, sum: RunningDigest): void {
  const file = opened(path);
  try {
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
  } finally {
    closeSync(file);
  }
}

/** A pipe that somebody put in the place of a file is not waited for. Windows has no such flag, and counts it as 0. */
function opened(path: HashedPath): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return openSync(typeof path === 'string' ? path : Buffer.from(path), flags);
}

const running = new Map<number, Running>();

function forget(id: number): void {
  running.get(id)?.close();
  running.delete(id);
}

function fail(id: number, error: unknown, at = 0): void {
  forget(id);
  report({ id, error: error instanceof Error ? error.message : String(error), at });
}

port.on('message', (order: HashOrder) => {
  switch (order.kind) {
    case 'open':
      try {
        running.set(order.id, new Running(order.id, order.path, order.digest));
      } catch (error) {
        fail(order.id, error);
      }
      break;
    case 'whole':
      new Batch(order).turn();
      break;
    case 'advance':
      running.get(order.id)?.advance(order.to, order.isLast);
      break;
    case 'drop':
      forget(order.id);
      break;
  }
});
