// What comes in archives is written as it was, and nothing else is.
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Item } from '../../../../src-main/domain/transfers/plan.ts';
import { LocalFiles } from '../../../../src-main/link/local/local-files.ts';
import { startLocally } from '../../../../src-main/link/local/local-process.ts';
import { sha256, startDigest } from '../../../../src-main/services/transfers/digests.ts';
import { LocalUnpacking } from '../../../../src-main/services/transfers/here/local-unpacking.ts';
import { LotDigest } from '../../../../src-main/services/transfers/lot-digest.ts';
import {
  moveSmallFiles,
  type Moving,
} from '../../../../src-main/services/transfers/small-files.ts';
import { tarEnd, tarHeader, tarPadding } from '../../../../src-main/services/transfers/tar.ts';
import { archiveOf, filesOf, folder, gmac, inPieces, moving, sizes, thread } from './support.ts';

const { signal } = new AbortController();

interface Packed {
  readonly name: string;
  readonly bytes: Buffer;
}

function tarOf(entries: readonly Packed[]): Buffer {
  const parts = entries.flatMap(({ name, bytes }) => [
    tarHeader({ name, size: bytes.length, mode: 0o777, modifiedAt: 5 }),
    bytes,
    tarPadding(bytes.length),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

/** Folders are made before their files come. */
function ready(target: string, items: readonly Item[]): void {
  for (const { path } of items) mkdirSync(dirname(join(target, path)), { recursive: true });
}

test('what comes in archives, however they are cut, is written as it was, and its digest is that of the bytes', async () => {
  const pieces = fc.constantFrom(1000, 65_536, 10_000_000);
  await fc.assert(
    fc.asyncProperty(sizes, pieces, fc.boolean(), async (all, piece, isDotted) => {
      const files = filesOf(all);
      const items = files.map(({ item }) => item);
      const together = new LotDigest(gmac);
      const { moving: parts, told, target } = moving({ together });
      ready(target, items);
      // From a run that was broken off.
      if (items[0] !== undefined) writeFileSync(join(target, items[0].path), 'half');
      using unpacking = new LocalUnpacking(thread, items, parts);
      const packed = files.map(({ item, bytes }) => ({
        name: isDotted ? `./${item.path}` : item.path,
        bytes,
      }));
      const [some, rest] = [packed.slice(0, 7), packed.slice(7)];
      await unpacking.archive(inPieces(tarOf(some), piece));
      await unpacking.archive(inPieces(tarOf(rest), piece));
      await unpacking.finish();
      expect(unpacking.rest()).toEqual([]);
      for (const { item, bytes } of files) {
        const path = join(target, item.path);
        expect(readFileSync(path).equals(bytes)).toBe(true);
        const { mode, mtimeMs } = lstatSync(path);
        expect([mode & 0o7777, mtimeMs / 1000]).toEqual([item.mode, item.modifiedAt]);
      }
      const sum = startDigest(gmac);
      for (const { bytes } of files) sum.update(bytes);
      expect(together.finishFor(items)).toBe(sum.finish());
      expect(told.done).toEqual(items);
      expect(told.bytes).toBe(all.reduce((total, size) => total + size, 0));
    }),
    { numRuns: 15 },
  );
});

test('of an archive nothing is written but what was asked for, once, and in the size that was listed', async () => {
  const files = filesOf([10, 20, 30]);
  const items = files.map(({ item }) => item);
  const { moving: parts, told, target } = moving();
  ready(target, items);
  using unpacking = new LocalUnpacking(thread, items, parts);
  const [first, second] = files;
  const done = await unpacking.archive(
    inPieces(
      tarOf([
        { name: '../outside', bytes: Buffer.from('escaped') },
        { name: `${target}/absolute`, bytes: Buffer.from('escaped') },
        { name: 'tree/unasked', bytes: Buffer.from('unasked') },
        { name: `./tree/../${first!.item.path}`, bytes: first!.bytes },
        { name: first!.item.path, bytes: first!.bytes },
        { name: first!.item.path, bytes: Buffer.from('0123456789') },
        { name: second!.item.path, bytes: Buffer.from('longer than it was when it was listed') },
      ]),
      4096,
    ),
  );
  await unpacking.finish();
  expect(done).toEqual([first!.item]);
  expect(readFileSync(join(target, first!.item.path)).equals(first!.bytes)).toBe(true);
  expect(existsSync(join(target, second!.item.path))).toBe(false);
  expect(told.problems.map(({ path }) => path)).toEqual([second!.item.path]);
  expect(unpacking.rest()).toEqual([items[2]]);
  expect(existsSync(join(dirname(target), 'outside'))).toBe(false);
  expect(existsSync(join(target, 'absolute'))).toBe(false);
  expect(existsSync(join(target, 'tree/unasked'))).toBe(false);
});

test('an archive that is none, or ends in the middle, ends it; a file that cannot be written is named', async () => {
  const files = filesOf([10, 20_000]);
  const items = files.map(({ item }) => item);
  const packed = files.map(({ item, bytes }) => ({ name: item.path, bytes }));
  for (const bad of [tarOf(packed).subarray(0, 15_000), Buffer.alloc(4096, 'no archive ')]) {
    const { moving: parts, target } = moving();
    ready(target, items);
    using unpacking = new LocalUnpacking(thread, items, parts);
    await expect(unpacking.archive(inPieces(bad, 700))).rejects.toMatchObject({
      code: 'transfer/hostile',
    });
  }
  const { moving: parts, told, target } = moving();
  ready(target, items);
  rmSync(join(target, 'tree/d0'), { recursive: true });
  using unpacking = new LocalUnpacking(thread, items, parts);
  await unpacking.archive(inPieces(tarOf(packed), 700));
  await unpacking.finish();
  expect(told.done).toEqual([items[1]]);
  expect(told.problems).toEqual([
    { path: items[0]!.path, message: expect.stringMatching(/There is no/) },
  ]);
});

test('a tar that reads no list of names gives them by its arguments, and what it gave is not doubted', async () => {
  const from = folder();
  const files = filesOf([10, 2000, 30], from);
  const items = files.map(({ item }) => item);
  const together = new LotDigest(sha256);
  const { moving: parts, told, target } = moving({ together });
  ready(target, items);
  const asked: string[] = [];
  const spawn = (command: readonly string[]) => {
    const isList = command[2]?.includes('-T -') === true;
    asked.push(isList ? 'list' : 'arguments');
    const given = isList ? ['false'] : command;
    return startLocally({ command: given, env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' });
  };
  const source = { root: { spawn }, tools: { tar: true }, directory: from };
  const here = { ...parts.to, thread, tools: {} };
  await moveSmallFiles(items, { ...parts, from: source, to: here } as unknown as Moving);
  expect(asked).toEqual(['list', 'arguments']);
  expect(told).toMatchObject({ done: items, problems: [] });
  const sum = startDigest(sha256);
  for (const { bytes } of files) sum.update(bytes);
  expect(together.finishFor(items)).toBe(sum.finish());
});

test('where neither end has programs, files go one by one', async () => {
  const from = folder();
  const files = filesOf([10, 0, 3000], from);
  const items = files.map(({ item }) => item);
  const { moving: parts, told, target } = moving();
  ready(target, items);
  const spawn = () => Promise.reject(new Error('there is no such program'));
  const bare = { root: { files: new LocalFiles(), spawn }, tools: { tar: false } };
  const ends = {
    from: { ...bare, thread, directory: from },
    to: { ...bare, thread: undefined, directory: target },
  };
  await moveSmallFiles(items, { ...parts, ...ends } as unknown as Moving);
  expect(told.problems).toEqual([]);
  for (const { item, bytes } of files)
    expect(readFileSync(join(target, item.path)).equals(bytes)).toBe(true);
});

test('where each is hashed, each hash is known to whoever compares', async () => {
  const from = folder();
  const files = filesOf([5, 0, 70_000], from);
  const items = files.map(({ item }) => item);
  const sums = files.map(({ bytes }) => {
    const sum = startDigest(sha256);
    sum.update(bytes);
    return sum.finish();
  });
  const up = moving();
  const archive = await archiveOf(items, from, up.moving);
  expect(items.map((item) => up.moving.hashes?.source.get(item))).toEqual(sums);
  const down = moving();
  ready(down.target, items);
  using unpacking = new LocalUnpacking(thread, items, down.moving);
  await unpacking.archive(inPieces(archive, 65_536));
  await unpacking.finish();
  expect(items.map((item) => down.moving.hashes?.source.get(item))).toEqual(sums);
});

test('a stream that breaks in the middle ends it, and the thread serves others', async () => {
  const files = filesOf([2000, 2000]);
  const items = files.map(({ item }) => item);
  const { moving: parts, target } = moving();
  ready(target, items);
  const bytes = tarOf(files.map(({ item, bytes: own }) => ({ name: item.path, bytes: own })));
  const stream = new Readable({ read: () => undefined });
  {
    using unpacking = new LocalUnpacking(thread, items, parts);
    const taking = unpacking.archive(stream);
    stream.push(bytes.subarray(0, 3000));
    stream.destroy(new Error('the link dropped'));
    await expect(taking).rejects.toThrow('the link dropped');
  }
  expect(await thread.hashes.ofEach([], signal)).toEqual([]);
  await expect.poll(() => thread.isIdle).toBe(true);
});
