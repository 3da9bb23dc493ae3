// A store in a directory of its own.
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src-main/domain/clock.ts';
import { openStore, type OpenStoreOptions, type Store } from '../../../src-main/store/open.ts';
import { start } from './tasks.ts';

export * from './tasks.ts';

export const clock: Clock = { now: () => start, monotonic: () => 0 };

export interface LogEntry {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** In memory where there is room: a store syncs the disk often, and these tests do not cut the power. */
async function scratch(): Promise<string> {
  const inMemory = '/dev/shm';
  if (process.platform !== 'linux') return tmpdir();
  const { bavail, bsize } = await statfs(inMemory);
  return bavail * bsize > 2 ** 29 ? inMemory : tmpdir();
}

export async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(await scratch(), 'kohakuriver-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface TestStore {
  readonly store: Store;
  readonly dataDir: string;
  readonly logged: LogEntry[];
}

export async function aStore(options: Partial<OpenStoreOptions> = {}): Promise<TestStore> {
  const dataDir = options.dataDir ?? join(await aDirectory(), 'data');
  const logged: LogEntry[] = [];
  const log = {
    warn: (fields: LogEntry['fields'], message: string) => logged.push({ fields, message }),
  };
  const store = await openStore({ clock, host: 'test', log, ...options, dataDir });
  onTestFinished(() => store.close());
  return { store, dataDir, logged };
}
