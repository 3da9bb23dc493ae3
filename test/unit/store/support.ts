// A store in a directory of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src-main/domain/clock.ts';
import { openStore, type OpenStoreOptions, type Store } from '../../../src-main/store/open.ts';
import { start } from './tasks.ts';

export * from './tasks.ts';

export const clock: Clock = { now: () => start, monotonic: () => performance.now() };

export interface LogEntry {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kohakuriver-store-'));
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
