// Windows into lists of tasks, as SQL. Runs on the worker's read-only connection.
import { z } from 'zod';
import {
  taskStatus,
  type StatusCounts,
  type TaskFilter,
  type TaskSort,
  type TaskWindowQuery,
} from '../contract/task.ts';
import type { Connection, SqlValue, Statement } from './connection.ts';
import { StoreError } from './errors.ts';
import {
  taskColumns,
  toStoredTask,
  toUnreadableTask,
  type StoredTask,
  type UnreadableTask,
} from './task-rows.ts';

/** A window of a list: the rows asked for, and how many there are. */
export interface StoredTaskWindow {
  /** Tasks that match the filter. */
  readonly total: number;
  /** Of the filter without its statuses. */
  readonly counts: StatusCounts;
  readonly offset: number;
  readonly rows: readonly StoredTask[];
  /** Rows of the window that cannot be read; they count, but have no place in `rows`. */
  readonly unreadable: readonly UnreadableTask[];
}

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Each has an index that gives the rows in this order. */
const orders: Record<TaskSort, string> = {
  newest: 't.id DESC',
  oldest: 't.id',
  queue: 't.priority DESC, t.id',
  name: 't.name IS NULL, t.name COLLATE NOCASE, t.id',
  finished: 't.finished_at DESC, t.id DESC',
};

/** GLOB knows `[…]` too; people are promised `*` and `?` only. */
function globOf(text: string): string {
  return text.replaceAll('[', '[[]');
}

function conditionsOf(filter: TaskFilter): Condition[] {
  const { nodeId, text, nameGlob, label, batchId, owner } = filter;
  const found: (Condition | false)[] = [
    nodeId !== undefined && { sql: 't.node_id = ?', values: [BigInt(nodeId)] },
    batchId !== undefined && { sql: 't.batch_id = ?', values: [BigInt(batchId)] },
    owner !== undefined && { sql: 't.owner = ?', values: [owner] },
    nameGlob !== undefined && { sql: 't.name GLOB ?', values: [globOf(nameGlob)] },
    label !== undefined && {
      sql: 't.id IN (SELECT task_id FROM task_labels WHERE key = ? AND value = ?)',
      values: [label.key, label.value],
    },
    text !== undefined &&
      text !== '' && {
        sql: 't.id IN (SELECT task_id FROM task_texts WHERE instr(text, ?) > 0)',
        values: [text.toLowerCase()],
      },
  ];
  return found.filter((condition) => condition !== false);
}

function whereOf(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
}

/** A statement with its values. Exported for the tests that look at query plans. */
export interface Query {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export function rowsQuery({ filter, sort, offset, limit }: TaskWindowQuery): Query {
  const conditions = conditionsOf(filter);
  if (filter.statuses !== undefined) {
    const marks = filter.statuses.map(() => '?').join(', ');
    conditions.push({ sql: `t.status IN (${marks})`, values: filter.statuses });
  }
  // What is chosen comes from narrow indexes; only the rows of the window are read whole. CROSS
  // JOIN keeps SQLite from starting at the other end.
  const sql = `
    WITH chosen AS MATERIALIZED (
      SELECT t.id AS chosen_id FROM tasks t ${whereOf(conditions)}
      ORDER BY ${orders[sort]} LIMIT ? OFFSET ?)
    SELECT ${taskColumns}
    FROM chosen CROSS JOIN tasks t ON t.id = chosen_id
    CROSS JOIN task_specs s ON s.task_id = chosen_id
    ORDER BY ${orders[sort]}`;
  return { sql, values: [...conditions.flatMap(({ values }) => values), limit, offset] };
}

export function countsQuery(filter: TaskFilter): Query {
  const conditions = conditionsOf(filter);
  return {
    sql: `SELECT t.status, count(*) AS n FROM tasks t ${whereOf(conditions)} GROUP BY t.status`,
    values: conditions.flatMap(({ values }) => values),
  };
}

const countRow = z.object({ status: taskStatus, n: z.number().int() });

/** Statements kept prepared: as many as there are combinations of filters in use, and a few more. */
const keptStatements = 64;

/** Answers window queries on one connection. */
export class TaskWindows {
  readonly #connection: Connection;
  readonly #statements = new Map<string, Statement>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Rows and counts are of the same moment. */
  window(query: TaskWindowQuery): StoredTaskWindow {
    this.#connection.exec('BEGIN');
    try {
      const counts = this.#counts(query.filter);
      const statuses = query.filter.statuses ?? taskStatus.options;
      const total = statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
      return { total, counts, offset: query.offset, ...this.#rows(query) };
    } finally {
      this.#connection.exec('COMMIT');
    }
  }

  #counts(filter: TaskFilter): StatusCounts {
    const rows = this.#all(countsQuery(filter)).map((row) => countRow.parse(row));
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
  }

  #rows(query: TaskWindowQuery): Pick<StoredTaskWindow, 'rows' | 'unreadable'> {
    const rows: StoredTask[] = [];
    const unreadable: UnreadableTask[] = [];
    for (const row of this.#all(rowsQuery(query))) {
      try {
        rows.push(toStoredTask(row));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        unreadable.push(toUnreadableTask(row, error));
      }
    }
    return { rows, unreadable };
  }

  #all({ sql, values }: Query): unknown[] {
    const statement = this.#statements.get(sql) ?? this.#connection.prepare(sql);
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    const [oldest] = this.#statements.keys();
    if (this.#statements.size > keptStatements && oldest !== undefined) {
      this.#statements.delete(oldest);
    }
    return statement.all(...values);
  }
}
