import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { taskWindowQuery } from '../../../src-main/contract/task.ts';
import { migrations } from '../../../src-main/store/migrations/index.ts';
import { openStore } from '../../../src-main/store/open.ts';
import { aDirectory, aStore, aTask, asNew, clock, start, taskIdOf } from './support.ts';

const run = promisify(execFile);
const program = (name: string) => new URL(`./programs/${name}.ts`, import.meta.url);

describe('a data directory', () => {
  test('is its owner’s only, also when it was open before', async () => {
    const dataDir = join(await aDirectory(), 'a', 'b');
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    const { store } = await aStore({ dataDir });
    store.tasks.insertMany([asNew(aTask(1))]);
    await store.flushed();
    const modes = await Promise.all(
      ['.', 'logs', 'kohakuriver.db', 'kohakuriver.db-wal', 'lock.json'].map(async (name) =>
        ((await stat(join(dataDir, name))).mode & 0o777).toString(8),
      ),
    );
    expect(modes).toEqual(['700', '700', '600', '600', '600']);
  });

  test('keeps the identity that was made with it', async () => {
    const { store, dataDir } = await aStore();
    const { identity } = store;
    expect(identity.coreId).toMatch(/^\d{18,19}$/);
    await store.close();
    expect((await aStore({ dataDir })).store.identity).toEqual(identity);
    expect((await aStore()).store.identity.coreId).not.toBe(identity.coreId);
  });

  test('belongs to one store at a time in a process', async () => {
    const { store, dataDir } = await aStore();
    await expect(aStore({ dataDir })).rejects.toMatchObject({
      code: 'store/locked',
      details: { dataDir, pid: process.pid, host: 'test' },
    });
    // The refused attempt has not loosened the lock: other processes are refused too.
    const other = fork(program('hold-store'), [dataDir], { stdio: 'ignore' });
    expect(await once(other, 'exit')).toEqual([1, null]);
    store.tasks.insertMany([asNew(aTask(1))]);
    await store.close();
    await store.close();
    const { store: next } = await aStore({ dataDir });
    await store.close();
    await expect(aStore({ dataDir })).rejects.toMatchObject({ details: { pid: process.pid } });
    expect(next.tasks.get(taskIdOf(1))).toBeDefined();
  });

  test('belongs to one process, and is free when that is killed', async () => {
    const dataDir = join(await aDirectory(), 'data');
    const holder = fork(program('hold-store'), [dataDir]);
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder, 'message');
    const error: unknown = await openStore({
      dataDir,
      clock,
      host: 'test',
      log: { warn: () => undefined },
    }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'store/locked',
      details: { pid: holder.pid, host: 'holder' },
    });
    expect(String(error)).toContain(`process ${holder.pid} (holder)`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await aStore({ dataDir });
  });

  test('that cannot be one is refused', async () => {
    const path = join(await aDirectory(), 'file');
    await writeFile(path, '');
    await expect(aStore({ dataDir: path })).rejects.toMatchObject({ code: 'store/failed' });
    await expect(aStore({ dataDir: join(path, 'below') })).rejects.toMatchObject({
      code: 'store/failed',
    });
  });
});

describe('a database', () => {
  test('of a newer version is refused and left as it is', async () => {
    const { store, dataDir } = await aStore();
    await store.close();
    const file = join(dataDir, 'kohakuriver.db');
    const database = new Sqlite(file);
    database.pragma('user_version = 99');
    database.close();
    const before = await readFile(file);
    const names = await readdir(dataDir);
    await expect(aStore({ dataDir })).rejects.toMatchObject({
      code: 'store/newer-database',
      details: { version: 99, known: migrations.at(-1)!.version },
    });
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(dataDir)).toEqual(names.toSorted());
  });

  test('that is none is refused', async () => {
    const dataDir = join(await aDirectory(), 'data');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'kohakuriver.db'), 'no database at all'.repeat(1000));
    await expect(aStore({ dataDir })).rejects.toMatchObject({
      code: expect.stringMatching(/store\/(corrupt|newer-database)/) as unknown,
    });
  });

  test('keeps nothing of a migration that failed', async () => {
    const failing = {
      version: migrations.length + 1,
      subject: 'half done',
      up: (connection: { exec(sql: string): void }) => {
        connection.exec('CREATE TABLE half (a INTEGER) STRICT; DELETE FROM meta');
        connection.exec('nonsense');
      },
    };
    const { store, dataDir } = await aStore();
    const { identity } = store;
    await store.close();
    await expect(aStore({ dataDir, migrations: [...migrations, failing] })).rejects.toMatchObject({
      code: 'store/failed',
      details: { version: failing.version },
    });
    const { store: again } = await aStore({ dataDir });
    expect(again.identity).toEqual(identity);
    await again.close();
    const database = new Sqlite(join(dataDir, 'kohakuriver.db'), { readonly: true });
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length);
    expect(
      database.prepare(`SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'`).get(),
    ).toEqual({ n: 0 });
    database.close();
  });

  test('has versions that rise by one, and strict tables', async () => {
    expect(migrations.map(({ version }) => version)).toEqual(
      migrations.map((_, index) => index + 1),
    );
    const { store, dataDir } = await aStore();
    await store.close();
    const database = new Sqlite(join(dataDir, 'kohakuriver.db'), { readonly: true });
    const loose = database
      .prepare(
        `SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'`,
      )
      .all();
    expect(loose).toEqual([]);
    database.close();
  });

  test('of every released version opens with what was in it', async () => {
    const fixtures = new URL('./fixtures/', import.meta.url);
    const names = await readdir(fixtures);
    expect(names).toHaveLength(migrations.length);
    for (const name of names) {
      const dataDir = join(await aDirectory(), 'data');
      await mkdir(dataDir);
      const database = new Sqlite(join(dataDir, 'kohakuriver.db'));
      database.exec(await readFile(new URL(name, fixtures), 'utf8'));
      database.close();
      const { store } = await aStore({ dataDir });
      const window = await store.tasks.window(taskWindowQuery.parse({ sort: 'oldest' }));
      expect(window.unreadable).toEqual([]);
      expect(window.rows.map(({ task }) => task.state.status)).toContain('RUNNING');
      expect(store.effects.all()).toHaveLength(1);
      expect(store.nodes.all().map((node) => node.name)).toEqual(['n1']);
      await store.close();
    }
  });
});

describe('writes', () => {
  const held = () => {
    const waiting: (() => void)[] = [];
    return {
      schedule: (callback: () => void) => void waiting.push(callback),
      turn: () => waiting.splice(0).forEach((f) => f()),
    };
  };

  test('of one turn are durable together, and seen at once', async () => {
    const { schedule, turn } = held();
    const opening = aStore({ schedule });
    const timer = setInterval(turn, 1);
    const { store, dataDir } = await opening;
    clearInterval(timer);
    const reader = new Sqlite(join(dataDir, 'kohakuriver.db'), { readonly: true });
    const stored = () => reader.prepare('SELECT count(*) AS n FROM tasks').get();
    store.tasks.insertMany([asNew(aTask(1))]);
    store.tasks.insertMany([asNew(aTask(2))]);
    let isDurable = false;
    const flushed = store.flushed().then(() => (isDurable = true));
    await Promise.resolve();
    expect([store.tasks.active().tasks.length, stored(), isDurable]).toEqual([2, { n: 0 }, false]);
    turn();
    await flushed;
    expect(stored()).toEqual({ n: 2 });
    await store.flushed();
    reader.close();
  });

  test('that throw are undone, others of the same turn are not', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1))]);
    expect(() => store.tasks.insertMany([asNew(aTask(2)), asNew(aTask(1))])).toThrow(
      expect.objectContaining({ code: 'store/failed' }),
    );
    expect(() =>
      store.write(() => {
        store.tasks.insertMany([asNew(aTask(3))]);
        store.write(() => store.tasks.insertMany([asNew(aTask(4))]));
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    store.tasks.insertMany([asNew(aTask(5))]);
    await store.flushed();
    expect(store.tasks.active().tasks.map(({ task }) => task.id)).toEqual([
      taskIdOf(1),
      taskIdOf(5),
    ]);
  });

  test('that hold the main thread for long are reported', async () => {
    let now = 0;
    const slow = { now: () => start, monotonic: () => (now += 30) };
    const { store, logged } = await aStore({ clock: slow });
    store.tasks.insertMany([asNew(aTask(1))]);
    expect(logged).toEqual([]);
    now = 0;
    const slower = { now: () => start, monotonic: () => (now += 50) };
    const { logged: reported } = await aStore({ clock: slower });
    expect(reported[0]).toEqual({
      fields: { sql: expect.any(String) as unknown, tookMs: 50 },
      message: 'slow query',
    });
  });

  test('are read by the worker once they are made', async () => {
    const { store } = await aStore();
    for (let n = 1; n <= 5; n += 1) {
      store.tasks.insertMany([asNew(aTask(n))]);
      expect((await store.tasks.window(taskWindowQuery.parse({}))).total).toBe(n);
    }
  });

  test('that were acknowledged survive kill -9 at any moment', async () => {
    const dataDir = join(await aDirectory(), 'data');
    let from = 0;
    for (const lifetimeMs of [150, 260, 370]) {
      const writer = fork(program('write-tasks'), [dataDir, String(from)]);
      let acknowledged = from;
      writer.on('message', (count: number) => {
        if (acknowledged === from) setTimeout(() => writer.kill('SIGKILL'), lifetimeMs);
        acknowledged = count;
      });
      await once(writer, 'exit');
      expect(acknowledged).toBeGreaterThan(from);
      const { store } = await aStore({ dataDir });
      const { tasks, unreadable } = store.tasks.active();
      expect(unreadable).toEqual([]);
      expect(tasks.length).toBeGreaterThanOrEqual(acknowledged);
      tasks.forEach(({ task }, index) => {
        expect(task.id).toBe(taskIdOf(index));
        const isPlaced = task.state.status === 'ASSIGNING';
        expect(store.tasks.events(task.id)).toHaveLength(isPlaced ? 2 : 1);
      });
      const placed = tasks.filter(({ task }) => task.state.status === 'ASSIGNING');
      expect(store.effects.all().map(({ taskId }) => taskId)).toEqual(
        placed.map(({ task }) => task.id),
      );
      from = tasks.length;
      await store.close();
    }
  });
});

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

describe.skipIf(!isRoot)('a full disk (needs root for a small file system)', () => {
  const aSmallDisk = async () => {
    const mountPoint = await aDirectory();
    await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mountPoint]);
    onTestFinished(async () => {
      await run('umount', ['-l', mountPoint]);
    });
    return { dataDir: join(mountPoint, 'data'), fill: join(mountPoint, 'fill') };
  };

  test('is said, undoes what could not be saved, and is got over', async () => {
    const { dataDir, fill } = await aSmallDisk();
    const { store } = await aStore({ dataDir });
    const failures: string[] = [];
    store.onDidFail((error) => failures.push(error.code));
    let accepted = 0;
    const text = 'x'.repeat(20_000);
    const failure: unknown = await (async () => {
      for (let n = 0; n < 1000; n += 1) {
        store.tasks.insertMany([asNew(aTask(n, { spec: { env: { TEXT: text } } }))]);
        await store.flushed();
        accepted += 1;
      }
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store/disk-full', retry: 'after-user-action' });
    expect(accepted).toBeGreaterThan(10);
    expect(store.tasks.active().tasks).toHaveLength(accepted);
    await store.close();
    await run('mount', ['-o', 'remount,size=30m', join(dataDir, '..')]);
    await writeFile(fill, '');
    const { store: again } = await aStore({ dataDir });
    expect(again.tasks.active().tasks).toHaveLength(accepted);
    again.tasks.insertMany([asNew(aTask(5000))]);
    await again.flushed();
  });

  test('ends a log behind its last whole record', async () => {
    const { dataDir } = await aSmallDisk();
    const { store } = await aStore({ dataDir });
    const writer = await store.logs.openWriter(taskIdOf(1), 1);
    let sent = 0;
    const failure: unknown = await (async () => {
      for (; sent < 1000; sent += 1) {
        await writer.append({
          stream: 'stdout',
          bytes: Buffer.alloc(50_000, sent),
          timeNs: 1n,
          cursor: String(sent),
        });
        await writer.flush();
      }
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store/disk-full' });
    await expect(writer.close()).rejects.toMatchObject({ code: 'store/disk-full' });
    await run('mount', ['-o', 'remount,size=30m', join(dataDir, '..')]);
    const next = await store.logs.openWriter(taskIdOf(1), 1);
    expect(next.lastCursor).toBe(String(sent - 1));
    expect(next.stdoutBytes).toBe(sent * 50_000);
    await next.append({ stream: 'stdout', bytes: Buffer.from('more'), timeNs: 1n, cursor: 'more' });
    await next.sync();
  });
});
