import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError, toStoreError } from './errors.ts';

/** Where everything lies inside a data directory. Absolute paths if `dataDir` is one. */
export interface DataPaths {
  readonly dataDir: string;
  readonly database: string;
  readonly lock: string;
  readonly lockHolder: string;
  readonly logs: string;
  readonly layers: string;
  readonly configFile: string;
  readonly knownHosts: string;
  readonly vaultKey: string;
}

export function dataPaths(dataDir: string): DataPaths {
  return {
    dataDir,
    database: join(dataDir, 'kohakuriver.db'),
    lock: join(dataDir, 'lock.db'),
    lockHolder: join(dataDir, 'lock.json'),
    logs: join(dataDir, 'logs'),
    layers: join(dataDir, 'layers'),
    configFile: join(dataDir, 'config.yaml'),
    knownHosts: join(dataDir, 'known_hosts'),
    vaultKey: join(dataDir, 'vault.key'),
  };
}

/**
 * Makes the data directory, readable by its owner only, and the folder for logs in it. A directory
 * that was there keeps its contents; what others could read in it is closed to them.
 */
export async function makeDataDir(dataDir: string): Promise<DataPaths> {
  const paths = dataPaths(dataDir);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await closeToOthers(dataDir);
    await mkdir(paths.logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw toStoreError(error, `make the data directory ${dataDir}`, { details: { dataDir } });
  }
  return paths;
}

async function closeToOthers(dataDir: string): Promise<void> {
  const found = await stat(dataDir);
  if (!found.isDirectory()) {
    throw new StoreError('store/failed', `${dataDir} is not a directory.`, {
      retry: 'after-user-action',
      details: { dataDir },
    });
  }
  const isOurs = process.getuid === undefined || found.uid === process.getuid();
  if (isOurs && (found.mode & 0o077) !== 0) await chmod(dataDir, 0o700);
}
