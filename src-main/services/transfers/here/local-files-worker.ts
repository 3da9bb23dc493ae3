// Entry of the thread that lists, reads, writes and hashes files of this computer for one transfer.
import { parentPort } from 'node:worker_threads';
import { asError, codeOf } from '../../../link/errors.ts';
import { HostileSourceError } from '../errors.ts';
import { FollowingWork, WholeWork } from './hashing-work.ts';
import { isLast, type Answer, type Begin, type Order, type Report } from './orders.ts';
import { PackingWork } from './packing-work.ts';
import { TreeWork } from './tree-work.ts';
import { UnpackingWork } from './unpacking-work.ts';
import type { Giving, Work } from './work.ts';

const port = parentPort;
if (port === null) throw new Error('local-files-worker runs as a worker thread only');
const tell = (report: Report, own: readonly ArrayBuffer[]): void => port.postMessage(report, own);

/** Work that goes on by itself, turn by turn, until it has to wait. */
interface Turning extends Work {
  /** True while there is more to be done. Throws what it fails with. */
  turn(): boolean;
}

/** What is under way, and whether its next turn is already coming. */
class Running {
  readonly #id: number;
  readonly #work: Turning | UnpackingWork;
  #isTurning = false;

  constructor(id: number, begin: Begin) {
    this.#id = id;
    this.#work = begun(begin, this.#answer);
  }

  /** It may end at once: whoever keeps it has to know it by then. */
  start(): void {
    if (this.#work instanceof UnpackingWork) void this.#run(this.#work);
    else this.#turn(this.#work);
  }

  take(order: Exclude<Order, Begin>): void {
    this.#work.take(order);
    if (!(this.#work instanceof UnpackingWork)) this.#turn(this.#work);
  }

  drop(): void {
    this.#work.drop();
  }

  #turn(work: Turning): void {
    if (this.#isTurning) return;
    try {
      this.#isTurning = work.turn();
    } catch (error) {
      this.#fail(error, work instanceof WholeWork ? work.done : 0);
      return;
    }
    if (!this.#isTurning) return;
    setImmediate(() => {
      this.#isTurning = false;
      this.#turn(work);
    });
  }

  async #run(work: UnpackingWork): Promise<void> {
    try {
      await work.run();
    } catch (error) {
      this.#fail(error, 0);
    }
  }

  #fail(error: unknown, at: number): void {
    this.#work.drop();
    fail(this.#id, error, at);
  }

  readonly #answer: Giving = (answer, own) => say(this.#id, answer, own);
}

function begun(begin: Begin, answer: Giving): Turning | UnpackingWork {
  switch (begin.kind) {
    case 'follow':
      return new FollowingWork(begin, answer);
    case 'whole':
      return new WholeWork(begin, answer);
    case 'tree':
      return new TreeWork(begin, answer);
    case 'pack':
      return new PackingWork(begin, answer);
    case 'unpack':
      return new UnpackingWork(begin, answer);
  }
}

const running = new Map<number, Running>();

function say(id: number, answer: Answer, own: readonly ArrayBuffer[] = []): void {
  if (isLast(answer)) running.delete(id);
  tell({ ...answer, id }, own);
}

function fail(id: number, thrown: unknown, at: number): void {
  const error = asError(thrown);
  const lie = error instanceof HostileSourceError ? error.why : null;
  say(id, { kind: 'failed', error: error.message, code: codeOf(error), at, lie });
}

port.on('message', (order: Order) => {
  const { id } = order;
  switch (order.kind) {
    case 'follow':
    case 'whole':
    case 'tree':
    case 'pack':
    case 'unpack':
      try {
        const work = new Running(id, order);
        running.set(id, work);
        work.start();
      } catch (error) {
        fail(id, error, 0);
      }
      break;
    case 'drop':
      running.get(id)?.drop();
      say(id, { kind: 'ended', hash: null });
      break;
    default:
      running.get(id)?.take(order);
  }
});
