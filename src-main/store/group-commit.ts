import { Emitter } from '../domain/emitter.ts';
import type { Connection, Statement } from './connection.ts';
import type { AppError } from '../contract/errors.ts';
import { StoreError, toStoreError } from './errors.ts';

interface Group {
  readonly settled: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/** Calls back once, later: `setImmediate` in a core, by hand in tests. */
export type Schedule = (callback: () => void) => void;

export interface Durability {
  /** Resolves when everything committed before the call is on disk. */
  sync(): Promise<void>;
}

/**
 * Gathers the small writes of one turn of the loop into one transaction, because a durable commit
 * costs a sync of the disk whatever it holds. The sync itself happens beside the main thread.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #schedule: Schedule;
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #failed = new Emitter<AppError>();
  #group: Group | undefined;
  #lastFailure: AppError | undefined;
  #durability: Durability | undefined;
  #commits = 0;

  readonly #committed = new Emitter<void>();

  /** Everything written since the last commit is undone; what was built on it must be read again. */
  readonly onDidFail = this.#failed.event;
  /** A group is in the write-ahead log. */
  readonly onDidCommit = this.#committed.event;

  constructor(connection: Connection, schedule: Schedule) {
    this.#connection = connection;
    this.#schedule = schedule;
    this.#savepoint = connection.prepare('SAVEPOINT fn');
    this.#release = connection.prepare('RELEASE fn');
  }

  /** How many groups were committed. */
  get commits(): number {
    return this.#commits;
  }

  /** From now on the disk is forced here; before (while a store opens) SQLite does it in each commit. */
  syncBy(durability: Durability): void {
    this.#durability = durability;
  }

  /**
   * Runs `fn` in the transaction of this turn and returns what it returns. When it throws, its own
   * writes are undone, and only those. Not durable yet: see `flushed`.
   */
  write<T>(fn: () => T): T {
    this.#open();
    this.#savepoint.run();
    try {
      const result = fn();
      this.#release.run();
      return result;
    } catch (error) {
      this.#undo(error);
      throw error;
    }
  }

  /**
   * Resolves when everything written so far is on disk. Rejects with a StoreError when the newest
   * group could not be committed: then all of it is undone. Rejects also when the disk could not be
   * forced: then it may be there or not, and the next call tries again.
   */
  async flushed(): Promise<void> {
    if (this.#group !== undefined) await this.#group.settled;
    else if (this.#lastFailure !== undefined) throw this.#lastFailure;
    await this.#durability?.sync();
  }

  /** Resolves when nothing is waiting to be committed, whether or not it could be. */
  async settled(): Promise<void> {
    await this.#group?.settled.catch((error: unknown) => {
      // Whoever wrote it learns of it by `flushed` and `onDidFail`; this is for readers.
      if (!(error instanceof StoreError)) throw error;
    });
  }

  /** Commits what is waiting, at once. */
  commit(): void {
    const group = this.#group;
    if (group === undefined) return;
    try {
      this.#connection.exec('COMMIT');
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#group = undefined;
    this.#lastFailure = undefined;
    this.#commits += 1;
    group.resolve();
    this.#committed.emit();
  }

  #open(): void {
    if (this.#group !== undefined) return;
    this.#connection.exec('BEGIN IMMEDIATE');
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // Nobody may be waiting; `onDidFail` then still tells.
    promise.catch(() => undefined);
    const group = { settled: promise, resolve: () => resolve(undefined), reject };
    this.#group = group;
    this.#schedule(() => {
      if (this.#group === group) this.commit();
    });
  }

  #undo(error: unknown): void {
    // On a full disk and the like SQLite rolls the whole transaction back by itself.
    if (!this.#connection.isInTransaction) this.#fail(error);
    else this.#connection.exec('ROLLBACK TO fn; RELEASE fn');
  }

  #fail(error: unknown): void {
    const group = this.#group;
    // A write inside of another has told already.
    if (group === undefined) return;
    this.#group = undefined;
    if (this.#connection.isInTransaction) this.#connection.exec('ROLLBACK');
    const failure = toStoreError(error, 'save to the database');
    this.#lastFailure = failure;
    group.reject(failure);
    this.#failed.emit(failure);
  }
}
