import { z } from 'zod';
import { nodeId, type Instant, type NodeId } from '../contract/ids.ts';
import type { MetricsPoint, MetricsSpan } from '../contract/node.ts';
import type { Connection, Statement } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';
import { encodePoint, type Resolution } from './metrics-codec.ts';
import { MetricsHistory } from './metrics-history.ts';
import { meanPoint } from './metrics-mean.ts';
import type { QueryWorker } from './query-client.ts';

const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const dayMs = 24 * 60 * minuteMs;

const spans: Record<MetricsSpan, { readonly resolution: Resolution; readonly ms: number }> = {
  '1h': { resolution: 1, ms: 60 * minuteMs },
  '2d': { resolution: 1, ms: 2 * dayMs },
  '90d': { resolution: 15, ms: 90 * dayMs },
};

/** Rows deleted in one step, so that a prune after a long pause does not hold the main thread. */
const pruneStep = 2000;

const idRow = z.object({ id: z.number().int() });
const nodeRow = z.object({ id: nodeId });
const newestRow = z.object({ at: z.number().int().nullable() });

export interface MetricsRepositoryParts {
  readonly connection: Connection;
  readonly group: GroupCommit;
  readonly queries: QueryWorker;
}

/** History of the nodes' use: a point a minute for two days, one every 15 minutes for 90 days. */
export class MetricsRepository {
  readonly #parts: MetricsRepositoryParts;
  readonly #history: MetricsHistory;
  readonly #gpuNumbers = new Map<string, number>();
  readonly #insert: Statement;
  readonly #gpu: Statement;
  readonly #nodes: Statement;
  readonly #newest: Statement;
  readonly #prune: Statement;
  readonly #forget: Statement;

  constructor(parts: MetricsRepositoryParts) {
    const { connection } = parts;
    this.#parts = parts;
    this.#history = new MetricsHistory(connection);
    this.#insert = connection.prepare(
      'INSERT INTO metrics VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET point = excluded.point',
    );
    this.#gpu = connection.prepare(
      'INSERT INTO metrics_gpus (uuid) VALUES (?) ON CONFLICT DO UPDATE SET uuid = uuid RETURNING id',
    );
    this.#nodes = connection.prepare(
      'SELECT CAST(id AS TEXT) AS id FROM nodes WHERE EXISTS (SELECT 1 FROM metrics WHERE node_id = nodes.id)',
    );
    this.#newest = connection.prepare(
      'SELECT max(at) AS at FROM metrics WHERE node_id = ? AND minutes = ?',
    );
    this.#prune = connection.prepare(
      `DELETE FROM metrics WHERE (node_id, minutes, at) IN
         (SELECT node_id, minutes, at FROM metrics WHERE minutes = ? AND at < ? LIMIT ${pruneStep})`,
    );
    this.#forget = connection.prepare('DELETE FROM metrics WHERE node_id = ?');
    parts.group.onDidFail(() => this.#gpuNumbers.clear());
  }

  /** Adds points of a minute each; one for a minute that has one already replaces it. */
  append(node: NodeId, points: readonly MetricsPoint[]): void {
    this.#parts.group.write(() => {
      for (const point of points) this.#put(node, 1, point);
    });
  }

  /** Oldest first, read off the main thread: minutes for `1h` and `2d`, quarters of an hour for `90d`. */
  async read(node: NodeId, span: MetricsSpan, now: Instant): Promise<MetricsPoint[]> {
    const { resolution, ms } = spans[span];
    await this.#parts.group.settled();
    return this.#parts.queries.metrics({ nodeId: node, resolution, from: now - ms });
  }

  /** Makes the quarters of an hour that are over from their minutes, and drops what is too old. */
  async prune(now: Instant): Promise<void> {
    for (const row of this.#nodes.all()) {
      this.#rollUp(nodeRow.parse(row).id, now);
      await this.#parts.group.settled();
    }
    await this.#drop(1, now - spans['2d'].ms);
    await this.#drop(15, now - spans['90d'].ms);
  }

  forgetNode(node: NodeId): void {
    this.#parts.group.write(() => this.#forget.run(BigInt(node)));
  }

  #rollUp(node: NodeId, now: Instant): void {
    const newest = newestRow.parse(this.#newest.get(BigInt(node), 15)).at;
    const from = newest === null ? 0 : newest + quarterMs;
    const until = now - (now % quarterMs);
    if (from >= until) return;
    const points = this.#history.read({ nodeId: node, resolution: 1, from });
    const over = points.filter(({ at }) => at < until);
    const quarters = Map.groupBy(over, ({ at }) => at - (at % quarterMs));
    this.#parts.group.write(() => {
      for (const [at, minutes] of quarters) this.#put(node, 15, meanPoint(at, minutes));
    });
  }

  async #drop(resolution: Resolution, before: Instant): Promise<void> {
    let dropped: number;
    do {
      dropped = this.#parts.group.write(() => this.#prune.run(resolution, before));
      await this.#parts.group.settled();
    } while (dropped === pruneStep);
  }

  #put(node: NodeId, resolution: Resolution, point: MetricsPoint): void {
    const bytes = encodePoint(point, (uuid) => this.#gpuNumber(uuid));
    this.#insert.run(BigInt(node), resolution, point.at, bytes);
  }

  #gpuNumber(uuid: string): number {
    const known = this.#gpuNumbers.get(uuid);
    if (known !== undefined) return known;
    const { id } = idRow.parse(this.#gpu.get(uuid));
    this.#gpuNumbers.set(uuid, id);
    return id;
  }
}
