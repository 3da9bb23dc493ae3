import { z } from 'zod';
import { taskId, type TaskId } from '../contract/ids.ts';
import { snapshotPolicy, sshMode, vpsPort } from '../contract/vps.ts';
import type { VpsRecord } from '../domain/vps/vps-record.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import { StoreError } from './errors.ts';
import type { GroupCommit } from './group-commit.ts';
import { parseJson } from './json.ts';

const record: z.ZodType<Omit<VpsRecord, 'id'>> = z.strictObject({
  ssh: z.strictObject({
    mode: sshMode,
    publicKey: z.string().nullable(),
    identityFile: z.string().nullable(),
    hostKey: z.string().nullable(),
    isReady: z.boolean(),
    problem: z.string().nullable(),
  }),
  ports: z.array(vpsPort),
  snapshots: snapshotPolicy,
  dueSnapshot: z.string().nullable(),
  snapshotProblem: z.string().nullable(),
});
const row = z.object({ id: taskId, vps_json: z.string() });

/** What only VPSes have, beside their tasks. Writes are durable when `store.flushed()` resolves. Throws StoreError. */
export class VpsRepository {
  readonly #group: GroupCommit;
  readonly #log: StoreLog;
  readonly #put: Statement;
  readonly #living: Statement;

  constructor(connection: Connection, group: GroupCommit, log: StoreLog) {
    this.#group = group;
    this.#log = log;
    this.#put = connection.prepare('INSERT OR REPLACE INTO vps VALUES (?, ?)');
    this.#living = connection.prepare(
      `SELECT CAST(v.task_id AS TEXT) AS id, v.vps_json FROM vps v
       JOIN tasks t ON t.id = v.task_id WHERE t.status <> 'KILLED' ORDER BY v.task_id`,
    );
  }

  put({ id, ...rest }: VpsRecord): void {
    this.#group.write(() => void this.#put.run(BigInt(id), JSON.stringify(rest)));
  }

  /** Of every VPS that was not removed, oldest first; what cannot be read is left out and logged. */
  living(): VpsRecord[] {
    return this.#living.all().flatMap((found) => {
      const { id, vps_json } = row.parse(found);
      try {
        return [{ id: id satisfies TaskId, ...parseJson(record, vps_json, 'vps_json') }];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#log.warn({ taskId: id, err: error }, 'unreadable VPS record set aside');
        return [];
      }
    });
  }
}
