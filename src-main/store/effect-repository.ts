import { z } from 'zod';
import {
  instant,
  nodeId,
  taskId,
  type Instant,
  type NodeId,
  type TaskId,
} from '../contract/ids.ts';
import type { TaskEffect } from '../domain/task.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import { StoreError } from './errors.ts';
import { parseJson } from './json.ts';

/** Something to be done on a node, kept until it is done. */
export interface StoredEffect {
  readonly id: number;
  readonly taskId: TaskId;
  readonly createdAt: Instant;
  readonly effect: TaskEffect;
}

const row = z.object({
  id: z.number().int(),
  task_id: taskId,
  created_at: instant,
  payload_json: z.string(),
});

const attempt = z.number().int().positive();
const taskEffect: z.ZodType<TaskEffect> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start-attempt'), nodeId, attempt }),
  z.strictObject({
    kind: z.literal('stop-attempt'),
    nodeId,
    attempt,
    signal: z.string(),
    graceMs: z.number().nonnegative(),
  }),
  z.strictObject({
    kind: z.literal('remove-attempt'),
    nodeId,
    attempt,
    runtime: z.enum(['docker', 'process']),
    keep: z.boolean(),
    vps: z.literal(true).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('fetch-results'), nodeId, attempt }),
]);

/** What transitions ordered and is not known to be done. Written by `TaskRepository.save`. */
export class EffectRepository {
  readonly #log: StoreLog;
  readonly #insert: Statement;
  readonly #forNode: Statement;
  readonly #all: Statement;
  readonly #done: Statement;
  readonly #forgetNode: Statement;

  constructor(connection: Connection, log: StoreLog) {
    const select =
      'SELECT id, CAST(task_id AS TEXT) AS task_id, created_at, payload_json FROM task_effects';
    this.#log = log;
    this.#insert = connection.prepare(
      `INSERT INTO task_effects (task_id, node_id, kind, payload_json, created_at)
       VALUES (?, ?, ?, ?, ?)`,
    );
    this.#forNode = connection.prepare(`${select} WHERE node_id = ? ORDER BY id`);
    this.#all = connection.prepare(`${select} ORDER BY id`);
    this.#done = connection.prepare('DELETE FROM task_effects WHERE id = ?');
    this.#forgetNode = connection.prepare('DELETE FROM task_effects WHERE node_id = ?');
  }

  /** Call inside of `store.write`. */
  insert(task: TaskId, effect: TaskEffect, at: Instant): StoredEffect {
    const id = this.#insert.insert(
      BigInt(task),
      BigInt(effect.nodeId),
      effect.kind,
      JSON.stringify(effect),
      at,
    );
    return { id, taskId: task, createdAt: at, effect };
  }

  /** Oldest first. */
  forNode(node: NodeId): StoredEffect[] {
    return this.#readable(this.#forNode.all(BigInt(node)));
  }

  /** Of every node, oldest first. */
  all(): StoredEffect[] {
    return this.#readable(this.#all.all());
  }

  /** Takes one off the list; one that is off already stays so. Call inside of `store.write`. */
  done(id: number): void {
    this.#done.run(id);
  }

  /** Gives up everything that was to be done on a node that is removed. Call inside of `store.write`. */
  forgetNode(node: NodeId): number {
    return this.#forgetNode.run(BigInt(node));
  }

  #readable(rows: readonly unknown[]): StoredEffect[] {
    return rows.flatMap((found) => {
      try {
        return [toStoredEffect(found)];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // It stays in the table for a later version; reconciliation does what is needed meanwhile.
        this.#log.warn(
          { row: row.safeParse(found).data?.id, err: error },
          'unreadable effect set aside',
        );
        return [];
      }
    });
  }
}

function toStoredEffect(found: unknown): StoredEffect {
  const { id, task_id, created_at, payload_json } = row.parse(found);
  return {
    id,
    taskId: task_id,
    createdAt: created_at,
    effect: parseJson(taskEffect, payload_json, 'payload_json'),
  };
}
