import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOfText } from '../../../src-main/domain/files/path-text.ts';
import { nastyNames } from '../../support/nasty-names.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { alteredLink } from './altered-link.ts';
import { makeTree, TransferWorld, treeOf } from './transfer-world.ts';

const here = { kind: 'here' } as const;
const a = { kind: 'node', node: 'a' } as const;
const b = { kind: 'node', node: 'b' } as const;

describe.skipIf(!hasSshd)('transfers', () => {
  let sshd: PrivateSshd;
  let world: TransferWorld;
  const at = (name: string) => join(world.dir, name);

  beforeAll(async () => {
    sshd = await PrivateSshd.start();
    world = new TransferWorld();
    world.links.set('a', await sshd.connect());
    // Of two cores no third is to spare for hashing beside; b says that it has many.
    const manyCores = (word: string) => word.replace('echo "cores ', 'echo "cores 9');
    const command = (words: readonly string[]) => words.map(manyCores);
    world.links.set('b', alteredLink(await sshd.connect(), { command }));
    makeTree(at('tree/many'), 600);
    mkdirSync(at('tree/nasty'), { recursive: true });
    for (const [index, name] of nastyNames.entries()) {
      const path = Buffer.concat([Buffer.from(`${at('tree/nasty')}/`), bytesOfText(name)]);
      writeFileSync(path, `content ${index}`);
      utimesSync(path, 1_400_000_000, 1_400_000_000 + index);
    }
    mkdirSync(at('tree/empty'), { mode: 0o700 });
    writeFileSync(at('tree/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(at('tree/nothing'), '');
    symlinkSync('../../../../etc/passwd', at('tree/out'));
    symlinkSync('many', at('tree/inside'));
    symlinkSync('.', at('tree/loop'));
    writeFileSync(at('tree/large'), Buffer.alloc(9 * 1024 * 1024 + 17, 'large river '));
    utimesSync(at('tree/empty'), 1_300_000_000, 1_300_000_000);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  test('a tree with every kind of name goes up, from node to node, and down again, the same', async () => {
    for (const name of ['up', 'across', 'down']) mkdirSync(at(name));
    const ways = [
      { from: { place: here, paths: [at('tree')] }, to: { place: a, path: at('up'), as: 'auto' } },
      {
        from: { place: a, paths: [at('up/tree')] },
        to: { place: b, path: at('across'), as: 'auto' },
      },
      {
        from: { place: b, paths: [at('across/tree')] },
        to: { place: here, path: at('down'), as: 'auto' },
      },
    ] as const;
    for (const way of ways) {
      const done = await world.move({
        from: { ...way.from, paths: [...way.from.paths] },
        to: way.to,
      });
      expect(done).toMatchObject({ status: 'DONE', failed: 0, skipped: 0, proof: 'hashes' });
      expect(done.progress.filesDone).toBe(done.progress.filesTotal);
    }
    const original = treeOf(at('tree'));
    expect(Object.keys(original).length).toBeGreaterThan(620);
    for (const copy of ['up', 'across', 'down']) {
      expect(treeOf(at(`${copy}/tree`))).toEqual(original);
      expect(readdirSync(at(copy))).toEqual(['tree']);
    }
  });

  test('a name that is not there yet is the new name; a folder that is there takes it in', async () => {
    const renamed = await world.move({
      from: { place: here, paths: [at('tree/run.sh')] },
      to: { place: a, path: at('renamed.sh'), as: 'auto' },
    });
    expect(renamed.status).toBe('DONE');
    expect(statSync(at('renamed.sh')).mode & 0o777).toBe(0o755);
    const nowhere = await world.move({
      from: { place: here, paths: [at('tree/run.sh')] },
      to: { place: a, path: at('no/such/folder'), as: 'auto' },
    });
    expect(nowhere).toMatchObject({ status: 'FAILED', error: { code: 'link/file-not-found' } });
    const itself = await world.move({
      from: { place: here, paths: [at('tree')] },
      to: { place: here, path: at('tree/many'), as: 'auto' },
    });
    expect(itself).toMatchObject({ status: 'FAILED', error: { code: 'transfer/refused' } });
    expect(existsSync(at('tree/many/tree'))).toBe(false);
  });

  test('files in the way are asked about, and each answer is obeyed', async () => {
    mkdirSync(at('src/sub'), { recursive: true });
    for (const [name, text] of [
      ['one', '1'],
      ['sub/two', '2'],
      ['new', 'n'],
    ] as const) {
      writeFileSync(at(`src/${name}`), text);
    }
    const answers = {
      skip: { one: 'old', 'sub/two': 'old' },
      overwrite: { one: '1', 'sub/two': '2' },
      newer: { one: 'old', 'sub/two': '2' },
      rename: { one: 'old', 'one (2)': '1', 'sub/two': 'old', 'sub/two (2)': '2' },
    } as const;
    for (const [answer, expected] of Object.entries(answers)) {
      const target = at(`dst-${answer}`);
      mkdirSync(join(target, 'src/sub'), { recursive: true });
      writeFileSync(join(target, 'src/one'), 'old');
      utimesSync(join(target, 'src/one'), 4_000_000_000, 4_000_000_000);
      writeFileSync(join(target, 'src/sub/two'), 'old');
      utimesSync(join(target, 'src/sub/two'), 1000, 1000);
      const asking = await world.move({
        from: { place: here, paths: [at('src')] },
        to: { place: a, path: target, as: 'auto' },
      });
      expect(asking).toMatchObject({ status: 'ASKING', conflicts: { count: 2 } });
      expect(existsSync(join(target, 'src/new'))).toBe(false);
      await world.service.answer(asking.id, answer as 'skip');
      expect((await world.rests(asking.id)).status).toBe('DONE');
      for (const [name, text] of Object.entries({ ...expected, new: 'n' })) {
        expect(readFileSync(join(target, 'src', name), 'utf8'), `${answer} ${name}`).toBe(text);
      }
      expect(readdirSync(target)).toEqual(['src']);
    }
  });

  test('a link in the place of a folder leads nothing out of the target', async () => {
    mkdirSync(at('trap/src'), { recursive: true });
    mkdirSync(at('outside'));
    symlinkSync(at('outside'), at('trap/src/sub'));
    const done = await world.move({
      from: { place: here, paths: [at('src')] },
      to: { place: a, path: at('trap'), as: 'auto' },
      conflicts: 'overwrite',
    });
    expect(done).toMatchObject({ status: 'FAILED', failed: 2 });
    expect(readdirSync(at('outside'))).toEqual([]);
    expect(readFileSync(at('trap/src/one'), 'utf8')).toBe('1');
  });

  test('pipes are left out and named; names that differ by case alone meet only where that is fine', async () => {
    mkdirSync(at('odd'));
    execFileSync('mkfifo', [at('odd/pipe')]);
    writeFileSync(at('odd/Name'), 'upper');
    writeFileSync(at('odd/name'), 'lower');
    const done = await world.move({
      from: { place: a, paths: [at('odd')] },
      to: { place: here, path: at('odd-copy'), as: 'auto' },
    });
    expect(done).toMatchObject({ status: 'DONE', skipped: 1 });
    expect(world.service.problems(done.id)).toMatchObject([
      { path: 'odd/pipe', outcome: 'skipped' },
    ]);
    world.isCaseBlind = true;
    await world.restart();
    const blind = await world.move({
      from: { place: a, paths: [at('odd')] },
      to: { place: here, path: at('odd-blind'), as: 'auto' },
    });
    expect(blind).toMatchObject({ status: 'FAILED', failed: 1 });
    expect(readdirSync(at('odd-blind'))).toHaveLength(1);
    world.isCaseBlind = false;
    await world.restart();
  });

  test('paused in the middle of a file, it goes on from there', async () => {
    const size = 24 * 1024 * 1024;
    writeFileSync(at('big'), Buffer.alloc(size, 'kohaku'));
    for (const [from, to, name] of [
      [here, a, 'big-up'],
      [a, here, 'big-down'],
    ] as const) {
      const { id } = await world.start({
        from: { place: from, paths: [at('big')] },
        to: { place: to, path: at(name), as: 'auto' },
        rateLimit: 24 * 1024 * 1024,
      });
      await world.until(id, ({ progress }) => progress.bytesMoved > size / 3);
      await world.service.order([id], 'pause');
      expect(world.service.get(id).status).toBe('PAUSED');
      expect(existsSync(at(name))).toBe(false);
      await world.service.order([id], 'resume');
      const done = await world.rests(id);
      expect(done).toMatchObject({ status: 'DONE', proof: 'hashes' });
      expect(done.progress.bytesMoved).toBeLessThan(size * 0.9);
      expect(readFileSync(at(name)).equals(readFileSync(at('big')))).toBe(true);
    }
  });

  test('a core that was killed may have left a hole near the end: it goes on from before it', async () => {
    const size = 24 * 1024 * 1024;
    const whole = readFileSync(at('big'));
    const left = Buffer.from(whole.subarray(0, size - 1_000_000)).fill(
      0,
      size - 3_000_000,
      size - 1_100_000,
    );
    const stage = at(`holed/.kohakuriver-${world.nextId}.part`);
    mkdirSync(stage, { recursive: true });
    writeFileSync(join(stage, 'big'), left);
    const done = await world.move({
      from: { place: a, paths: [at('big')] },
      to: { place: here, path: at('holed'), as: 'into' },
    });
    expect(done).toMatchObject({ status: 'DONE', proof: 'hashes', progress: { bytesDone: size } });
    expect(done.progress.bytesMoved).toBeLessThan(size / 2);
    expect(readFileSync(at('holed/big')).equals(whole)).toBe(true);
  });

  test('a link that drops and a core that dies cost only what was under way', async () => {
    const size = 24 * 1024 * 1024;
    const { id } = await world.start({
      from: { place: here, paths: [at('big'), at('tree')] },
      to: { place: a, path: at('survivor'), as: 'into' },
      rateLimit: 20 * 1024 * 1024,
    });
    await world.until(id, ({ progress }) => progress.bytesMoved > size / 2);
    await world.links.get('a')!.close();
    expect((await world.rests(id)).status).toBe('WAITING');
    world.links.set('a', await sshd.connect());
    world.service.wake();
    await world.until(
      id,
      ({ status, progress }) => status === 'RUNNING' && progress.bytesMoved > 0,
    );
    await world.restart();
    const done = await world.rests(id);
    expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    expect(done.progress.bytesMoved).toBeLessThan(size);
    expect(treeOf(at('survivor/tree'))).toEqual(treeOf(at('tree')));
    expect(readFileSync(at('survivor/big')).equals(readFileSync(at('big')))).toBe(true);
    expect(readdirSync(at('survivor')).sort()).toEqual(['big', 'tree']);
  });

  test('a large file goes straight from node to node, on from where it was, and leaves no key', async () => {
    const size = 48 * 1024 * 1024 + 11;
    const kept = 12 * 1024 * 1024;
    writeFileSync(at('heavy'), Buffer.alloc(size, 'straight '));
    const before = readdirSync('/tmp');
    let carried = 0;
    const link = world.links.get('a')!;
    world.links.set('a', alteredLink(link, { onBytes: (bytes) => (carried += bytes) }));
    try {
      for (const [isDirectAllowed, name] of [
        [true, 'straight'],
        [false, 'through'],
      ] as const) {
        world.isDirectAllowed = isDirectAllowed;
        carried = 0;
        mkdirSync(at(name));
        const { id } = await world.start({
          from: { place: a, paths: [at('heavy')] },
          to: { place: b, path: at(name), as: 'into' },
          conflicts: 'overwrite',
        });
        const done = await world.rests(id);
        expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
        expect(done.progress).toMatchObject({ bytesDone: size, bytesMoved: size });
        expect(readFileSync(at(`${name}/heavy`)).equals(readFileSync(at('heavy')))).toBe(true);
        if (isDirectAllowed) expect(carried).toBeLessThan(64 * 1024);
        else expect(carried).toBeGreaterThanOrEqual(size);
      }
      // What an earlier run would have left, in the folder that the next one will have.
      world.isDirectAllowed = true;
      mkdirSync(at(`again/.kohakuriver-${world.nextId}.part`), { recursive: true });
      const part = at(`again/.kohakuriver-${world.nextId}.part/heavy`);
      writeFileSync(part, readFileSync(at('heavy')).subarray(0, kept));
      const done = await world.move({
        from: { place: a, paths: [at('heavy')] },
        to: { place: b, path: at('again'), as: 'into' },
      });
      expect(done).toMatchObject({ status: 'DONE', proof: 'hashes' });
      expect(done.progress).toMatchObject({ bytesDone: size, bytesMoved: size - kept });
      expect(readFileSync(at('again/heavy')).equals(readFileSync(at('heavy')))).toBe(true);
    } finally {
      world.links.set('a', link);
    }
    const left = readdirSync('/tmp').filter((name) => !before.includes(name));
    expect(left.filter((name) => /^kohakuriver-(send|receive)\./.test(name))).toEqual([]);
  });

  test('cancelled, it leaves nothing behind', async () => {
    mkdirSync(at('given-up'));
    const { id } = await world.start({
      from: { place: here, paths: [at('big')] },
      to: { place: a, path: at('given-up'), as: 'auto' },
      rateLimit: 8 * 1024 * 1024,
    });
    await world.until(id, ({ progress }) => progress.bytesMoved > 0);
    const [result] = await world.service.order([id], 'cancel');
    expect(result).toMatchObject({ ok: true, status: 'CANCELLED' });
    expect(readdirSync(at('given-up'))).toEqual([]);
    const [again] = await world.service.order([id], 'pause');
    expect(again).toMatchObject({ ok: false, status: 'CANCELLED' });
  });

  test('what changes while it is moved is not called done', async () => {
    const { id } = await world.start({
      from: { place: here, paths: [at('big')] },
      to: { place: a, path: at('changing'), as: 'auto' },
      rateLimit: 24 * 1024 * 1024,
    });
    await world.until(id, ({ progress }) => progress.bytesMoved > 1024);
    writeFileSync(at('big'), 'short now');
    const done = await world.rests(id);
    expect(done).toMatchObject({ status: 'FAILED', failed: 1 });
    expect(existsSync(at('changing'))).toBe(false);
    expect(world.service.problems(id)[0]?.message).toMatch(/changed while it was read/);
  });
});
