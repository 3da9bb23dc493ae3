// The thread that works on this computer's files: what it packs, takes apart and lists is what is there.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOfText } from '../../../src-main/domain/files/path-text.ts';
import type { Item } from '../../../src-main/domain/transfers/plan.ts';
import { LocalFiles } from '../../../src-main/link/local/local-files.ts';
import { startLocally } from '../../../src-main/link/local/local-process.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import { digestFor, sha256, startDigest } from '../../../src-main/services/transfers/digests.ts';
import { findTools, type HashingEnd } from '../../../src-main/services/transfers/far-side.ts';
import { columnsOf, entriesOf } from '../../../src-main/services/transfers/here/columns.ts';
import { packedHere } from '../../../src-main/services/transfers/here/local-packing.ts';
import {
  LocalThread,
  LocalThreads,
} from '../../../src-main/services/transfers/here/local-thread.ts';
import { listTreeHere } from '../../../src-main/services/transfers/here/local-tree.ts';
import { LocalUnpacking } from '../../../src-main/services/transfers/here/local-unpacking.ts';
import { intoTar } from '../../../src-main/services/transfers/into-tar.ts';
import { digestOfLot, LotDigest } from '../../../src-main/services/transfers/lot-digest.ts';
import { moveSmallFiles, type Moving } from '../../../src-main/services/transfers/small-files.ts';
import {
  readTar,
  tarEnd,
  tarHeader,
  tarPadding,
} from '../../../src-main/services/transfers/tar.ts';

const { signal } = new AbortController();

const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-here-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const thread = new LocalThread();
afterAll(() => thread[Symbol.asyncDispose]());

let folders = 0;
function folder(): string {
  folders += 1;
  const path = join(dir, String(folders));
  mkdirSync(path);
  return path;
}

const able = { digest: 'sha256sum', gmac: true };
const gmac = digestFor(able, able);

/** Some files with bytes of their own, written below a folder where one is given. */
function filesOf(sizes: readonly number[], where?: string): { item: Item; bytes: Buffer }[] {
  return sizes.map((size, at) => {
    const path = `tree/d${at % 3}/${at} f`;
    const bytes = Buffer.alloc(size, `${at} `);
    const item: Item = { path, kind: 'file', size, mode: 0o640, modifiedAt: 1_000_000_000 + at };
    if (where !== undefined) {
      mkdirSync(dirname(join(where, path)), { recursive: true });
      writeFileSync(join(where, path), bytes);
    }
    return { item, bytes };
  });
}

interface Told {
  bytes: number;
  readonly done: Item[];
  readonly problems: { path: string; message: string }[];
}

/** From one folder of this computer to another, and what was told meanwhile. */
function moving(more: Partial<Moving> = {}) {
  const told: Told = { bytes: 0, done: [], problems: [] };
  const target = folder();
  const parts = {
    from: { directory: dir },
    to: { directory: target },
    signal: new AbortController().signal,
    hashes: { source: new Map(), target: new Map() },
    together: undefined,
    onBytes: (bytes: number) => void (told.bytes += bytes),
    onFile: (item: Item) => void told.done.push(item),
    onProblem: (item: Item, error: unknown) =>
      void told.problems.push({ path: item.path, message: String(error) }),
    ...more,
  } as unknown as Moving;
  return { moving: parts, told, target };
}

async function archiveOf(items: readonly Item[], from: string, parts: Moving): Promise<Buffer> {
  const all: Buffer[] = [];
  const here = { ...parts, from: { ...parts.from, directory: from } };
  for await (const part of packedHere(thread, items, here)) all.push(Buffer.from(part));
  return Buffer.concat(all);
}

const sizes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 2000 }),
    fc.constantFrom(511, 512, 513, 262_144 - 512, 262_143, 262_144, 300_000, 4 * 2 ** 20),
  ),
  { maxLength: 60 },
);

test('what is packed is what any tar takes apart, and its digest is that of the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom(sha256, gmac), async (all, digest) => {
      const from = folder();
      const files = filesOf(all, from);
      const items = files.map(({ item }) => item);
      const together = new LotDigest(digest);
      const { moving: parts, told, target } = moving({ together });
      const archive = await archiveOf(items, from, parts);
      execFileSync('tar', ['-x', '-p', '-f', '-', '-C', target], { input: archive });
      for (const { item, bytes } of files) {
        const path = join(target, item.path);
        expect(readFileSync(path).equals(bytes)).toBe(true);
        const { mode, mtimeMs } = lstatSync(path);
        expect([mode & 0o7777, mtimeMs / 1000]).toEqual([item.mode, item.modifiedAt]);
      }
      const sum = startDigest(digest);
      for (const { bytes } of files) sum.update(bytes);
      expect(together.finishFor(items)).toBe(sum.finish());
      expect(told).toMatchObject({
        bytes: all.reduce((total, size) => total + size, 0),
        done: items,
        problems: [],
      });
    }),
    { numRuns: 15 },
  );
});

const { stdout: whichTar } = spawnSync('tar', ['--version'], { encoding: 'utf8' });

describe.skipIf(!whichTar.includes('GNU tar'))('compared with an archive of GNU tar', () => {
  const root = {
    ...{ nodeId: 'n1' },
    spawn: (command: readonly string[]) =>
      startLocally({ command, env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' }),
  } as unknown as Root;

  async function endAt(directory: string): Promise<HashingEnd> {
    return { root, tools: await findTools(root), directory, digest: gmac, thread: undefined };
  }

  /** Names as long as a header has room for, one byte less and more, and far longer. */
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9 '"$*ü-]{1,30}$/),
    fc.integer({ min: 85, max: 110 }).map((length) => 'n'.repeat(length)),
    fc.integer({ min: 110, max: 250 }).map((length) => 'm'.repeat(length)),
  );
  const file = fc.record({
    name,
    size: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(300_000, 1_000_000)),
    mode: fc.constantFrom(0o600, 0o644, 0o755, 0o444, 0o4711, 0o1777),
    modifiedAt: fc.integer({ min: 0, max: 1_700_000_000 }),
  });

  test('what arrived is the archive that was sent, byte by byte, and nothing else is', async () => {
    const digests = fc.constantFrom(sha256, gmac);
    const files = fc.uniqueArray(file, { selector: (each) => each.name, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(files, digests, fc.nat(), async (all, digest, which) => {
        const from = folder();
        mkdirSync(join(from, 'tree'));
        const items = all.map(({ name: own, ...facts }): Item => {
          writeFileSync(join(from, 'tree', own), Buffer.alloc(facts.size, own));
          return { ...facts, path: `tree/${own}`, kind: 'file' };
        });
        const lot = new LotDigest(digest, 'archive');
        const { moving: parts, target } = moving({ together: lot });
        const archive = await archiveOf(items, from, parts);
        execFileSync('tar', ['-x', '-p', '-f', '-', '-C', target], { input: archive });
        const there = await endAt(target);
        const here = lot.finishFor(items);
        expect(here).toBeDefined();
        expect(await digestOfLot(there, lot, signal)).toBe(here);
        const item = items[which % items.length];
        if (item === undefined) return;
        const path = join(target, item.path);
        const dressed = () => {
          chmodSync(path, item.mode);
          utimesSync(path, item.modifiedAt, item.modifiedAt);
        };
        const breaks = [
          () => chmodSync(path, 0o640),
          () => utimesSync(path, 5, 5),
          () => {
            chmodSync(path, 0o600);
            writeFileSync(path, Buffer.alloc(item.size + 1));
            dressed();
          },
          () => rmSync(path),
        ];
        for (const broken of breaks) {
          broken();
          expect(await digestOfLot(there, lot, signal)).not.toBe(here);
        }
      }),
      { numRuns: 12 },
    );
  });
});

test('what vanished, grew, shrank or may not be read is told by name, and all else is packed', async () => {
  const from = folder();
  const files = filesOf([100, 200, 300, 400, 500, 600], from);
  const items = files.map(({ item }) => item);
  const at = (index: number) => join(from, items[index]!.path);
  rmSync(at(0));
  writeFileSync(at(1), 'more', { flag: 'a' });
  writeFileSync(at(2), 'less');
  rmSync(at(3));
  execFileSync('mkfifo', [at(3)]);
  rmSync(at(4));
  mkdirSync(at(4));
  const together = new LotDigest(sha256);
  const { moving: parts, told } = moving({ together });
  const names: string[] = [];
  const archive = await archiveOf(items, from, parts);
  for await (const { name } of readTar(Readable.from([archive]) as AsyncIterable<Buffer>))
    names.push(name);
  expect(names).toEqual([`./${items[5]!.path}`]);
  expect(new Set(told.problems.map(({ path }) => path))).toEqual(
    new Set(items.slice(0, 5).map(({ path }) => path)),
  );
  expect(told.problems.find(({ path }) => path === items[0]!.path)?.message).toMatch(/There is no/);
  expect(told.problems.find(({ path }) => path === items[1]!.path)?.message).toMatch(/changed/);
  // Of those that are in it; of all of them it is none.
  expect(together.finishFor([items[5]!])).toBeDefined();
  expect(together.finishFor(items)).toBeUndefined();
});

test('whoever does not take what is packed is not given more than a little', async () => {
  const from = folder();
  const files = filesOf(
    Array.from({ length: 40 }, () => 1_000_000),
    from,
  );
  const items = files.map(({ item }) => item);
  const { moving: parts, told } = moving();
  const packing = packedHere(thread, items, { ...parts, from: { ...parts.from, directory: from } });
  await packing.next();
  // The thread answers others in between, and has read no further than it may.
  const path = join(from, items[39]!.path);
  await thread.hashes.ofEach([{ path, size: 1_000_000 }], signal);
  for (const { item } of files.slice(20)) rmSync(join(from, item.path));
  let count = 1;
  for await (const _part of packing) count += 1;
  expect(count).toBeGreaterThan(8);
  expect(told.problems).toHaveLength(20);
});

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

function inPieces(bytes: Buffer, size: number): Readable {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(
    Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
  );
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
