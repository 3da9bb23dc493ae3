// The only file that runs statements: it times them and translates what SQLite throws.
import Sqlite from 'better-sqlite3';
import type { Clock } from '../domain/clock.ts';
import { toStoreError } from './errors.ts';

/** Where the store reports what a person should know and nobody asked for. Fits pino's `warn`. */
export interface StoreLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type SqlValue = string | number | bigint | Uint8Array | null;

/** Queries longer than this hold the main thread noticeably; they are reported, not refused. */
const slowQueryMs = 40;

/**
 * How long a statement waits for another process that writes to the database (a person's shell:
 * nothing of ours does). The main thread stands still meanwhile.
 */
const busyTimeoutMs = 1000;

export interface ConnectionOptions {
  readonly file: string;
  readonly readOnly?: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: StoreLog;
}

/** A prepared statement. Rows come back unchecked: the caller parses them. Throws StoreError. */
export class Statement {
  readonly #prepared: Sqlite.Statement<SqlValue[]>;
  readonly #connection: Connection;
  readonly sql: string;

  constructor(connection: Connection, sql: string) {
    this.#connection = connection;
    this.sql = sql;
    this.#prepared = connection.attempt('prepare a query', () =>
      connection.raw.prepare<SqlValue[]>(sql),
    );
  }

  /** Returns how many rows changed. */
  run(...values: SqlValue[]): number {
    return this.#timed(() => this.#prepared.run(...values).changes);
  }

  /** Like `run` for an INSERT; returns the new row's ID. */
  insert(...values: SqlValue[]): number {
    return this.#timed(() => Number(this.#prepared.run(...values).lastInsertRowid));
  }

  get(...values: SqlValue[]): unknown {
    return this.#timed(() => this.#prepared.get(...values));
  }

  all(...values: SqlValue[]): unknown[] {
    return this.#timed(() => this.#prepared.all(...values));
  }

  #timed<T>(query: () => T): T {
    return this.#connection.timed(this.sql, query);
  }
}

/** One open SQLite connection. */
export class Connection {
  readonly raw: Sqlite.Database;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #log: StoreLog;

  /** @throws StoreError */
  constructor({ file, readOnly = false, clock, log }: ConnectionOptions) {
    this.#clock = clock;
    this.#log = log;
    this.raw = this.attempt(`open ${file}`, () => {
      const raw = new Sqlite(file, { readonly: readOnly, timeout: busyTimeoutMs });
      raw.pragma('foreign_keys = ON');
      return raw;
    });
  }

  prepare(sql: string): Statement {
    return new Statement(this, sql);
  }

  /** Runs SQL without values: schema changes and transaction control. */
  exec(sql: string): void {
    this.timed(sql, () => void this.raw.exec(sql));
  }

  /** The value of a pragma such as `user_version`. */
  pragma(text: string): unknown {
    return this.attempt(`run pragma ${text}`, () => this.raw.pragma(text, { simple: true }));
  }

  get isInTransaction(): boolean {
    return this.raw.inTransaction;
  }

  timed<T>(sql: string, query: () => T): T {
    const start = this.#clock.monotonic();
    const result = this.attempt('use the database', query);
    const tookMs = this.#clock.monotonic() - start;
    if (tookMs > slowQueryMs) this.#log.warn({ sql, tookMs }, 'slow query');
    return result;
  }

  attempt<T>(doing: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw toStoreError(error, doing);
    }
  }

  close(): void {
    this.raw.close();
  }
}
