import { createWriteStream } from 'node:fs';
import {
  access,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  type FileHandle,
} from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { RequestError } from '../contract/errors.ts';
import type { DataPaths } from './data-dir.ts';
import { codeOf, toStoreError } from './errors.ts';
import type { GroupCommit } from './group-commit.ts';
import type { QueryWorker } from './query-client.ts';

export interface BackupOptions {
  /** One tar file; it must not exist yet. Readable by its owner only. */
  readonly file: string;
  /** With the key file of the vault, whoever has the backup has the secrets. Default: without. */
  readonly withVaultKey?: boolean;
}

export interface BackupParts {
  readonly group: GroupCommit;
  readonly queries: QueryWorker;
  readonly paths: DataPaths;
}

/**
 * Writes a copy of a data directory into one file: the database as it is at one moment, the logs at
 * least as far as the database knows them, settings and known hosts. Unpacked into an empty
 * directory it is a data directory. After a failure there is no file.
 * @throws RequestError `input/invalid` when the file exists, StoreError.
 */
export async function backup(
  { group, queries, paths }: BackupParts,
  options: BackupOptions,
): Promise<{ readonly file: string; readonly bytes: number }> {
  const file = resolve(options.file);
  await refuseExisting(file);
  const partial = `${file}.partial`;
  try {
    const work = await mkdtemp(join(paths.dataDir, 'backup-'));
    try {
      const database = join(work, 'kohakuriver.db');
      await group.flushed();
      await queries.copyInto(database);
      await writeTar(partial, { paths, database, withVaultKey: options.withVaultKey ?? false });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    await rename(partial, file);
    return { file, bytes: (await stat(file)).size };
  } catch (error) {
    await rm(partial, { force: true });
    throw toStoreError(error, `write the backup ${file}`);
  }
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await access(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw toStoreError(error, `write the backup ${file}`);
  }
  throw new RequestError(
    'input/invalid',
    `${file} exists already. Choose another name, or remove it first.`,
    { retry: 'after-user-action', details: { file } },
  );
}

interface Contents {
  readonly paths: DataPaths;
  readonly database: string;
  readonly withVaultKey: boolean;
}

async function writeTar(file: string, contents: Contents): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true }));
  const filled = fill(tar, contents).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  await Promise.all([written, filled]);
}

async function fill(tar: Pack, { paths, database, withVaultKey }: Contents): Promise<void> {
  await addFile(tar, database, 'kohakuriver.db');
  await addFile(tar, paths.configFile, 'config.yaml');
  await addFile(tar, paths.knownHosts, 'known_hosts');
  if (withVaultKey) await addFile(tar, paths.vaultKey, 'vault.key');
  for await (const log of filesBelow(paths.logs)) {
    await addFile(tar, log, relative(paths.dataDir, log).split(sep).join('/'));
  }
}

async function* filesBelow(directory: string): AsyncGenerator<string> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(absentAs([]));
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    // An index is made again from its journal.
    else if (entry.isFile() && entry.name.endsWith('.log')) yield path;
  }
}

/** What was removed since it was listed, or was never there, is left out. */
function absentAs<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return instead;
    throw error;
  };
}

async function addFile(tar: Pack, path: string, name: string): Promise<void> {
  const file = await open(path, 'r').catch(absentAs(undefined));
  if (file === undefined) return;
  try {
    const { size, mtime } = await file.stat();
    const entry = tar.entry({ name, size, mtime, mode: 0o600 });
    await pipeline(Readable.from(bytesOf(file, size)), entry);
  } finally {
    await file.close();
  }
}

/** Exactly as many bytes as the header promised: a log may grow meanwhile, and its torn end is cut when it is opened. */
async function* bytesOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  const step = 256 * 1024;
  for (let at = 0; at < size; at += step) {
    const length = Math.min(step, size - at);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at);
    // A log that was cut meanwhile ends in zeros, which no record is.
    yield bytesRead === length ? buffer : buffer.fill(0, bytesRead);
  }
}
