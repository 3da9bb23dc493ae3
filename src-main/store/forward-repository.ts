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
  readonly createdAt: Instant;
}

const row = z.object({
  id: forwardId,
  spec_json: z.string().transform((text) => forwardSpec.parse(JSON.parse(text))),
  local_port: z.number().int().nullable(),
  created_at: instant,
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
    this.#save = connection.prepare('INSERT OR REPLACE INTO forwards VALUES (?,?,?,?)');
    this.#remove = connection.prepare('DELETE FROM forwards WHERE id = ?');
    this.#all = connection.prepare(
      'SELECT CAST(id AS TEXT) AS id, spec_json, local_port, created_at FROM forwards ORDER BY forwards.id',
    );
  }

  save({ id, spec, localPort, createdAt }: ForwardRecord): void {
    this.#group.write(() => this.#save.run(BigInt(id), JSON.stringify(spec), localPort, createdAt));
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
        return [{ id, spec, localPort, createdAt }];
      }
      this.#log.warn({ err: read.error }, 'an unreadable forward is left out');
      return [];
    });
  }
}
