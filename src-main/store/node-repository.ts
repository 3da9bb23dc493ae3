import type { Instant, NodeId } from '../contract/ids.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import { codeOf, StoreError } from './errors.ts';
import type { GroupCommit } from './group-commit.ts';
import { nodeColumns, nodeValues, toNodeRecord, type NodeRecord } from './node-rows.ts';

const updated = [
  'name',
  'is_local',
  'address_json',
  'auth_json',
  'labels_json',
  'is_drained',
  'is_disabled',
  'facts_json',
  'added_at',
  'last_seen_at',
  'removed_at',
];

/** Nodes as they are remembered. Writes are durable when `store.flushed()` resolves. Throws StoreError. */
export class NodeRepository {
  readonly #group: GroupCommit;
  readonly #log: StoreLog;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #all: Statement;
  readonly #byId: Statement;
  readonly #byName: Statement;
  readonly #seen: Statement;

  constructor(connection: Connection, group: GroupCommit, log: StoreLog) {
    this.#group = group;
    this.#log = log;
    this.#insert = connection.prepare('INSERT INTO nodes VALUES (?,?,?,?,?,?,?,?,?,?,?,?)');
    this.#update = connection.prepare(
      `UPDATE nodes SET ${updated.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
    );
    const select = `SELECT ${nodeColumns} FROM nodes`;
    this.#all = connection.prepare(
      `${select} WHERE removed_at IS NULL ORDER BY name COLLATE NOCASE`,
    );
    this.#byId = connection.prepare(`${select} WHERE id = ?`);
    this.#byName = connection.prepare(
      `${select} WHERE name = ? COLLATE NOCASE AND removed_at IS NULL`,
    );
    this.#seen = connection.prepare('UPDATE nodes SET last_seen_at = ? WHERE id = ?');
  }

  /** @throws StoreError `conflict/name-taken` when another node has the name, in whatever case. */
  insert(node: NodeRecord): void {
    this.#write(node, () => void this.#insert.run(...nodeValues(node)));
  }

  /** Replaces what is remembered of a node: a new name, labels, drain, facts, removal. @throws like `insert` */
  update(node: NodeRecord): void {
    this.#write(node, () => {
      const [id, ...values] = nodeValues(node);
      if (this.#update.run(...values, id ?? null) === 1) return;
      throw new StoreError('conflict/state', `Node ${node.name} is not in the database any more.`, {
        details: { nodeId: node.id },
      });
    });
  }

  setLastSeen(id: NodeId, at: Instant): void {
    this.#group.write(() => this.#seen.run(at, BigInt(id)));
  }

  /** Every node that was not removed, by name. */
  all(): NodeRecord[] {
    return this.#all.all().map((row) => this.#read(row));
  }

  /** Removed ones too: tasks of the past name them. */
  get(id: NodeId): NodeRecord | undefined {
    const row = this.#byId.get(BigInt(id));
    return row === undefined ? undefined : this.#read(row);
  }

  /** Without case; removed ones are not found. */
  byName(name: string): NodeRecord | undefined {
    const row = this.#byName.get(name);
    return row === undefined ? undefined : this.#read(row);
  }

  #read(row: unknown): NodeRecord {
    return toNodeRecord(row, ({ id, error }) =>
      this.#log.warn({ nodeId: id, err: error }, 'unreadable node facts count as unknown'),
    );
  }

  #write(node: NodeRecord, write: () => void): void {
    try {
      this.#group.write(write);
    } catch (error) {
      const cause = error instanceof StoreError ? error.cause : undefined;
      if (codeOf(cause) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error;
      throw new StoreError(
        'conflict/name-taken',
        `There is a node called ${node.name} already. Choose another name.`,
        { cause: error, retry: 'after-user-action', details: { name: node.name } },
      );
    }
  }
}
