// A folder brought in step with one on a «node» that is a real sshd, both ways, and broken off.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { syncOptions, type SyncOptions } from '../../../src-main/contract/sync.ts';
import type { FilePlace } from '../../../src-main/contract/files.ts';
import type { TransferRequest } from '../../../src-main/contract/transfers.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { makeTree, TransferWorld, treeOf } from './transfer-world.ts';

const here = { kind: 'here' } as const;
const a = { kind: 'node', node: 'a' } as const;

describe.skipIf(!hasSshd)('sync', () => {
  let sshd: PrivateSshd;
  let world: TransferWorld;
  const at = (path: string) => join(world.dir, path);
  const put = (path: string, text: string) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };

  beforeAll(async () => {
    sshd = await PrivateSshd.start();
    world = new TransferWorld();
    world.links.set('a', await sshd.connect());
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  type Side = readonly [FilePlace, string];
  function request(
    [fromPlace, from]: Side,
    [toPlace, to]: Side,
    options: Partial<SyncOptions> = {},
  ): TransferRequest {
    return {
      from: { place: fromPlace, paths: [at(from)] },
      to: { place: toPlace, path: at(to), as: 'into' },
      recursive: true,
      conflicts: 'overwrite',
      verify: true,
      rateLimit: null,
      sync: { ...syncOptions.parse({}), ...options },
    };
  }
  const never = new AbortController().signal;
  async function steps(asked: TransferRequest): Promise<string[]> {
    const preview = await world.service.previewSync(asked, never);
    return preview.steps.map(({ action, path }) => `${action} ${path}`);
  }

  test('moves what differs and nothing else, and removes only when it is told to', async () => {
    makeTree(at('code/many'), 300);
    put('code/src/main.py', 'print(1)');
    put('code/.gitignore', '*.pyc\n/data/\n');
    put('code/src/main.pyc', 'bytes');
    put('code/data/huge', 'huge');
    symlinkSync('src/main.py', at('code/link'));
    const up = request([here, 'code'], [a, 'far/code']);
    const first = await world.service.previewSync(up, never);
    expect(first.counts).toMatchObject({ replace: 0, remove: 0, same: 0, ignored: 2 });
    expect(existsSync(at('far'))).toBe(false);
    expect(await world.move(up)).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    const ignored = ['src/main.pyc', 'data/', 'data/huge'];
    const expected = Object.keys(treeOf(at('code'))).filter((path) => !ignored.includes(path));
    expect(Object.keys(treeOf(at('far/code')))).toEqual(expected);

    const again = await world.move(up);
    expect(again).toMatchObject({ status: 'DONE', progress: { bytesMoved: 0 } });
    put('code/src/main.py', 'print(22)');
    put('far/code/results/log', 'of a task');
    put('far/code/data/made there', 'ignored on either side');
    expect(await steps(up)).toEqual(['replace src/main.py']);
    expect((await world.move(up)).progress.bytesMoved).toBe(9);
    expect(readFileSync(at('far/code/src/main.py'), 'utf8')).toBe('print(22)');
    expect(existsSync(at('far/code/results/log'))).toBe(true);

    rmSync(at('code/many/d001'), { recursive: true });
    const strict = request([here, 'code'], [a, 'far/code'], { delete: true });
    const listed = await steps(strict);
    expect(listed.filter((step) => !step.startsWith('remove many/'))).toEqual([
      'remove results',
      'remove results/log',
    ]);
    expect(listed).toHaveLength(103);
    expect(await world.move(strict)).toMatchObject({ status: 'DONE', skipped: 0 });
    expect(readdirSync(at('far/code')).sort()).toEqual(
      ['.gitignore', 'data', 'link', 'many', 'src'].sort(),
    );
    expect(readdirSync(at('far/code/many')).sort()).toEqual(['d000', 'd002']);
    expect(await steps(strict)).toEqual([]);
  });

  test('back again: rules are those of this computer, whatever the node says', async () => {
    put('far/project/.gitignore', '*\n');
    put('far/project/out.txt', 'result');
    put('far/project/cache/x', 'x');
    put('home/project/.kohakuriverignore', 'cache/\n');
    put('home/project/mine', 'mine');
    const down = request([a, 'far/project'], [here, 'home/project'], { delete: true });
    expect(await steps(down)).toEqual([
      'add .gitignore',
      'remove .kohakuriverignore',
      'remove mine',
      'add out.txt',
    ]);
    const kept = request([a, 'far/project'], [here, 'home/project'], {
      delete: true,
      exclude: ['mine', '.kohakuriverignore'],
    });
    expect(await world.move(kept)).toMatchObject({ status: 'DONE' });
    expect(readdirSync(at('home/project')).sort()).toEqual(
      ['.gitignore', '.kohakuriverignore', 'mine', 'out.txt'].sort(),
    );
  });

  test('by content: the same text of another time stays, another text of the same time moves', async () => {
    put('texts/one', 'aaaa');
    put('texts/two', 'bbbb');
    put('far/texts/one', 'aaaa');
    put('far/texts/two', 'cccc');
    for (const file of ['texts/two', 'far/texts/two']) utimesSync(at(file), 1000, 1000);
    utimesSync(at('far/texts/one'), 2000, 2000);
    const sides = [
      [here, 'texts'],
      [a, 'far/texts'],
    ] as const;
    expect(await steps(request(...sides))).toEqual(['replace one']);
    const byContent = request(...sides, { compare: 'checksums' });
    expect(await steps(byContent)).toEqual(['replace two']);
    expect(await world.move(byContent)).toMatchObject({ status: 'DONE' });
    expect(readFileSync(at('far/texts/two'), 'utf8')).toBe('bbbb');
    const newer = { ...request(...sides), conflicts: 'newer' as const };
    utimesSync(at('far/texts/one'), 4_000_000_000, 4_000_000_000);
    expect(await steps(newer)).toEqual([]);
  });

  test('refuses what would remove more than was meant, and changes nothing', async () => {
    mkdirSync(at('nothing'));
    put('full/kept', 'kept');
    const refusals: [Side, Side, RegExp][] = [
      [[here, 'nothing'], [a, 'full'], /would empty/],
      [[here, 'full'], [here, '.'], /lies in the other/],
      [[here, 'full'], [here, 'full/below'], /lies in the other/],
      [[here, 'no such folder'], [a, 'full'], /no folder/],
    ];
    for (const [from, to, words] of refusals) {
      const asked = request(from, to, { delete: true });
      await expect(world.service.previewSync(asked, never)).rejects.toThrow(words);
      expect(await world.move(asked)).toMatchObject({ status: 'FAILED' });
    }
    const root = request([here, 'full'], [a, 'full'], { delete: true });
    const toRoot = { ...root, to: { ...root.to, path: '/' } };
    const toHome = { ...root, to: { ...root.to, path: '~' } };
    for (const asked of [toRoot, toHome]) {
      await expect(world.service.previewSync(asked, never)).rejects.toThrow(
        /more than one project/,
      );
    }
    expect(readFileSync(at('full/kept'), 'utf8')).toBe('kept');
  });

  test('while something fails, nothing is removed; a link out of the target is not followed', async () => {
    put('odd/name', 'a file here');
    put('odd/sub/file', 'file');
    put('far/odd/name/folder there', 'stays');
    put('far/odd/extra', 'extra');
    put('outside/precious', 'precious');
    symlinkSync(at('outside'), at('far/odd/sub'));
    const strict = request([here, 'odd'], [a, 'far/odd'], { delete: true });
    const preview = await world.service.previewSync(strict, never);
    expect(preview.counts.remove).toBe(0);
    expect(preview.problems.map(({ path }) => path).sort()).toEqual(['name', 'sub', 'sub/file']);
    const done = await world.move(strict);
    expect(done).toMatchObject({ status: 'FAILED', failed: 3, skipped: 1 });
    expect(readFileSync(at('far/odd/extra'), 'utf8')).toBe('extra');
    expect(readdirSync(at('outside'))).toEqual(['precious']);
    rmSync(at('odd/name'));
    rmSync(at('odd/sub'), { recursive: true });
    put('odd/other', 'other');
    expect(await world.move(strict)).toMatchObject({ status: 'DONE' });
    expect(readdirSync(at('far/odd'))).toEqual(['other']);
    expect(lstatSync(at('outside')).isDirectory()).toBe(true);
    expect(readdirSync(at('outside'))).toEqual(['precious']);
  });

  test('a core killed in the middle goes on, and what is too much goes only at the end', async () => {
    writeFileSync(join(at('code'), 'weights'), Buffer.alloc(24 * 1024 * 1024, 'kohaku'));
    put('far/code/too much', 'x');
    const { id } = await world.start({
      ...request([here, 'code'], [a, 'far/code'], { delete: true }),
      rateLimit: 24 * 1024 * 1024,
    });
    await world.until(id, ({ progress }) => progress.bytesMoved > 6 * 1024 * 1024);
    expect(existsSync(at('far/code/too much'))).toBe(true);
    await world.restart();
    const done = await world.rests(id);
    expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    expect(existsSync(at('far/code/too much'))).toBe(false);
    expect(readdirSync(at('far/code')).filter((name) => name.includes('part'))).toEqual([]);
    expect(readFileSync(at('far/code/weights')).equals(readFileSync(at('code/weights')))).toBe(
      true,
    );
  });
});
