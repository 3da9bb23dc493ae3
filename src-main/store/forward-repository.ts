import { z } from 'zod';
import { forwardId, forwardSpec, type ForwardId, type ForwardSpec } from '../contract/forwards.ts';
import { instant, type Instant } from '../contract/ids.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';

export interface ForwardRecord {
  readonly id: ForwardId;
  readonly spec: ForwardSpec;
  /** Where it listened last; null for one that never did. */
  readonly localPort: number | null;
  readonly isPaused: boolean;
  readonly createdAt: Instant;
}

const row = z.object({
  id: forwardId,
  spec_json: z.string().transform((text) => forwardSpec.parse(JSON.parse(text))),
  local_port: z.number().int().nullable(),
  created_at: instant,
  is_paused: z.union([z.literal(0), z.literal(1)]).transform((flag) => flag === 1),
});

/** Forwards as they are remembered. Writes are durable when `store.flushed()` resolves. */
export class ForwardRepository {
  readonly #group: GroupCommit;
  readonly #log: StoreLog;
  readonly #save: Statement;
  readonly #remove: Statement;
  readonly #all: Statement;

  constructor(connection: Connection, group: GroupCommit, log: StoreLog) {
    this.#group = group;
    this.#log = log;
    this.#save = connection.prepare('INSERT OR REPLACE INTO forwards VALUES (?,?,?,?,?)');
    this.#remove = connection.prepare('DELETE FROM forwards WHERE id = ?');
    this.#all = connection.prepare(
      'SELECT CAST(id AS TEXT) AS id, spec_json, local_port, created_at, is_paused FROM forwards ORDER BY forwards.id',
    );
  }

  save({ id, spec, localPort, isPaused, createdAt }: ForwardRecord): void {
    const values = [BigInt(id), JSON.stringify(spec), localPort, createdAt, isPaused ? 1 : 0];
    this.#group.write(() => this.#save.run(...values));
  }

  remove(id: ForwardId): void {
    this.#group.write(() => this.#remove.run(BigInt(id)));
  }

  /** In the order they were made. One that cannot be read is left out, and kept. */
  all(): ForwardRecord[] {
    return this.#all.all().flatMap((found) => {
      const read = row.safeParse(found);
      if (read.success) {
        const { id, spec_json: spec, local_port: localPort, created_at: createdAt } = read.data;
        return [{ id, spec, localPort, isPaused: read.data.is_paused, createdAt }];
      }
      this.#log.warn({ err: read.error }, 'an unreadable forward is left out');
      return [];
    });
  }
}
