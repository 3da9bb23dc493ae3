// One core per data directory. The proof is an exclusive SQLite lock on a file that holds nothing:
// the operating system takes it away with the process, however it ends. Never open lock.db by other
// means in this process: closing any descriptor of it would drop the lock (POSIX fcntl locks).
import { rm } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { instant } from '../contract/ids.ts';
import { codeOf, StoreError, toStoreError } from './errors.ts';
import type { DataPaths } from './data-dir.ts';
import { writeFileAtomically } from './atomic-file.ts';

/** Who has a data directory open; anyone may read it beside the lock. */
export const lockHolder = z.object({
  pid: z.number().int().positive(),
  /** `electron`, `server`, `test`. */
  host: z.string(),
  startedAt: instant,
});
export type LockHolder = z.infer<typeof lockHolder>;

export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes the data directory for this process until `release` or its end.
 * @throws StoreError `store/locked`, with the holder's pid and host in `details` where they are known.
 */
export async function takeLock(paths: DataPaths, holder: LockHolder): Promise<DirectoryLock> {
  const database = await lockFile(paths);
  try {
    await writeFileAtomically(paths.lockHolder, JSON.stringify(holder));
  } catch (error) {
    database.close();
    throw toStoreError(error, `write ${paths.lockHolder}`);
  }
  return {
    async release() {
      await rm(paths.lockHolder, { force: true });
      database.close();
    },
  };
}

async function lockFile(paths: DataPaths): Promise<Sqlite.Database> {
  let database: Sqlite.Database | undefined;
  try {
    database = new Sqlite(paths.lock, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) throw await lockedError(paths, error);
    throw toStoreError(error, `lock the data directory ${paths.dataDir}`);
  }
}

async function lockedError(paths: DataPaths, cause: unknown): Promise<StoreError> {
  const holder = await readLockHolder(paths);
  const by = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.host})`;
  return new StoreError(
    'store/locked',
    `${paths.dataDir} is in use by ${by}. Use that core, or stop it with "kohakuriver stop" first.`,
    {
      cause,
      retry: 'later',
      details: {
        dataDir: paths.dataDir,
        ...(holder === undefined ? {} : { pid: holder.pid, host: holder.host }),
      },
    },
  );
}

/** What the newest holder wrote about itself. It may have ended since: only the lock proves life. */
export async function readLockHolder(paths: DataPaths): Promise<LockHolder | undefined> {
  let text: string;
  try {
    text = await readFile(paths.lockHolder, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw toStoreError(error, `read ${paths.lockHolder}`);
  }
  return parseHolder(text);
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    return lockHolder.parse(JSON.parse(text));
  } catch {
    // The file only informs: one that says nothing sensible is as good as none.
    return undefined;
  }
}
