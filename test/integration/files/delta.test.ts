// Large files that replace an older version: only what differs goes over the way, through links to a real
// sshd and the rsync that is there.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FilePlace } from '../../../src-main/contract/files.ts';
import { syncOptions } from '../../../src-main/contract/sync.ts';
import type { TransferView } from '../../../src-main/contract/transfers.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { alteredLink } from './altered-link.ts';
import { TransferWorld } from './transfer-world.ts';

const here = { kind: 'here' } as const;
const a = { kind: 'node', node: 'a' } as const;
const b = { kind: 'node', node: 'b' } as const;

describe.skipIf(!hasSshd || !hasRsync())('only what differs', () => {
  let sshd: PrivateSshd;
  let world: TransferWorld;
  const at = (name: string) => join(world.dir, name);
  const name = "-weights 'of*\nthe river";
  const older = randomBytes(24 * 1024 * 1024);
  /** Something put in at the beginning, something taken out, something else at the end. */
  const newer = Buffer.concat([
    Buffer.from('a new beginning '),
    older.subarray(0, 9_000_000),
    older.subarray(9_300_000, 20_000_000),
    randomBytes(500_000),
    older.subarray(20_000_000),
  ]);

  beforeAll(async () => {
    sshd = await PrivateSshd.start();
    world = new TransferWorld();
    world.isDirectAllowed = false;
    for (const node of ['a', 'b']) world.links.set(node, await sshd.connect());
    mkdirSync(at('source'));
    writeFileSync(join(at('source'), name), newer);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  /** A folder with the older version, which is called something else as well. */
  function folderWith(bytes: Buffer, folder: string): string {
    for (const one of [folder, `${folder} as it was`]) {
      rmSync(at(one), { recursive: true, force: true });
    }
    mkdirSync(at(folder));
    writeFileSync(join(at(folder), name), bytes);
    linkSync(join(at(folder), name), at(`${folder} as it was`));
    return at(folder);
  }
  function request(from: FilePlace, to: FilePlace, folder: string) {
    return {
      from: { place: from, paths: [join(at('source'), name)] },
      to: { place: to, path: folder, as: 'into' as const },
      conflicts: 'overwrite' as const,
    };
  }
  function expectReplaced(folder: string, was: Buffer): void {
    expect(readFileSync(join(folder, name)).equals(newer)).toBe(true);
    expect(readFileSync(`${folder} as it was`).equals(was)).toBe(true);
    expect(readdirSync(folder)).toEqual([name]);
  }

  test.each([
    ['up', here, a],
    ['down', a, here],
    ['from node to node', a, b],
  ] as const)('%s', async (way, from, to) => {
    const folder = folderWith(older, way);
    const done = await world.move(request(from, to, folder));
    expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    expect(done.progress).toMatchObject({ bytesDone: newer.length, bytesTotal: newer.length });
    expect(done.progress.bytesMoved).toBeGreaterThan(500_000);
    expect(done.progress.bytesMoved).toBeLessThan(1_000_000);
    expectReplaced(folder, older);
    expect(world.notes).toEqual([]);
  });

  test('a sync moves no more than that, either', async () => {
    const folder = folderWith(older, 'synced');
    const done = await world.move({
      ...request(here, a, folder),
      from: { place: here, paths: [at('source')] },
      sync: syncOptions.parse({}),
    });
    expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    expect(done.progress.bytesMoved).toBeLessThan(1_000_000);
    expectReplaced(folder, older);
  });

  test('cut in the middle, and again before it is there again, it goes on from there', async () => {
    // The first half is new: it has to be moved, and the second half not.
    const was = Buffer.concat([randomBytes(8_000_000), newer.subarray(12_000_000)]);
    const folder = folderWith(was, 'cut');
    const { id } = await world.start({
      ...request(here, a, folder),
      rateLimit: 16 * 1024 * 1024,
    });
    // Of the second run, nothing but what is said to find out what is there.
    for (const [least, most] of [
      [9_000_000, Infinity],
      [0, 4_000_000],
    ] as const) {
      const isEnough = ({ progress: { phase, bytesMoved } }: TransferView) =>
        phase === 'moving' && bytesMoved > least && bytesMoved < most;
      await world.until(id, isEnough);
      await world.links.get('a')!.close();
      expect(await world.rests(id)).toMatchObject({ status: 'WAITING' });
      expect(readFileSync(join(folder, name)).equals(was)).toBe(true);
      world.links.set('a', await sshd.connect());
      world.service.wake();
    }
    const done = await world.rests(id);
    expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    // All that is new are twelve.
    expect(done.progress.bytesMoved).toBeLessThan(11_500_000);
    expectReplaced(folder, was);
  });

  test('cancelled, it leaves the older version as it was and nothing else', async () => {
    const folder = folderWith(older, 'cancelled');
    const { id } = await world.start({ ...request(here, a, folder), rateLimit: 100_000 });
    await world.until(id, ({ progress }) => progress.bytesMoved > 0);
    const [result] = await world.service.order([id], 'cancel');
    expect(result).toMatchObject({ ok: true, status: 'CANCELLED' });
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(folder, name)).equals(older)).toBe(true);
  });

  test.each([
    ['breaks off', 'exec rsync "$@"', 'head -c 4 >/dev/null; echo "river dry" >&2; exit 7'],
    ['hears nothing and says nothing', 'exec rsync "$@"', 'exit 0'],
  ])(
    'an rsync there that %s: the whole file goes, and the log says why',
    async (what, from, to) => {
      const folder = folderWith(older, what);
      const link = world.links.get('a')!;
      const altered = alteredLink(link, {
        command: (words) => words.map((word) => word.replace(from, to)),
      });
      world.links.set('a', altered);
      world.notes.length = 0;
      try {
        const done = await world.move(request(here, a, folder));
        expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
        expect(done.progress.bytesDone).toBe(newer.length);
        expect(done.progress.bytesMoved).toBeGreaterThanOrEqual(newer.length);
        expectReplaced(folder, older);
        expect(world.notes).toEqual([expect.stringMatching(/rsync ended with \d+ \(/)]);
      } finally {
        world.links.set('a', link);
      }
    },
  );

  test('switched off, or an older version that is too small: the whole file goes', async () => {
    for (const [folder, was, isAllowed] of [
      ['off', older, false],
      ['small', older.subarray(0, 1_000_000), true],
    ] as const) {
      world.isDeltaAllowed = isAllowed;
      const path = folderWith(was, folder);
      const done = await world.move(request(here, a, path));
      expect(done.progress.bytesMoved).toBe(newer.length);
      expectReplaced(path, was);
    }
    world.isDeltaAllowed = true;
  });
});

function hasRsync(): boolean {
  try {
    return /^rsync +version [3-9]/.test(execFileSync('rsync', ['--version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}
