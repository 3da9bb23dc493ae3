// What is compared of two ends is the same whoever makes it: a program there, or this one.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Item } from '../../../src-main/domain/transfers/plan.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import {
  digestCommand,
  digestFor,
  digestIn,
  sha256,
  startDigest,
  type Digest,
} from '../../../src-main/services/transfers/digests.ts';
import {
  findTools,
  hashesOf,
  hashOfStart,
  type HashingEnd,
} from '../../../src-main/services/transfers/far-side.ts';

import {
  canDigestLots,
  digestOfLot,
  LotDigest,
} from '../../../src-main/services/transfers/lot-digest.ts';

const { signal } = new AbortController();

const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-digests-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A node whose programs are those of this computer. */
const root = {
  nodeId: 'n1',
  spawn: async ([program = '', ...words]: readonly string[]) => {
    const child = spawn(program, words, { stdio: 'pipe' });
    const ended = new Promise((resolve) => {
      child.once('close', (exitCode) => resolve({ exitCode }));
    });
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended };
  },
} as unknown as Root;

const able = { digest: 'sha256sum', gmac: true };
const gmac = digestFor(able, able);

function sumOf(digest: Digest, parts: readonly Uint8Array[]): string {
  const sum = startDigest(digest);
  for (const part of parts) sum.update(part);
  return sum.finish();
}

test('GMAC is used where both ends make it, each time with another key', () => {
  expect(gmac.kind).toBe('gmac');
  expect(digestFor(able, able)).not.toEqual(gmac);
  expect(digestFor(able, { ...able, gmac: false })).toEqual(sha256);
  expect(digestCommand({ digest: 'sha256sum', gmac: false }, gmac)).toBeUndefined();
});

test('in whatever parts it is read, and a byte more or less is another', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 12 });
  fc.assert(
    fc.property(parts, fc.uint8Array({ minLength: 1, maxLength: 3 }), (some, more) => {
      for (const digest of [sha256, gmac]) {
        const whole = sumOf(digest, [Buffer.concat(some)]);
        expect(sumOf(digest, some)).toBe(whole);
        expect(sumOf(digest, [...some, more])).not.toBe(whole);
      }
    }),
  );
});

test('what another program prints is no digest', () => {
  const hex = (length: number) => 'a0'.repeat(length / 2);
  expect(digestIn(`${hex(64)} *-\n`, sha256)).toBe(hex(64));
  expect(digestIn(`warning\n${hex(64)}  -\n`, sha256)).toBe(hex(64));
  expect(digestIn(`${hex(32).toUpperCase()}\n`, gmac)).toBe(hex(32));
  for (const text of ['', `${hex(62)} -`, `${hex(66)} -`, `x${hex(64)}`, hex(32)])
    expect(digestIn(text, sha256)).toBeUndefined();
  for (const text of ['', hex(30), hex(34), hex(64)]) expect(digestIn(text, gmac)).toBeUndefined();
});

const hasGmac = spawnSync('openssl', ['list', '-mac-algorithms'], { encoding: 'utf8' });
describe.skipIf(!hasGmac.stdout.includes('GMAC'))('by the programs of a node', () => {
  const bytes = Buffer.alloc(5_000_001, 'kohaku river ');
  const names = ['plain', "it's", 'two  spaces', '-n', '"$(touch injected)"', '%s'];
  const end = async (digest: Digest): Promise<HashingEnd> => ({
    ...{ root, directory: dir, digest, thread: undefined },
    tools: await findTools(root),
  });

  test.each([sha256, gmac])(
    '$kind of files by their names, and of their beginnings',
    async (digest) => {
      mkdirSync(join(dir, digest.kind));
      const items = names.flatMap((name, at) =>
        [at, bytes.length - at].map((size): Item => {
          const path = `${digest.kind}/${name} ${String(size)}`;
          writeFileSync(join(dir, path), bytes.subarray(0, size));
          return { path, kind: 'file', size, mode: 0o644, modifiedAt: 0 };
        }),
      );
      const there = await end(digest);
      expect(there.tools).toMatchObject({ gmac: true, xargs: true });
      expect(await hashesOf(there, items, signal)).toEqual(
        items.map(({ size }) =>
          sumOf(size > 4 * 2 ** 20 ? digest : sha256, [bytes.subarray(0, size)]),
        ),
      );
      const [, large] = items;
      const start = await hashOfStart(there, join(dir, large!.path), { bytes: 4_800_000, signal });
      expect(start).toBe(sumOf(digest, [bytes.subarray(0, 4_800_000)]));
      // One that is gone has none, and the others keep theirs.
      rmSync(join(dir, large!.path));
      const found = await hashesOf(there, items, signal);
      expect(found[1]).toBeUndefined();
      expect(found[3]).toBe(sumOf(digest, [bytes.subarray(0, items[3]!.size)]));
    },
  );

  test.each([sha256, gmac])('$kind of many small files, one after the other', async (digest) => {
    const folder = `lot ${digest.kind}`;
    mkdirSync(join(dir, folder));
    const lot = new LotDigest(digest);
    const items = names.map((name, at): Item => {
      const path = `${folder}/${name}`;
      writeFileSync(join(dir, path), bytes.subarray(0, at * 1000));
      return { path, kind: 'file', size: at * 1000, mode: 0o644, modifiedAt: 0 };
    });
    for (const item of items) lot.take(item, bytes.subarray(0, item.size));
    const there = await end(digest);
    expect(canDigestLots(there)).toBe(true);
    const here = lot.finishFor([...items].reverse());
    expect(here).toMatch(/^[0-9a-f]{32,64}$/);
    expect(await digestOfLot(there, lot, signal)).toBe(here);
    // A byte that is another, and a file that is gone.
    writeFileSync(join(dir, items[3]!.path), bytes.subarray(1, 3001));
    expect(await digestOfLot(there, lot, signal)).not.toBe(here);
    rmSync(join(dir, items[3]!.path));
    expect(await digestOfLot(there, lot, signal)).not.toBe(here);
    // Of a name that no list carries, nothing is known that way.
    const odd = { ...items[0]!, path: `${folder}/two\nlines` };
    expect(
      await digestOfLot(there, { digest, items: [odd], form: 'contents' }, signal),
    ).toBeUndefined();
    expect(canDigestLots({ ...there, tools: { ...there.tools, xargs: false } })).toBe(false);
  });
});

test('a digest of a lot is of just what has arrived, and of what was read as it lay there', () => {
  const item = (path: string): Item => ({
    path,
    kind: 'file',
    size: 1,
    mode: 0o644,
    modifiedAt: 0,
  });
  const [a, b] = [item('a'), item('b')];
  const lotOf = (...items: readonly Item[]) => {
    const lot = new LotDigest(sha256);
    for (const each of items) lot.take(each, Buffer.from(each.path));
    return lot;
  };
  expect(lotOf(a, b).finishFor([b, a])).toBe(sumOf(sha256, [Buffer.from('ab')]));
  expect(lotOf(a, b).finishFor([a])).toBeUndefined();
  expect(lotOf(a).finishFor([a, b])).toBeUndefined();
  const spoiled = lotOf(a, b);
  spoiled.spoil();
  expect(spoiled.finishFor([a, b])).toBeUndefined();
});
