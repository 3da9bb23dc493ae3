// What the core says of itself: who it is, what it has, how it feels.
import type { CoreId, Instant } from '../contract/ids.ts';
import type { NodeState } from '../contract/node.ts';
import type { CoreStatus } from '../contract/procedures.ts';
import type { StatusCounts } from '../contract/task.ts';
import type { Clock, Timers } from '../domain/clock.ts';
import { Emitter } from '../domain/emitter.ts';
import type { Fleet } from './fleet.ts';
import type { TaskBook } from './tasks/task-book.ts';

/** Counting all tasks is one query; numbers in a status bar need not be newer than this. */
const REFRESH_MS = 250;

export interface CoreStatusParts {
  readonly coreId: CoreId;
  readonly version: string;
  readonly host: CoreStatus['host'];
  readonly hostname: string;
  readonly dataDir: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly countTasks: () => StatusCounts;
  readonly vault: () => CoreStatus['vault'];
  /** Longest hold of the main thread in the last minute, in milliseconds. */
  readonly loopDelayMs: () => number;
  readonly rssBytes: () => number;
}

export class CoreStatusService implements Disposable {
  readonly #parts: CoreStatusParts;
  readonly #startedAt: Instant;
  readonly #changed = new Emitter<CoreStatus>();
  readonly #listening: Disposable[];
  #refresh: Disposable | undefined;
  readonly onDidChange = this.#changed.event;

  constructor(parts: CoreStatusParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
    const soon = () => this.#announceSoon();
    this.#listening = [
      parts.book.onDidChange(({ kind }) => (kind === 'progress' ? undefined : soon())),
      parts.fleet.onDidChangeCapacity(soon),
      parts.fleet.onDidComeOnline(soon),
      parts.fleet.onDidGoOffline(soon),
    ];
  }

  [Symbol.dispose](): void {
    this.#refresh?.[Symbol.dispose]();
    for (const listener of this.#listening) listener[Symbol.dispose]();
  }

  status(): CoreStatus {
    const parts = this.#parts;
    return {
      coreId: parts.coreId,
      version: parts.version,
      pid: parts.pid,
      host: parts.host,
      hostname: parts.hostname,
      dataDir: parts.dataDir,
      startedAt: this.#startedAt,
      now: parts.clock.now(),
      nodes: this.#nodeCounts(),
      tasks: parts.countTasks(),
      vault: parts.vault(),
      eventLoopDelayMs: parts.loopDelayMs(),
      rssBytes: parts.rssBytes(),
    };
  }

  #nodeCounts(): Partial<Record<NodeState, number>> {
    const counts: Partial<Record<NodeState, number>> = {};
    for (const { state } of this.#parts.fleet.plannerNodes())
      counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  #announceSoon(): void {
    if (this.#refresh !== undefined || this.#changed.listenerCount === 0) return;
    this.#refresh = this.#parts.timers.after(REFRESH_MS, () => {
      this.#refresh = undefined;
      this.#changed.emit(this.status());
    });
  }
}
