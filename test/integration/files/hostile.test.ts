import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { syncOptions } from '../../../src-main/contract/sync.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { HostileServer } from './hostile-server.ts';
import { TransferWorld } from './transfer-world.ts';

const here = { kind: 'here' } as const;
const evil = { kind: 'node', node: 'evil' } as const;

describe('a server that means harm', () => {
  let server: HostileServer;
  let world: TransferWorld;
  const at = (name: string) => join(world.dir, name);
  const copy = (name: string) =>
    world.move({
      from: { place: evil, paths: ['/evil'] },
      to: { place: here, path: at(name), as: 'into' },
    });

  beforeAll(async () => {
    server = await HostileServer.start();
    world = new TransferWorld();
    world.links.set('evil', await server.connect());
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('names that lead elsewhere are left out', async () => {
    const bytes = Buffer.from('evil');
    const names = ['../escaped', '..', '/tmp/escaped', 'a/../../escaped', 'good'];
    server.listing = names.map((name) => ({ name, kind: 'file', size: 4, bytes }));
    const done = await copy('names');
    expect(done.status).toBe('DONE');
    expect(readdirSync(at('names'))).toEqual(['evil']);
    expect(readdirSync(at('names/evil'))).toEqual(['good']);
    expect(existsSync(at('escaped'))).toBe(false);
  });

  test('one name twice, that two things might meet, is refused as a whole', async () => {
    server.listing = [
      { name: 'x', kind: 'directory' },
      { name: 'x', kind: 'file', size: 1, bytes: Buffer.from('x') },
    ];
    const done = await copy('twice');
    expect(done).toMatchObject({ status: 'FAILED', error: { code: 'transfer/hostile' } });
    expect(existsSync(at('twice'))).toBe(false);
  });

  test('sizes that are not so end up as failures, and nothing endless is read', async () => {
    server.served = 0;
    server.listing = [
      { name: 'short', kind: 'file', size: 1000, bytes: Buffer.from('only this') },
      { name: 'long', kind: 'file', size: 10, bytes: Buffer.alloc(100_000) },
      { name: 'endless', kind: 'file', size: 6 * 1024 * 1024, bytes: 'endless' },
      { name: 'honest', kind: 'file', size: 2, bytes: Buffer.from('ok') },
    ];
    const done = await copy('sizes');
    expect(done).toMatchObject({ status: 'FAILED', failed: 3 });
    expect(server.served).toBeLessThan(12 * 1024 * 1024);
    expect(readdirSync(at('sizes/evil'))).toEqual(['honest']);
    expect(readFileSync(at('sizes/evil/honest'), 'utf8')).toBe('ok');
  });

  test('more than there is room for is said before anything is moved', async () => {
    server.listing = [{ name: 'huge', kind: 'file', size: 2 ** 52, bytes: 'endless' }];
    const done = await copy('room');
    expect(done).toMatchObject({ status: 'FAILED', error: { code: 'transfer/no-space' } });
    expect(done.progress.bytesMoved).toBe(0);
  });

  test('a listing that never ends is broken off', async () => {
    server.listing = 'endless';
    server.served = 0;
    const done = await copy('endless');
    expect(done).toMatchObject({ status: 'FAILED', error: { code: 'transfer/too-many' } });
    expect(server.served).toBeLessThan(25_000);
    server.listing = [];
  });

  test('so is one of a folder that another is to be brought in step with', async () => {
    server.listing = 'endless';
    server.served = 0;
    mkdirSync(at('code'), { recursive: true });
    writeFileSync(at('code/main.py'), 'print(1)');
    const done = await world.move({
      from: { place: here, paths: [at('code')] },
      to: { place: evil, path: '/evil', as: 'into' },
      sync: syncOptions.parse({}),
    });
    expect(done).toMatchObject({ status: 'FAILED', error: { code: 'transfer/too-many' } });
    expect(server.served).toBeLessThan(25_000);
    server.listing = [];
  });
});

describe.skipIf(userInfo().uid !== 0 || !hasSshd)('a full disk', () => {
  test.each([
    ['here', here, 'link/disk-full'],
    ['on a node', { kind: 'node', node: 'full' }, 'transfer/disk-full'],
  ] as const)('%s is named, and what was there stays as it was', async (_where, place, code) => {
    await using sshd = await PrivateSshd.start();
    await using world = new TransferWorld();
    world.links.set('full', await sshd.connect());
    const disk = join(world.dir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    try {
      writeFileSync(join(disk, 'kept'), 'kept');
      writeFileSync(join(world.dir, 'big'), Buffer.alloc(6 * 1024 * 1024, 'river'));
      const { id } = await world.start({
        from: { place: here, paths: [join(world.dir, 'big')] },
        to: { place, path: disk, as: 'into' },
        rateLimit: 8 * 1024 * 1024,
      });
      await world.until(id, ({ progress }) => progress.bytesMoved > 0);
      // Somebody else takes the room that was there.
      writeFileSync(join(disk, 'other'), Buffer.alloc(4 * 1024 * 1024));
      const full = await world.rests(id);
      expect(full).toMatchObject({ status: 'FAILED', error: { code } });
      expect(readFileSync(join(disk, 'kept'), 'utf8')).toBe('kept');
      expect(existsSync(join(disk, 'big'))).toBe(false);
      execFileSync('rm', [join(disk, 'other')]);
      await world.service.order([id], 'retry');
      expect(await world.rests(id)).toMatchObject({ status: 'DONE', proof: 'hashes' });
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
