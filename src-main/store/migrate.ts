import { open } from 'node:fs/promises';
import type { Connection } from './connection.ts';
import { codeOf, StoreError, toStoreError } from './errors.ts';

/** One step of the schema. `version` is what `user_version` is after it. */
export interface Migration {
  readonly version: number;
  /** What it does, for the error when it fails. */
  readonly subject: string;
  readonly up: (connection: Connection) => void;
}

/**
 * Brings a database to the newest version, each step in a transaction of its own that also sets
 * `user_version`: a step that fails leaves nothing, and the database stays at the one before.
 * @throws StoreError `store/newer-database` (nothing is changed), or what the failing step threw.
 */
export function migrate(connection: Connection, migrations: readonly Migration[]): void {
  const current = Number(connection.pragma('user_version'));
  refuseNewer(current, migrations);
  for (const migration of migrations) {
    if (migration.version > current) apply(connection, migration);
  }
}

function apply(connection: Connection, migration: Migration): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    migration.up(connection);
    connection.pragma(`user_version = ${migration.version}`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isInTransaction) connection.exec('ROLLBACK');
    throw new StoreError(
      'store/failed',
      `Could not bring the database to version ${migration.version} (${migration.subject}). It is as it was before; keep a backup and report this.`,
      { cause: error, details: { version: migration.version } },
    );
  }
}

function refuseNewer(version: number, migrations: readonly Migration[]): void {
  const known = migrations.at(-1)?.version ?? 0;
  if (version <= known) return;
  throw new StoreError(
    'store/newer-database',
    `The database was written by a newer KohakuRiver (version ${version}, this one knows ${known}). Update this program; nothing was changed.`,
    { retry: 'after-user-action', details: { version, known } },
  );
}

/** Where the SQLite header keeps `user_version`, big-endian (https://www.sqlite.org/fileformat.html#the_database_header). */
const userVersionOffset = 60;

/**
 * Refuses a newer database by its header, before SQLite opens it and makes files beside it. Also
 * creates the file where there is none, readable by its owner only (SQLite gives its WAL the same
 * permissions). Must run before any connection to the file is open in this process.
 */
export async function prepareFile(file: string, migrations: readonly Migration[]): Promise<void> {
  try {
    const handle = await open(file, 'a+', 0o600);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, userVersionOffset);
      if (bytesRead === 4) refuseNewer(buffer.readUInt32BE(0), migrations);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toStoreError(
      error,
      codeOf(error) === 'EISDIR' ? `use ${file}, a directory` : `open ${file}`,
    );
  }
}
