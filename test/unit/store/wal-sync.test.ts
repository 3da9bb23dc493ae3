// What was acknowledged is on the disk: with a disk that keeps only what was forced.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { seeded } from '../../support/random.ts';
import { aDirectory, aStore, aTask, asNew, taskIdOf } from './support.ts';

/** Holds what a power cut would leave: database and log as they were when the last finished sync was asked for. */
class Disk {
  image: { readonly database: Buffer; readonly wal: Buffer } | undefined;
  /** Syncs under way end only when they are let go. */
  isHeld = false;
  fault: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  readonly open = (file: string) => {
    const database = file.replace(/-wal$/, '');
    const datasync = async () => {
      const taken = { database: readFileSync(database), wal: readFileSync(file) };
      if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.fault !== undefined) throw this.fault;
      this.image = taken;
    };
    return Promise.resolve({ datasync, close: () => Promise.resolve() });
  };

  get syncsUnderWay(): number {
    return this.#waiting.length;
  }

  letGo(): void {
    this.#waiting.shift()?.();
  }

  /** The tasks that are there after a power cut right now. */
  async tasks(): Promise<string[]> {
    const file = join(await aDirectory(), 'kohakuriver.db');
    await writeFile(file, this.image!.database);
    await writeFile(`${file}-wal`, this.image!.wal);
    const database = new Sqlite(file);
    const rows = database.prepare('SELECT CAST(id AS TEXT) AS id FROM tasks ORDER BY id').all();
    database.close();
    return (rows as { id: string }[]).map(({ id }) => id);
  }
}

/** Lets commits and what follows from them happen. */
async function turns(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function aStoreOn(disk: Disk) {
  const { store } = await aStore({ openWal: disk.open });
  disk.isHeld = true;
  let count = 0;
  const acknowledged: string[] = [];
  const write = () => {
    const index = (count += 1);
    store.tasks.insertMany([asNew(aTask(index))]);
    void store.flushed().then(() => acknowledged.push(taskIdOf(index)));
  };
  const end = async () => {
    disk.isHeld = false;
    while (disk.syncsUnderWay > 0) disk.letGo();
    await store.flushed();
  };
  return { store, write, acknowledged, end };
}

test('nothing is acknowledged before it is on the disk, nor later than that', async () => {
  const disk = new Disk();
  const { write, acknowledged, end } = await aStoreOn(disk);
  write();
  await turns();
  // This one comes while the first is being forced: it needs a sync of its own.
  write();
  await turns();
  expect([acknowledged, await disk.tasks()]).toEqual([[], []]);
  disk.letGo();
  await turns();
  expect([acknowledged, await disk.tasks()]).toEqual([[taskIdOf(1)], [taskIdOf(1)]]);
  disk.letGo();
  await turns();
  expect(acknowledged).toEqual([taskIdOf(1), taskIdOf(2)]);
  expect(await disk.tasks()).toEqual(acknowledged);
  expect(disk.syncsUnderWay).toBe(0);
  await end();
});

test('what was acknowledged survives a power cut at any moment', async () => {
  const chance = seeded(20_26);
  const disk = new Disk();
  const { write, acknowledged, end } = await aStoreOn(disk);
  for (let step = 0; step < 150; step += 1) {
    const dice = chance();
    if (dice < 0.5) write();
    else if (dice < 0.8) disk.letGo();
    else await turns();
    if (step % 15 !== 0) continue;
    const survivors = await disk.tasks();
    expect(survivors).toEqual(expect.arrayContaining(acknowledged));
  }
  expect(acknowledged.length).toBeGreaterThan(20);
  await end();
  expect(await disk.tasks()).toEqual(acknowledged);
});

test('a sync that fails acknowledges nothing; the next one does not trust the log any more', async () => {
  const disk = new Disk();
  const { store, acknowledged, write, end } = await aStoreOn(disk);
  disk.isHeld = false;
  disk.fault = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  store.tasks.insertMany([asNew(aTask(7))]);
  await expect(store.flushed()).rejects.toMatchObject({ code: 'store/failed' });
  // The fault is still there, but now SQLite copies the log into the database and forces that.
  write();
  await turns();
  expect(acknowledged).toEqual([taskIdOf(1)]);
  disk.fault = undefined;
  await end();
});
