// What the queue keeps beside its tasks: use by owners, and reservations.
import { z } from 'zod';
import { reservationId, type ReservationId } from '../contract/queue.ts';
import { instant, nodeId, type Instant } from '../contract/ids.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';

/** Faded to the instant it was counted at. */
export interface StoredUsage {
  readonly owner: string;
  readonly gpuSeconds: number;
  readonly coreSeconds: number;
  readonly countedAt: Instant;
}

const usageRow = z.object({
  owner: z.string(),
  gpu_seconds: z.number(),
  core_seconds: z.number(),
  counted_at: instant,
});

const storedReservation = z.strictObject({
  id: reservationId,
  nodeId,
  /** Null: the whole node. */
  gpus: z.array(z.object({ uuid: z.string(), index: z.number().int() })).nullable(),
  from: instant,
  to: instant,
  owners: z.array(z.string()),
  note: z.string().nullable(),
  by: z.string(),
});
export type StoredReservation = z.infer<typeof storedReservation>;
const reservationRow = z.object({
  reservation_json: z.string().transform((text) => storedReservation.parse(JSON.parse(text))),
});

/** Writes are part of the transaction of this turn; durable when `store.flushed()` resolves. */
export class QueueRepository {
  readonly #group: GroupCommit;
  readonly #log: StoreLog;
  readonly #usage: Statement;
  readonly #saveUsage: Statement;
  readonly #reservations: Statement;
  readonly #add: Statement;
  readonly #remove: Statement;
  readonly #removeOver: Statement;

  constructor(connection: Connection, group: GroupCommit, log: StoreLog) {
    this.#group = group;
    this.#log = log;
    this.#usage = connection.prepare('SELECT * FROM owner_usage ORDER BY owner');
    this.#saveUsage = connection.prepare('INSERT OR REPLACE INTO owner_usage VALUES (?, ?, ?, ?)');
    this.#reservations = connection.prepare(
      'SELECT reservation_json FROM reservations ORDER BY id',
    );
    this.#add = connection.prepare('INSERT INTO reservations VALUES (?, ?, ?)');
    this.#remove = connection.prepare('DELETE FROM reservations WHERE id = ?');
    this.#removeOver = connection.prepare('DELETE FROM reservations WHERE ends_at <= ?');
  }

  usage(): StoredUsage[] {
    return this.#usage.all().map((found) => {
      const row = usageRow.parse(found);
      return {
        owner: row.owner,
        gpuSeconds: row.gpu_seconds,
        coreSeconds: row.core_seconds,
        countedAt: row.counted_at,
      };
    });
  }

  saveUsage({ owner, gpuSeconds, coreSeconds, countedAt }: StoredUsage): void {
    this.#group.write(() => this.#saveUsage.run(owner, gpuSeconds, coreSeconds, countedAt));
  }

  /** One that cannot be read is left out, and kept. */
  reservations(): StoredReservation[] {
    return this.#reservations.all().flatMap((found) => {
      const read = reservationRow.safeParse(found);
      if (read.success) return [read.data.reservation_json];
      this.#log.warn({ err: read.error }, 'an unreadable reservation is left out');
      return [];
    });
  }

  addReservation(reservation: StoredReservation): void {
    const { id, to } = reservation;
    this.#group.write(() => this.#add.run(BigInt(id), to, JSON.stringify(reservation)));
  }

  removeReservation(id: ReservationId): void {
    this.#group.write(() => this.#remove.run(BigInt(id)));
  }

  /** Those that were over by then. */
  removeReservationsOver(now: Instant): void {
    this.#group.write(() => this.#removeOver.run(now));
  }
}
