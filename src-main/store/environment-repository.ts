import { z } from 'zod';
import {
  deliveryId,
  environmentOrigin,
  environmentVersion,
  versionId,
  type DeliveryId,
} from '../contract/environments.ts';
import { instant, nodeId } from '../contract/ids.ts';
import type { DeliveryRecord, EnvironmentRecord } from '../domain/environments/environment.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';

const environmentJson = z.object({
  note: z.string(),
  build: z
    .object({
      nodeId,
      origin: environmentOrigin,
      state: z.enum(['wanted', 'made', 'failed']),
      problem: z.string().nullable(),
      base: z.string().nullable(),
      imageId: z.string().nullable(),
    })
    .nullable(),
  versions: z.array(
    environmentVersion.omit({ isCurrent: true, madeOn: true }).extend({ madeOnId: nodeId }),
  ),
});
const fromJson = <T extends z.ZodType>(schema: T) =>
  z.string().transform((text): z.output<T> => schema.parse(JSON.parse(text)));
const environmentRow = z.object({
  name: z.string(),
  environment_json: fromJson(environmentJson),
  created_at: instant,
});
const deliveryRow = z.object({
  id: deliveryId,
  environment: z.string(),
  version_id: versionId,
  node_id: nodeId,
  state: z.enum(['waiting', 'moving', 'done', 'failed', 'cancelled']),
  delivery_json: fromJson(
    z.object({
      words: z.string(),
      movedBytes: z.number(),
      totalBytes: z.number().nullable(),
      layersMoved: z.number(),
      layersThere: z.number(),
    }),
  ),
  created_at: instant,
});

/** Environments and deliveries as they are kept. Writes are durable when `store.flushed()` resolves. */
export class EnvironmentRepository {
  readonly #group: GroupCommit;
  readonly #log: StoreLog;
  readonly #save: Statement;
  readonly #remove: Statement;
  readonly #all: Statement;
  readonly #saveDelivery: Statement;
  readonly #removeDelivery: Statement;
  readonly #allDeliveries: Statement;

  constructor(connection: Connection, group: GroupCommit, log: StoreLog) {
    this.#group = group;
    this.#log = log;
    this.#save = connection.prepare('INSERT OR REPLACE INTO environments VALUES (?,?,?)');
    this.#remove = connection.prepare('DELETE FROM environments WHERE name = ?');
    this.#all = connection.prepare('SELECT * FROM environments ORDER BY name');
    this.#saveDelivery = connection.prepare(
      'INSERT OR REPLACE INTO environment_deliveries VALUES (?,?,?,?,?,?,?)',
    );
    this.#removeDelivery = connection.prepare('DELETE FROM environment_deliveries WHERE id = ?');
    this.#allDeliveries = connection.prepare(
      `SELECT CAST(id AS TEXT) AS id, environment, CAST(version_id AS TEXT) AS version_id,
       CAST(node_id AS TEXT) AS node_id, state, delivery_json, created_at
       FROM environment_deliveries ORDER BY environment_deliveries.id`,
    );
  }

  save({ name, createdAt, ...rest }: EnvironmentRecord): void {
    this.#group.write(() => this.#save.run(name, JSON.stringify(rest), createdAt));
  }

  remove(name: string): void {
    this.#group.write(() => this.#remove.run(name));
  }

  /** By name. One that cannot be read is left out, and kept. */
  all(): EnvironmentRecord[] {
    return this.#read(this.#all, environmentRow).map(({ name, environment_json, created_at }) => ({
      name,
      createdAt: created_at,
      ...environment_json,
    }));
  }

  saveDelivery(record: DeliveryRecord): void {
    const { id, environment, versionId: version, nodeId: node, state, createdAt, ...rest } = record;
    const json = JSON.stringify(rest);
    this.#group.write(() =>
      this.#saveDelivery.run(
        BigInt(id),
        environment,
        BigInt(version),
        BigInt(node),
        state,
        json,
        createdAt,
      ),
    );
  }

  removeDelivery(id: DeliveryId): void {
    this.#group.write(() => this.#removeDelivery.run(BigInt(id)));
  }

  /** In the order they were asked for. */
  deliveries(): DeliveryRecord[] {
    return this.#read(this.#allDeliveries, deliveryRow).map((row) => ({
      id: row.id,
      environment: row.environment,
      versionId: row.version_id,
      nodeId: row.node_id,
      state: row.state,
      createdAt: row.created_at,
      ...row.delivery_json,
    }));
  }

  #read<T extends z.ZodType>(statement: Statement, schema: T): z.output<T>[] {
    return statement.all().flatMap((found) => {
      const read = schema.safeParse(found);
      if (read.success) return [read.data];
      this.#log.warn({ err: read.error }, 'an unreadable environment is left out');
      return [];
    });
  }
}
