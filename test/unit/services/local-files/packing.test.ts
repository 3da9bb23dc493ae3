// What the thread packs is what is there, in the archive that a tar makes of it.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../../src-main/domain/transfers/plan.ts';
import { startLocally } from '../../../../src-main/link/local/local-process.ts';
import type { Root } from '../../../../src-main/services/files/places.ts';
import { sha256, startDigest } from '../../../../src-main/services/transfers/digests.ts';
import { findTools, type HashingEnd } from '../../../../src-main/services/transfers/far-side.ts';
import { packedHere } from '../../../../src-main/services/transfers/here/local-packing.ts';
import { digestOfLot, LotDigest } from '../../../../src-main/services/transfers/lot-digest.ts';
import { readTar } from '../../../../src-main/services/transfers/tar.ts';
import { archiveOf, filesOf, folder, gmac, moving, sizes, thread } from './support.ts';

const { signal } = new AbortController();

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
