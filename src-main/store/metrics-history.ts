import { z } from 'zod';
import type { MetricsPoint } from '../contract/node.ts';
import type { Connection, Statement } from './connection.ts';
import { decodePoint } from './metrics-codec.ts';
import type { MetricsQuery } from './query-protocol.ts';

const pointRow = z.object({ at: z.number().int(), point: z.instanceof(Uint8Array) });
const gpuRow = z.object({ id: z.number().int(), uuid: z.string() });

/** Reads history on any connection. */
export class MetricsHistory {
  readonly #points: Statement;
  readonly #gpus: Statement;

  constructor(connection: Connection) {
    this.#points = connection.prepare(
      'SELECT at, point FROM metrics WHERE node_id = ? AND minutes = ? AND at >= ? ORDER BY at',
    );
    this.#gpus = connection.prepare('SELECT id, uuid FROM metrics_gpus');
  }

  /** Oldest first. */
  read({ nodeId, resolution, from }: MetricsQuery): MetricsPoint[] {
    const uuids = new Map(
      this.#gpus
        .all()
        .map((row) => gpuRow.parse(row))
        .map(({ id, uuid }) => [id, uuid]),
    );
    return this.#points.all(BigInt(nodeId), resolution, from).map((row) => {
      const { at, point } = pointRow.parse(row);
      return decodePoint(at, point, (id) => uuids.get(id));
    });
  }
}
