// Batches, counted from their tasks, as SQL. Runs on the worker's read-only connection.
import { z } from 'zod';
import type { BatchView, BatchWindow, BatchWindowQuery } from '../contract/batches.ts';
import { batchId, taskId, type BatchId } from '../contract/ids.ts';
import { finalStatuses, taskStatus, type StatusCounts } from '../contract/task.ts';
import type { Connection, SqlValue, Statement } from './connection.ts';
import { StoreError } from './errors.ts';
import { taskColumns, taskTables, toStoredTask } from './task-rows.ts';

const chosenRow = z.object({ id: batchId });
const countRow = z.object({ n: z.number().int() });
const statusRow = z.object({
  status: taskStatus,
  n: z.number().int(),
  first: taskId,
  ended: z.number().int().nullable(),
});
type StatusRow = z.infer<typeof statusRow>;

const ended = finalStatuses.map((status) => `'${status}'`).join(', ');

/** Answers questions about batches on one connection. */
export class BatchWindows {
  readonly #connection: Connection;
  readonly #statuses: Statement;
  readonly #first: Statement;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#statuses = connection.prepare(
      `SELECT status, count(*) AS n, CAST(min(id) AS TEXT) AS first, max(finished_at) AS ended
       FROM tasks WHERE batch_id = ? GROUP BY status`,
    );
    this.#first = connection.prepare(`SELECT ${taskColumns} FROM ${taskTables} WHERE t.id = ?`);
  }

  /** Undefined when there is no such batch. @throws StoreError `store/corrupt` */
  batch(id: BatchId): BatchView | undefined {
    const rows = this.#statuses.all(BigInt(id)).map((row) => statusRow.parse(row));
    return rows.length === 0 ? undefined : this.#view(id, rows);
  }

  /** Newest first. Those whose first task cannot be read are counted, but have no row. */
  window(query: BatchWindowQuery): BatchWindow {
    this.#connection.exec('BEGIN');
    try {
      const { sql, values } = groupsOf(query);
      const count = this.#connection.prepare(`SELECT count(*) AS n FROM (${sql})`).all(...values);
      const chosen = this.#connection
        .prepare(`${sql} ORDER BY batch_id DESC LIMIT ? OFFSET ?`)
        .all(...values, query.limit, query.offset);
      const rows = chosen.flatMap((row) => this.#readable(chosenRow.parse(row).id));
      return { total: countRow.parse(count[0]).n, offset: query.offset, rows };
    } finally {
      this.#connection.exec('COMMIT');
    }
  }

  #readable(id: BatchId): BatchView[] {
    try {
      return [this.batch(id)].filter((batch) => batch !== undefined);
    } catch (error) {
      if (error instanceof StoreError) return [];
      throw error;
    }
  }

  #view(id: BatchId, rows: readonly StatusRow[]): BatchView {
    const first = rows.map((row) => row.first).reduce((a, b) => (BigInt(a) < BigInt(b) ? a : b));
    const { task } = toStoredTask(this.#first.get(BigInt(first)));
    const counts: StatusCounts = Object.fromEntries(rows.map(({ status, n }) => [status, n]));
    const total = rows.reduce((sum, { n }) => sum + n, 0);
    const isOver = rows.every(({ status }) =>
      (finalStatuses as readonly string[]).includes(status),
    );
    const { spec } = task;
    return {
      id,
      name: spec.name,
      owner: task.owner,
      kind: kindOf(spec, total),
      work: spec.work,
      firstTask: first,
      total,
      counts,
      maxRunning: spec.arrayMaxRunning,
      submittedAt: task.submittedAt,
      finishedAt: isOver ? Math.max(...rows.map(({ ended: at }) => at ?? 0)) : null,
    };
  }
}

function kindOf(
  spec: { readonly gang: boolean; readonly arrayIndex: number | null },
  total: number,
): BatchView['kind'] {
  if (spec.gang) return 'gang';
  if (spec.arrayIndex !== null) return 'array';
  return total === 1 ? 'single' : 'targets';
}

function groupsOf({ owner, activeOnly, leastTasks }: BatchWindowQuery) {
  const where = owner === undefined ? '' : 'WHERE owner = ?';
  const active = activeOnly ? `AND sum(status NOT IN (${ended})) > 0` : '';
  const sql = `SELECT CAST(batch_id AS TEXT) AS id, batch_id FROM tasks ${where}
    GROUP BY batch_id HAVING count(*) >= ? ${active}`;
  const values: SqlValue[] = owner === undefined ? [leastTasks] : [owner, leastTasks];
  return { sql, values };
}
