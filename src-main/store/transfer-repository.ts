import { z } from 'zod';
import { errorShape } from '../contract/errors.ts';
import { instant } from '../contract/ids.ts';
import {
  transferId,
  transferProblem,
  transferProgress,
  transferProof,
  transferPurpose,
  transferRequest,
  transferStatus,
  type TransferId,
  type TransferProblem,
} from '../contract/transfers.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import { StoreError } from './errors.ts';
import { parseJson } from './json.ts';

/** Where a transfer's files go, once it was found out. */
const target = z.strictObject({ directory: z.string(), rename: z.string().nullable() });

/** A transfer as it is remembered, but for what has columns of its own. */
const record = z.strictObject({
  request: transferRequest,
  // Rows from before tasks had files have none.
  purpose: transferPurpose.nullable().default(null),
  fromLabel: z.string(),
  toLabel: z.string(),
  title: z.string(),
  target: target.nullable(),
  /** Runs begun so far. */
  runs: z.number().int(),
  progress: transferProgress,
  failed: z.number().int(),
  skipped: z.number().int(),
  proof: transferProof,
  conflicts: z.object({ count: z.number().int(), some: z.array(z.string()) }).nullable(),
  error: errorShape.nullable(),
});

const row = z.object({
  id: transferId,
  position: z.number().int(),
  status: transferStatus,
  record_json: z.string(),
  created_at: instant,
  finished_at: instant.nullable(),
});

export type TransferRecord = z.infer<typeof record> &
  Readonly<{
    id: TransferId;
    /** Lower is sooner. */
    position: number;
    status: z.infer<typeof transferStatus>;
    createdAt: number;
    finishedAt: number | null;
  }>;

/** Transfers and what went wrong in them. Writes are to be made inside of `store.write`. */
export class TransferRepository {
  readonly #log: StoreLog;
  readonly #all: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #problems: Statement;
  readonly #addProblem: Statement;
  readonly #clearProblems: Statement;

  constructor(connection: Connection, log: StoreLog) {
    this.#log = log;
    this.#all = connection.prepare(
      `SELECT CAST(id AS TEXT) AS id, position, status, record_json, created_at, finished_at
       FROM transfers ORDER BY position`,
    );
    this.#put = connection.prepare(
      `INSERT INTO transfers (id, position, status, record_json, created_at, finished_at)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET position = excluded.position, status = excluded.status,
         record_json = excluded.record_json, finished_at = excluded.finished_at`,
    );
    this.#delete = connection.prepare('DELETE FROM transfers WHERE id = ?');
    this.#problems = connection.prepare(
      'SELECT path, outcome, message FROM transfer_problems WHERE transfer_id = ? ORDER BY seq',
    );
    this.#addProblem = connection.prepare('INSERT INTO transfer_problems VALUES (?, ?, ?, ?, ?)');
    this.#clearProblems = connection.prepare('DELETE FROM transfer_problems WHERE transfer_id = ?');
  }

  /** In the order of the queue. One that cannot be read is left out, and left alone. */
  all(): TransferRecord[] {
    return this.#all.all().flatMap((found) => {
      try {
        return [toRecord(found)];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#log.warn({ err: error }, 'an unreadable transfer is set aside');
        return [];
      }
    });
  }

  put({ id, position, status, createdAt, finishedAt, ...rest }: TransferRecord): void {
    const json = JSON.stringify(rest);
    this.#put.run(BigInt(id), position, status, json, createdAt, finishedAt);
  }

  delete(id: TransferId): void {
    this.#delete.run(BigInt(id));
  }

  /** Names in them are JSON: bytes that are no text survive. */
  problems(id: TransferId): TransferProblem[] {
    return this.#problems.all(BigInt(id)).map((found) => {
      const problem = transferProblem.parse(found);
      return { ...problem, path: z.string().parse(JSON.parse(problem.path)) };
    });
  }

  /** In the place of those of an earlier run. */
  setProblems(id: TransferId, problems: readonly TransferProblem[]): void {
    this.#clearProblems.run(BigInt(id));
    problems.forEach(({ path, outcome, message }, seq) => {
      this.#addProblem.run(BigInt(id), seq, JSON.stringify(path), outcome, message);
    });
  }
}

function toRecord(found: unknown): TransferRecord {
  const { id, position, status, record_json, created_at, finished_at } = row.parse(found);
  const rest = parseJson(record, record_json, 'record_json');
  return { ...rest, id, position, status, createdAt: created_at, finishedAt: finished_at };
}
