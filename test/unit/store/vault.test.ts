import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { BatchId } from '../../../src-main/contract/ids.ts';
import { aStore, aTask, asNew, everyState, start } from './support.ts';

const password = 'correct horse battery staple';
const entry = { scope: 'node/1', name: 'password' };

/** A keychain that scrambles, as the system's would. */
const keychain = {
  encrypt: (text: string) => Buffer.from(text).map((byte) => byte ^ 0x5a),
  decrypt: (sealed: Uint8Array) => Buffer.from(sealed.map((byte) => byte ^ 0x5a)).toString(),
};

async function everyByte(directory: string): Promise<Buffer> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((file) => file.isFile() && file.name !== 'lock.db');
  return Buffer.concat(await Promise.all(files.map((f) => readFile(join(f.parentPath, f.name)))));
}

describe('a secret', () => {
  test('survives a restart and is nowhere in clear', async () => {
    const { store, dataDir } = await aStore();
    const id = store.vault.put({ ...entry, value: password });
    await store.flushed();
    const open = await everyByte(dataDir);
    await store.close();
    const closed = await everyByte(dataDir);
    for (const bytes of [open, closed]) {
      for (const encoding of ['utf8', 'base64', 'hex', 'utf16le'] as const) {
        const text = Buffer.from(password).toString(encoding === 'utf16le' ? 'utf8' : encoding);
        expect(bytes.includes(Buffer.from(text, encoding === 'utf16le' ? 'utf16le' : 'utf8'))).toBe(
          false,
        );
      }
    }
    expect(open.includes('node/1')).toBe(true);
    const { store: again } = await aStore({ dataDir });
    expect(again.vault.get(id)).toBe(password);
    expect(again.vault.get(entry)).toBe(password);
    expect((await stat(join(dataDir, 'vault.key'))).mode & 0o777).toBe(0o600);
  });

  test('replaces another of the same name, and goes when it is deleted', async () => {
    const { store } = await aStore();
    const id = store.vault.put({ ...entry, value: 'old' });
    expect(store.vault.put({ ...entry, value: 'new' })).toBe(id);
    expect(store.vault.get(id)).toBe('new');
    store.vault.delete(id);
    expect(store.vault.get(id)).toBeUndefined();
    store.vault.put({ scope: 'node/1', name: 'passphrase', value: 'x' });
    store.vault.deleteScope('node/1');
    expect(store.vault.get({ scope: 'node/1', name: 'passphrase' })).toBeUndefined();
  });

  test('is undone with the write it belongs to', async () => {
    const { store } = await aStore();
    expect(() =>
      store.write(() => {
        store.vault.put({ ...entry, value: password });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(store.vault.get(entry)).toBeUndefined();
  });

  test('cannot be moved to another place', async () => {
    const { store, dataDir } = await aStore();
    const mine = store.vault.put({ scope: 'batch/1', name: 'A', value: 'mine' });
    const other = store.vault.put({ scope: 'batch/2', name: 'A', value: 'theirs' });
    await store.flushed();
    const database = new Sqlite(join(dataDir, 'kohakuriver.db'));
    database.exec(
      `UPDATE secrets SET ciphertext = (SELECT ciphertext FROM secrets WHERE id = ${other}) WHERE id = ${mine}`,
    );
    database.close();
    expect(() => store.vault.get(mine)).toThrow(
      expect.objectContaining({ code: 'vault/unreadable' }),
    );
  });

  test('of a batch goes with its last task', async () => {
    const { store } = await aStore();
    const batch = { scope: 'batch/7050000000000000001', name: 'TOKEN' };
    const later = { scope: 'batch/7050000000000000002', name: 'TOKEN' };
    store.vault.put({ ...batch, value: 'x' });
    store.vault.put({ ...later, value: 'y' });
    store.tasks.insertMany([
      asNew(aTask(1, { state: everyState[8]! })),
      asNew(aTask(2, { batchId: '7050000000000000002' as BatchId })),
    ]);
    await store.prune({ keepEndedDays: 90 }, start + 91 * 86_400_000);
    expect(store.vault.get(batch)).toBeUndefined();
    expect(store.vault.get(later)).toBe('y');
  });
});

describe('a vault kept by passphrase', () => {
  test('is locked until the right one is given', async () => {
    const { store, dataDir } = await aStore({
      vault: { newKey: 'passphrase', passphraseCost: 1024 },
    });
    expect(store.vault).toMatchObject({ state: 'locked', kind: 'passphrase' });
    expect(() => store.vault.put({ ...entry, value: 'x' })).toThrow(
      expect.objectContaining({ code: 'vault/locked' }),
    );
    await store.vault.unlock('sesame');
    store.vault.put({ ...entry, value: password });
    await store.close();

    const { store: again } = await aStore({ dataDir, vault: { keychain } });
    expect(again.vault).toMatchObject({ state: 'locked', kind: 'passphrase' });
    await expect(again.vault.unlock('Sesame')).rejects.toMatchObject({ code: 'vault/unreadable' });
    expect(() => again.vault.get(entry)).toThrow(expect.objectContaining({ code: 'vault/locked' }));
    await again.vault.unlock('sesame');
    expect(again.vault.get(entry)).toBe(password);
    await again.close();

    const { store: third } = await aStore({ dataDir, vault: { passphrase: 'wrong' } });
    expect(third.vault.state).toBe('locked');
    await third.close();
    const { store: last } = await aStore({ dataDir, vault: { passphrase: 'sesame' } });
    expect(last.vault.state).toBe('open');
  });
});

describe('a vault kept by the keychain', () => {
  test('opens where there is one, and says so where there is none', async () => {
    const { store, dataDir } = await aStore({ vault: { keychain } });
    expect(store.vault).toMatchObject({ state: 'open', kind: 'keychain', problem: null });
    store.vault.put({ ...entry, value: password });
    await store.close();
    const { store: headless, logged } = await aStore({ dataDir });
    expect(headless.vault).toMatchObject({
      state: 'unavailable',
      problem: expect.stringMatching(/desktop app/) as unknown,
    });
    expect(() => headless.vault.get(entry)).toThrow(
      expect.objectContaining({ code: 'vault/unavailable' }),
    );
    expect(logged).toHaveLength(1);
    await headless.close();
    const { store: desktop } = await aStore({ dataDir, vault: { keychain } });
    await desktop.vault.changeKey('key-file');
    await desktop.close();
    const { store: open } = await aStore({ dataDir });
    expect(open.vault.get(entry)).toBe(password);
  });

  test('that refuses leaves the rest of the store usable', async () => {
    const refuse = () => {
      throw new Error('no');
    };
    const { store } = await aStore({ vault: { keychain: { encrypt: refuse, decrypt: refuse } } });
    expect(store.vault.state).toBe('unavailable');
    store.tasks.insertMany([asNew(aTask(1))]);
    await store.flushed();
  });
});

test.each([
  ['gone', (path: string) => rm(path), 'vault/unavailable'],
  ['another one', (path: string) => writeFile(path, Buffer.alloc(32, 7)), 'vault/unreadable'],
  ['cut', (path: string) => writeFile(path, 'x'), 'vault/unreadable'],
])('a key file that is %s is said, and not replaced', async (_what, damage, code) => {
  const { store, dataDir } = await aStore();
  store.vault.put({ ...entry, value: password });
  await store.close();
  await damage(join(dataDir, 'vault.key'));
  const { store: again } = await aStore({ dataDir });
  expect(again.vault.state).toBe('unavailable');
  expect(() => again.vault.get(entry)).toThrow(expect.objectContaining({ code }));
});
