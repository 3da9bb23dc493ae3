import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../src-main/store/logs/log-store.ts';
import { aDirectory, aStore, aTask, asNew, everyState, start, taskIdOf } from './support.ts';

const run = promisify(execFile);
const day = 24 * 60 * 60_000;

async function textOf(entries: AsyncIterable<LogEntry>): Promise<string> {
  let text = '';
  for await (const entry of entries)
    if (entry.kind === 'bytes') text += Buffer.from(entry.bytes).toString();
  return text;
}

describe('what is too old', () => {
  test('goes with its log; what has not ended and what is younger stays', async () => {
    const { store } = await aStore();
    const old = everyState.map((state, n) => aTask(n, { state }));
    const young = aTask(100, {
      state: { ...everyState[8]!, since: start + 50 * day } as (typeof everyState)[0],
    });
    store.tasks.insertMany([...old, young].map(asNew));
    for (const { id } of [...old, young]) {
      await using writer = await store.logs.openWriter(id, 1);
      await writer.append({ stream: 'stdout', bytes: Buffer.from('x'), timeNs: 1n, cursor: '1' });
    }
    const orphan = taskIdOf(999);
    await (await store.logs.openWriter(orphan, 1)).close();
    const ended = old.slice(8, 15).map(({ id }) => id);
    const removed = await store.prune({ keepEndedDays: 90 }, start + 91 * day);
    expect(removed.toSorted()).toEqual(ended);
    const kept = [...old.filter(({ id }) => !ended.includes(id)), young].map(({ id }) => id);
    expect((await store.logs.taskIds()).toSorted()).toEqual(kept.toSorted());
    expect(kept.every((id) => store.tasks.has(id))).toBe(true);
    expect(await store.prune({ keepEndedDays: 90 }, start + 91 * day)).toEqual([]);
  });

  test('goes in steps, however much it is', async () => {
    const { store, logged } = await aStore();
    const state = everyState[8]!;
    store.tasks.insertMany(Array.from({ length: 1001 }, (_, n) => asNew(aTask(n, { state }))));
    expect(await store.prune({ keepEndedDays: 1 }, start + 2 * day)).toHaveLength(1001);
    expect(store.tasks.counts()).toEqual({});
    expect(logged).toEqual([]);
  });
});

describe('a backup', () => {
  test('is a data directory of one moment, without lock and key', async () => {
    const { store, dataDir } = await aStore();
    store.configFile.set('ui.theme', 'dark');
    store.tasks.insertMany([asNew(aTask(1))]);
    const secret = store.vault.put({ scope: 'node/1', name: 'password', value: 'x' });
    const writer = await store.logs.openWriter(taskIdOf(1), 1);
    await writer.append({
      stream: 'stdout',
      bytes: Buffer.from('printed'),
      timeNs: 1n,
      cursor: '1',
    });
    await writer.flush();
    const outside = await aDirectory();
    const file = join(outside, 'backup.tar');
    const done = await store.backup({ file });
    expect(done).toEqual({ file, bytes: (await stat(file)).size });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(store.backup({ file })).rejects.toMatchObject({ code: 'input/invalid' });
    store.tasks.insertMany([asNew(aTask(2))]);

    const restored = join(outside, 'restored');
    await mkdir(restored);
    await run('tar', ['-xf', file, '-C', restored]);
    expect((await readdir(restored)).toSorted()).toEqual(['config.yaml', 'kohakuriver.db', 'logs']);
    const { store: copy } = await aStore({ dataDir: restored });
    expect(copy.identity).toEqual(store.identity);
    expect(copy.tasks.active().tasks.map(({ task }) => task.id)).toEqual([taskIdOf(1)]);
    expect(
      await textOf(copy.logs.read({ taskId: taskIdOf(1), attempt: 1, stream: 'stdout' })),
    ).toBe('printed');
    expect(copy.configFile.read()).toEqual({ 'ui.theme': 'dark' });
    expect(copy.vault.state).toBe('unavailable');
    expect((await readdir(dataDir)).filter((name) => name.startsWith('backup-'))).toEqual([]);
    await copy.close();

    const withKey = join(outside, 'with-key.tar');
    await store.backup({ file: withKey, withVaultKey: true });
    const opened = join(outside, 'opened');
    await mkdir(opened);
    await run('tar', ['-xf', withKey, '-C', opened]);
    expect((await aStore({ dataDir: opened })).store.vault.get(secret)).toBe('x');
  });

  test('that fails leaves no file', async () => {
    const { store, dataDir } = await aStore();
    const file = join(await aDirectory(), 'no', 'such', 'directory', 'backup.tar');
    await expect(store.backup({ file })).rejects.toMatchObject({ code: 'store/failed' });
    expect((await readdir(dataDir)).filter((name) => name.startsWith('backup-'))).toEqual([]);
  });

  test('copies a log that is being written', async () => {
    const { store } = await aStore();
    const writer = await store.logs.openWriter(taskIdOf(1), 1);
    const line = Buffer.from('0123456789abcdef\n'.repeat(1000));
    const done = new AbortController();
    let n = 0;
    const writing = (async () => {
      while (!done.signal.aborted)
        await writer.append({ stream: 'stdout', bytes: line, timeNs: 1n, cursor: String(n++) });
    })();
    const outside = await aDirectory();
    await store.backup({ file: join(outside, 'b.tar') });
    done.abort();
    await writing;
    await run('tar', ['-xf', join(outside, 'b.tar'), '-C', outside]);
    const { store: copy } = await aStore({ dataDir: outside });
    const text = await textOf(
      copy.logs.read({ taskId: taskIdOf(1), attempt: 1, stream: 'stdout' }),
    );
    expect(text).toBe(line.toString().repeat(text.length / line.length));
  });
});

test('a file that is not readable says what to do', async () => {
  const { store, dataDir } = await aStore();
  await writeFile(join(dataDir, 'config.yaml'), 'ui: [');
  expect(() => store.configFile.read()).toThrow(expect.objectContaining({ code: 'settings/file' }));
  expect(await readFile(join(dataDir, 'config.yaml'), 'utf8')).toBe('ui: [');
});
