import { z } from 'zod';
import type { BatchView, BatchWindow, BatchWindowQuery } from '../contract/batches.ts';
import { RequestError } from '../contract/errors.ts';
import { taskId, type BatchId, type Instant, type TaskId } from '../contract/ids.ts';
import {
  finalStatuses,
  taskStatus,
  taskStatuses,
  type StatusCounts,
  type TaskEventView,
  type TaskStatus,
  type TaskWindowQuery,
} from '../contract/task.ts';
import type { Task, Transition } from '../domain/task.ts';
import { BatchRefs } from './batch-refs.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import type { EffectRepository, StoredEffect } from './effect-repository.ts';
import { StoreError } from './errors.ts';
import type { GroupCommit } from './group-commit.ts';
import type { QueryWorker } from './query-client.ts';
import { TaskEvents, type EventRecord } from './task-events.ts';
import { TaskRefs } from './task-refs.ts';
import {
  changingColumns,
  changingValues,
  searchText,
  taskColumns,
  taskTables,
  toStoredTask,
  toUnreadableTask,
  type StoredTask,
  type UnreadableTask,
} from './task-rows.ts';
import type { StoredTaskWindow } from './task-window.ts';

/** A task to be stored for the first time, and what its first event says. */
export interface NewTask {
  readonly task: Task;
  /** `kind` is free here, e.g. `submitted`. */
  readonly record: { readonly kind: string; readonly why: string | null; readonly who: string };
}

/** What a saved transition left behind. */
export interface Saved {
  readonly event: TaskEventView;
  /** To be run once `store.flushed()` resolved. */
  readonly effects: readonly StoredEffect[];
}

export interface TaskRepositoryParts {
  readonly connection: Connection;
  readonly group: GroupCommit;
  readonly queries: QueryWorker;
  readonly effects: EffectRepository;
  readonly log: StoreLog;
}

const quoted = (statuses: readonly TaskStatus[]): string =>
  statuses.map((status) => `'${status}'`).join(', ');
const nonFinal = taskStatuses.filter(
  (status) => !(finalStatuses as readonly TaskStatus[]).includes(status),
);

/** A VPS that failed is not over before it is removed. */
const mayHaveDisk = `(type = 'vps' AND status = 'FAILED')`;

const idRow = z.object({ id: taskId });
const newestRow = z.object({ id: taskId.nullable() });
const countRow = z.object({ status: taskStatus, n: z.number().int() });

/**
 * Tasks, their events and labels. Everything that writes does so in the transaction of this turn
 * (it may also be called inside of `store.write` together with other writes) and is durable when
 * `store.flushed()` resolves. Reading sees what was written before. Throws StoreError.
 */
export class TaskRepository {
  readonly #parts: TaskRepositoryParts;
  readonly #events: TaskEvents;
  readonly #refs: TaskRefs;
  readonly #insert: Statement;
  readonly #insertSpec: Statement;
  readonly #insertText: Statement;
  readonly #insertLabel: Statement;
  readonly #update: Statement;
  readonly #updateSpec: Statement;
  readonly #updateName: Statement;
  readonly #updateText: Statement;
  readonly #byId: Statement;
  readonly #exists: Statement;
  readonly #active: Statement;
  readonly #counts: Statement;
  readonly #setLogBytes: Statement;
  readonly #remove: Statement;
  readonly #endedBefore: Statement;
  readonly #newestId: Statement;
  readonly #ofBatch: Statement;
  readonly #batchRefs: BatchRefs;

  constructor(parts: TaskRepositoryParts) {
    const { connection } = parts;
    this.#parts = parts;
    this.#events = new TaskEvents(connection);
    this.#refs = new TaskRefs(connection);
    const fixed = ['id', 'batch_id', 'type', 'name', 'owner', 'submitted_at'];
    const columns = [...fixed, ...changingColumns];
    this.#insert = connection.prepare(
      `INSERT INTO tasks (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    this.#insertSpec = connection.prepare('INSERT INTO task_specs VALUES (?, ?)');
    this.#insertText = connection.prepare('INSERT INTO task_texts VALUES (?, ?)');
    this.#insertLabel = connection.prepare('INSERT INTO task_labels VALUES (?, ?, ?)');
    this.#update = connection.prepare(
      `UPDATE tasks SET ${changingColumns.map((column) => `${column} = ?`).join(', ')}
       WHERE id = ? AND status = ? AND attempt = ? AND since = ?`,
    );
    this.#updateSpec = connection.prepare('UPDATE task_specs SET spec_json = ? WHERE task_id = ?');
    this.#updateName = connection.prepare('UPDATE tasks SET name = ? WHERE id = ?');
    this.#updateText = connection.prepare('UPDATE task_texts SET text = ? WHERE task_id = ?');
    this.#byId = connection.prepare(`SELECT ${taskColumns} FROM ${taskTables} WHERE t.id = ?`);
    this.#exists = connection.prepare('SELECT 1 FROM tasks WHERE id = ?');
    this.#active = connection.prepare(
      `SELECT ${taskColumns} FROM ${taskTables}
       WHERE t.status IN (${quoted(nonFinal)}) ORDER BY t.id`,
    );
    this.#counts = connection.prepare('SELECT status, count(*) AS n FROM tasks GROUP BY status');
    this.#setLogBytes = connection.prepare(
      'UPDATE tasks SET stdout_bytes = ?, stderr_bytes = ? WHERE id = ?',
    );
    this.#remove = connection.prepare(
      `DELETE FROM tasks WHERE id = ? AND status IN (${quoted(finalStatuses)}) AND NOT ${mayHaveDisk}`,
    );
    this.#ofBatch = connection.prepare(
      'SELECT CAST(id AS TEXT) AS id FROM tasks WHERE batch_id = ? ORDER BY id',
    );
    this.#batchRefs = new BatchRefs(connection);
    this.#newestId = connection.prepare('SELECT CAST(max(id) AS TEXT) AS id FROM tasks');
    this.#endedBefore = connection.prepare(
      `SELECT CAST(id AS TEXT) AS id FROM tasks
       WHERE finished_at < ? AND status IN (${quoted(finalStatuses)}) AND NOT ${mayHaveDisk}
       ORDER BY finished_at DESC LIMIT ?`,
    );
  }

  /** Stores new tasks with their first events: all of them or none. */
  insertMany(tasks: readonly NewTask[]): TaskEventView[] {
    return this.#parts.group.write(() => tasks.map((entry) => this.#insertOne(entry)));
  }

  #insertOne({ task, record }: NewTask): TaskEventView {
    const id = BigInt(task.id);
    const fixed = [id, BigInt(task.batchId), task.type, task.spec.name, task.owner];
    this.#insert.run(...fixed, task.submittedAt, ...changingValues(task));
    this.#insertSpec.run(id, JSON.stringify(task.spec));
    this.#insertText.run(id, searchText(task));
    for (const [key, value] of Object.entries(task.spec.labels)) {
      this.#insertLabel.run(id, key, value);
    }
    return this.#events.append(task.id, {
      ...record,
      at: task.submittedAt,
      from: null,
      to: task.state.status,
      attempt: task.attempt,
    });
  }

  /**
   * Stores a transition: the task's new state, its event, its effects.
   * @throws StoreError `conflict/state` when the stored task is not `from` any more; nothing is written then.
   */
  save(transition: Transition, from: Task, at: Instant): Saved {
    return this.#parts.group.write(() => {
      const { task, record, effects } = transition;
      this.#updateOne(task, from);
      const event = this.#events.append(task.id, {
        ...record,
        at,
        from: from.state.status,
        to: task.state.status,
        attempt: task.attempt,
      });
      return {
        event,
        effects: effects.map((effect) => this.#parts.effects.insert(task.id, effect, at)),
      };
    });
  }

  #updateOne(task: Task, from: Task): void {
    const { status, since } = from.state;
    const changes = this.#update.run(
      ...changingValues(task),
      BigInt(from.id),
      status,
      from.attempt,
      since,
    );
    if (changes === 1) {
      if (task.spec !== from.spec) this.#updateAsked(task);
      return;
    }
    throw new StoreError(
      'conflict/state',
      `Task ${from.id} is not ${status} in attempt ${from.attempt} any more; nothing was changed.`,
      { retry: 'later', details: { taskId: from.id, status, attempt: from.attempt } },
    );
  }

  /** What was asked for is fixed but for a VPS, which can be renamed and given other limits. */
  #updateAsked(task: Task): void {
    const id = BigInt(task.id);
    this.#updateSpec.run(JSON.stringify(task.spec), id);
    this.#updateName.run(task.spec.name, id);
    this.#updateText.run(searchText(task), id);
  }

  /** Undefined when there is none. @throws StoreError `store/corrupt` when it cannot be read. */
  get(id: TaskId): StoredTask | undefined {
    const row = this.#byId.get(BigInt(id));
    return row === undefined ? undefined : toStoredTask(row);
  }

  /** Whether there is such a task, readable or not. */
  has(id: TaskId): boolean {
    return this.#exists.get(BigInt(id)) !== undefined;
  }

  /** Every task that is not final, oldest first; those that cannot be read are apart, and reported. */
  active(): {
    readonly tasks: readonly StoredTask[];
    readonly unreadable: readonly UnreadableTask[];
  } {
    const tasks: StoredTask[] = [];
    const unreadable: UnreadableTask[] = [];
    for (const row of this.#active.all()) {
      try {
        tasks.push(toStoredTask(row));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        const aside = toUnreadableTask(row, error);
        this.#parts.log.warn({ taskId: aside.id, err: error }, 'unreadable task set aside');
        unreadable.push(aside);
      }
    }
    return { tasks, unreadable };
  }

  /** How many tasks there are of each status; a status without tasks is left out. */
  counts(): StatusCounts {
    const rows = this.#counts.all().map((row) => countRow.parse(row));
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
  }

  /** See `TaskRefs.resolve`. @throws RequestError `not-found/task`, `ambiguous/id` */
  resolveRef(text: string): TaskId {
    return this.#refs.resolve(text);
  }

  /** The rows of a window with counts, evaluated off the main thread on what is committed by then. */
  async window(query: TaskWindowQuery): Promise<StoredTaskWindow> {
    await this.#parts.group.settled();
    return this.#parts.queries.taskWindow(query);
  }

  /** Batches with counts, evaluated like `window`. */
  async batchWindow(query: BatchWindowQuery): Promise<BatchWindow> {
    await this.#parts.group.settled();
    return this.#parts.queries.batchWindow(query);
  }

  /** One batch with its counts; null when there is none. */
  async batch(id: BatchId): Promise<BatchView | null> {
    await this.#parts.group.settled();
    return this.#parts.queries.batch(id);
  }

  /** The tasks of a batch, in the order of submission. */
  ofBatch(id: BatchId): TaskId[] {
    return this.#ofBatch.all(BigInt(id)).map((row) => idRow.parse(row).id);
  }

  /** @throws RequestError `not-found/batch`, `ambiguous/id` */
  resolveBatch(text: string): BatchId {
    return this.#batchRefs.resolve(text);
  }

  /** Every event of a task, oldest first. */
  events(id: TaskId): TaskEventView[] {
    return this.#events.of(id);
  }

  /** Adds an event that is not a transition, such as a phase of a start. */
  appendEvent(id: TaskId, record: EventRecord): TaskEventView {
    return this.#parts.group.write(() => this.#events.append(id, record));
  }

  setLogBytes(id: TaskId, bytes: { readonly stdout: number; readonly stderr: number }): void {
    this.#parts.group.write(() => this.#setLogBytes.run(bytes.stdout, bytes.stderr, BigInt(id)));
  }

  /**
   * Removes the records of tasks and everything about them but outstanding effects and log files.
   * @throws RequestError `task/not-ended` when one is not final: then none is removed.
   */
  remove(ids: readonly TaskId[]): void {
    this.#parts.group.write(() => {
      for (const id of ids) {
        if (this.#remove.run(BigInt(id)) === 1) continue;
        if (!this.has(id)) continue;
        throw new RequestError(
          'task/not-ended',
          `Task ${id} has not ended yet. Kill it first, then remove it.`,
          { details: { taskId: id } },
        );
      }
    });
  }

  /** The newest task's ID: new IDs must rise above it, also when the clock was set back. */
  newestId(): TaskId | undefined {
    return newestRow.parse(this.#newestId.get()).id ?? undefined;
  }

  /** Some of the tasks that ended before an instant, at most `limit`. */
  endedBefore(before: Instant, limit: number): TaskId[] {
    return this.#endedBefore.all(before, limit).map((row) => idRow.parse(row).id);
  }
}
