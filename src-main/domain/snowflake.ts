// 64-bit IDs that sort by age: 41 bits of milliseconds since the Unix epoch, 10 bits of instance,
// 12 bits of sequence (design, section 6). Decimal strings everywhere; only `store` knows integers.
import {
  batchId,
  coreId,
  nodeId,
  taskId,
  type BatchId,
  type CoreId,
  type Instant,
  type NodeId,
  type TaskId,
} from '../contract/ids.ts';

const sequenceBits = 12n;
const instanceBits = 10n;
const lastSequence = (1 << 12) - 1;

export interface SnowflakeOptions {
  readonly clock: { now(): Instant };
  /** 0…1023, random per core, so that two cores' IDs on one node do not meet. */
  readonly instance: number;
  /** Continue after this ID (the newest one stored), so that a clock set back between two runs repeats none. */
  readonly after?: string;
}

/**
 * Makes IDs that always rise. It never waits and never fails: while the clock stands behind the
 * last ID it goes on counting in that ID's millisecond, and borrows the next one when its 4096
 * numbers are used up.
 */
export class SnowflakeFactory {
  readonly #clock: { now(): Instant };
  readonly #instance: bigint;
  #lastMs = 0;
  #sequence = -1;

  constructor(options: SnowflakeOptions) {
    this.#clock = options.clock;
    this.#instance = BigInt(options.instance & 0x3ff) << sequenceBits;
    // The instance of the older ID may have been larger: only a later millisecond is surely above it.
    if (options.after !== undefined) this.#lastMs = snowflakeTime(options.after) + 1;
  }

  /** The next ID in decimal. */
  next(): string {
    const now = Math.floor(this.#clock.now());
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#sequence = 0;
    } else if (this.#sequence < lastSequence) {
      this.#sequence += 1;
    } else {
      this.#lastMs += 1;
      this.#sequence = 0;
    }
    const time = BigInt(this.#lastMs) << (instanceBits + sequenceBits);
    return (time | this.#instance | BigInt(this.#sequence)).toString();
  }

  taskId(): TaskId {
    return taskId.parse(this.next());
  }

  batchId(): BatchId {
    return batchId.parse(this.next());
  }

  nodeId(): NodeId {
    return nodeId.parse(this.next());
  }

  coreId(): CoreId {
    return coreId.parse(this.next());
  }
}

/** When an ID was made, by the clock of its core (up to borrowed milliseconds). */
export function snowflakeTime(id: string): Instant {
  return Number(BigInt(id) >> (instanceBits + sequenceBits));
}

/** Orders IDs by age: negative when `a` is older. Cheap: decimal strings compare by length, then text. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
