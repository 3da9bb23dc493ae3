// The thread that works on this computer's files: it ends, is given up and is lent, and nobody waits for ever.
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfText } from '../../../../src-main/domain/files/path-text.ts';
import { startLocally } from '../../../../src-main/link/local/local-process.ts';
import { sha256, startDigest } from '../../../../src-main/services/transfers/digests.ts';
import { columnsOf, entriesOf } from '../../../../src-main/services/transfers/here/columns.ts';
import { packedHere } from '../../../../src-main/services/transfers/here/local-packing.ts';
import {
  LocalThread,
  LocalThreads,
} from '../../../../src-main/services/transfers/here/local-thread.ts';
import { listTreeHere } from '../../../../src-main/services/transfers/here/local-tree.ts';
import { LocalUnpacking } from '../../../../src-main/services/transfers/here/local-unpacking.ts';
import { intoTar } from '../../../../src-main/services/transfers/into-tar.ts';
import type { Moving } from '../../../../src-main/services/transfers/small-files.ts';
import { tarEnd, tarHeader } from '../../../../src-main/services/transfers/tar.ts';
import { filesOf, folder, inPieces, moving, thread } from './support.ts';

const { signal } = new AbortController();

test('what is given up is packed no further, and others are served', async () => {
  const from = folder();
  const files = filesOf([3_000_000, 3_000_000, 3_000_000, 3_000_000, 3_000_000], from);
  const items = files.map(({ item }) => item);
  const stopping = new AbortController();
  const { moving: parts } = moving({ signal: stopping.signal });
  const reading = (async () => {
    const here = { ...parts, from: { ...parts.from, directory: from } };
    for await (const _part of packedHere(thread, items, here)) stopping.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  const [first] = files;
  const sum = startDigest(sha256);
  sum.update(first!.bytes);
  expect(
    await thread.hashes.ofEach([{ path: join(from, first!.item.path), size: 3e6 }], signal),
  ).toEqual([sum.finish()]);
});

test('a thread that ends leaves nobody waiting, and says so', async () => {
  const from = folder();
  const items = filesOf([3_000_000, 3_000_000, 3_000_000], from).map(({ item }) => item);
  const ending = new LocalThread();
  const { moving: parts } = moving();
  const here = { ...parts, from: { ...parts.from, directory: from } };
  const packing = (async () => {
    for await (const _part of packedHere(ending, items, here)) await ending[Symbol.asyncDispose]();
  })();
  await expect(packing).rejects.toMatchObject({ code: 'transfer/failed', retry: 'later' });
  using unpacking = new LocalUnpacking(ending, items, parts);
  await expect(unpacking.archive(inPieces(tarEnd, 512))).rejects.toMatchObject({
    code: 'transfer/failed',
  });
});
test('entries go from thread to thread as they are', () => {
  const path = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
  const entry = fc.record({
    path,
    kind: fc.constantFrom('file' as const, 'directory' as const, 'link' as const, 'other' as const),
    size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    mode: fc.nat({ max: 0o7777 }),
    modifiedAt: fc.integer({ min: -(2 ** 31), max: 2 ** 33 }),
  });
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      expect(entriesOf(columnsOf(entries))).toEqual(entries);
    }),
  );
});

test('a thread that may hang in what was given up serves no other transfer; one that is idle does', async () => {
  await using threads = new LocalThreads();
  const first = threads.take();
  const path = join(folder(), 'file');
  writeFileSync(path, 'x');
  await first.thread.hashes.ofEach([{ path, size: 1 }], signal);
  first[Symbol.dispose]();
  const second = threads.take();
  expect(second.thread).toBe(first.thread);
  const beside = threads.take();
  expect(beside.thread).not.toBe(second.thread);
  // Given up before the thread can have said anything.
  second.thread.hashes.follow(path, sha256, signal)[Symbol.dispose]();
  second[Symbol.dispose]();
  const third = threads.take();
  expect(third.thread).not.toBe(second.thread);
  expect(await third.thread.hashes.ofEach([{ path, size: 1 }], signal)).toHaveLength(1);
});

test('a source that fails while the other end waits for more is told at once', async () => {
  const { moving: parts, target } = moving();
  const root = {
    spawn: (command: readonly string[]) =>
      startLocally({ command, env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' }),
  };
  async function* broken(): AsyncGenerator<Buffer> {
    yield tarHeader({ name: 'a', size: 1000, mode: 0o600, modifiedAt: 0 });
    await Promise.resolve();
    throw new Error('the source is gone');
  }
  const to = { root, directory: target } as unknown as Moving['to'];
  await expect(intoTar(broken(), { to, signal: parts.signal })).rejects.toThrow(
    'the source is gone',
  );
});

test('a tree of this computer is listed with names of any bytes, and links are not followed', async () => {
  const top = folder();
  mkdirSync(join(top, 'a/b'), { recursive: true });
  writeFileSync(join(top, 'a/b/c'), 'four');
  chmodSync(join(top, 'a/b/c'), 0o604);
  utimesSync(join(top, 'a/b/c'), 77, 77);
  symlinkSync('/', join(top, 'a/out'));
  const raw = 'a/\udcff\udcfe';
  writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from(bytesOfText(raw))]), '');
  const found = new Map<string, unknown>();
  const listing = listTreeHere(thread, top, { signal, limit: 100 });
  let step = await listing.next();
  for (; step.done !== true; step = await listing.next())
    for (const { path, ...rest } of step.value) found.set(path, rest);
  expect(step.value).toBe(true);
  expect([...found.keys()].sort()).toEqual(['a', 'a/b', 'a/b/c', 'a/out', raw].sort());
  expect(found.get('a/b/c')).toEqual({ kind: 'file', size: 4, mode: 0o604, modifiedAt: 77 });
  expect(found.get('a/out')).toMatchObject({ kind: 'link' });
});
