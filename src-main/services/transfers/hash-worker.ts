// Entry of the thread that hashes files of this computer: as they are read to be sent, or right behind
// what is written, while their bytes are still in memory.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { HashOrder, HashReport } from './local-hashes.ts';

const port = parentPort;
if (port === null) throw new Error('hash-worker runs as a worker thread only');
const report = (message: HashReport): void => port.postMessage(message);

const part = Buffer.allocUnsafe(1024 * 1024);
/** Read of one file before the others have their turn, and before orders are heard. */
const partsPerTurn = 8;

/** One file, hashed from its beginning as far as it was told. */
class Running {
  readonly #id: number;
  readonly #file: number;
  readonly #sum = createHash('sha256');
  #position = 0;
  #goal = 0;
  #isLast = false;
  #isUnderWay = false;
  #isClosed = false;

  constructor(id: number, path: string | Uint8Array) {
    this.#id = id;
    this.#file = openSync(typeof path === 'string' ? path : Buffer.from(path), 'r');
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
    report({ id: this.#id, hash: this.#sum.digest('hex') });
  }
}

const running = new Map<number, Running>();

function forget(id: number): void {
  running.get(id)?.close();
  running.delete(id);
}

function fail(id: number, error: unknown): void {
  forget(id);
  report({ id, error: error instanceof Error ? error.message : String(error) });
}

port.on('message', (order: HashOrder) => {
  switch (order.kind) {
    case 'open':
      try {
        running.set(order.id, new Running(order.id, order.path));
      } catch (error) {
        fail(order.id, error);
      }
      break;
    case 'advance':
      running.get(order.id)?.advance(order.to, order.isLast);
      break;
    case 'drop':
      forget(order.id);
      break;
  }
});
