import { z } from 'zod';
import type { TaskId } from '../contract/ids.ts';
import { taskEventView, type TaskEventView } from '../contract/task.ts';
import type { Connection, Statement } from './connection.ts';

/** An event without its number, which the store gives. */
export type EventRecord = Omit<TaskEventView, 'seq'>;

const seqRow = z.object({ seq: z.number().int() });

/** The history of tasks. Numbers of one task rise from 1 without a hole. */
export class TaskEvents {
  readonly #insert: Statement;
  readonly #of: Statement;

  constructor(connection: Connection) {
    // With «+», SQLite does not think that a better plan might be had for this ID: for that it would
    // compile the statement anew each time, which costs several times as much as running it.
    this.#insert = connection.prepare(
      `INSERT INTO task_events (task_id, seq, at, from_status, to_status, kind, why, attempt, who)
       VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM task_events WHERE task_id = +?),
               ?, ?, ?, ?, ?, ?, ?)
       RETURNING seq`,
    );
    this.#of = connection.prepare(
      `SELECT seq, at, from_status AS "from", to_status AS "to", kind, why, attempt, who
       FROM task_events WHERE task_id = ? ORDER BY seq`,
    );
  }

  append(task: TaskId, event: EventRecord): TaskEventView {
    const { at, from, to, kind, why, attempt, who } = event;
    const id = BigInt(task);
    const row = this.#insert.get(id, id, at, from, to, kind, why, attempt, who);
    return { ...event, seq: seqRow.parse(row).seq };
  }

  of(task: TaskId): TaskEventView[] {
    return this.#of.all(BigInt(task)).map((row) => taskEventView.parse(row));
  }
}
