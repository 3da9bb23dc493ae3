// What goes wrong while bytes are on their way: links that drop, programs that never end, sources that
// never stop, and orders that come at the wrong moment. Programs are run over a real sshd; where one of
// them has to misbehave, its script is another one.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import type { Timers } from '../../../src-main/domain/clock.ts';
import type { Item } from '../../../src-main/domain/transfers/plan.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { systemTimers } from '../../../src-main/link/system-timers.ts';
import { sha256 } from '../../../src-main/services/transfers/digests.ts';
import { moveDirect } from '../../../src-main/services/transfers/direct.ts';
import type { HashingEnd } from '../../../src-main/services/transfers/far-side.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { alteredLink, over } from './altered-link.ts';
import { TransferWorld } from './transfer-world.ts';

const here = { kind: 'here' } as const;
const a = { kind: 'node', node: 'a' } as const;
const b = { kind: 'node', node: 'b' } as const;
const never = new AbortController().signal;

/** Nobody waits five seconds to see that something takes five seconds. */
const quickTimers: Timers = {
  ...systemTimers,
  after: (ms, run) => systemTimers.after(ms / 20, run),
};

/** Nobody looks how far a file is: that would be after half a second. */
const blindTimers: Timers = {
  ...systemTimers,
  after: (ms, run) => systemTimers.after(ms === 500 ? 3_600_000 : ms, run),
};

const says = {
  key: "echo 'ssh-ed25519 AAAA once'",
  ready: "read -r key; echo 'ready 1 root 127.0.0.1 ssh-ed25519 AAAA'",
};

describe.skipIf(!hasSshd)('transfers that are disturbed', () => {
  let sshd: PrivateSshd;
  let world: TransferWorld;
  const at = (name: string) => join(world.dir, name);
  const size = 40 * 1024 * 1024;

  beforeAll(async () => {
    sshd = await PrivateSshd.start();
    world = new TransferWorld();
    for (const name of ['a', 'b']) world.links.set(name, await sshd.connect());
    writeFileSync(at('heavy'), Buffer.alloc(size, 'kohaku '));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  /** One end of a direct move, which runs `script` with what the real one is given. */
  async function endOf(link: NodeLink, script: string): Promise<HashingEnd> {
    return {
      root: {
        place: a,
        label: 'a',
        nodeId: 'a' as NodeId,
        files: await link.files(),
        spawn: (command) => link.spawn(['sh', '-c', script, ...command.slice(3)]),
      },
      tools: {
        ...{
          tar: false,
          gnuTar: false,
          xargs: false,
          shell: true,
          find: false,
          rsync: undefined,
          cores: 8,
          memoryBytes: 0,
        },
        digest: 'sha256sum',
        gmac: false,
      },
      directory: world.dir,
      digest: sha256,
      thread: undefined,
    };
  }
  const item: Item = { path: 'straight', kind: 'file', size: 1000, mode: 0o600, modifiedAt: 1 };
  const direct = { item, start: 0, timers: quickTimers, signal: never, onBytes: () => undefined };

  test('straight from node to node: a receiver whose link drops ends it, and a sender that never ends is killed', async () => {
    await using near = await sshd.connect();
    const far = await sshd.connect();
    const begun = at('sender began');
    const stubborn = `${says.key}; read -r way; trap '' TERM; echo $$ >'${begun}'; while :; do sleep 1; done`;
    const from = await endOf(near, stubborn);
    const to = await endOf(far, `${says.ready}; cat >/dev/null`);
    const moving = moveDirect({ ...direct, from, to });
    moving.catch(() => undefined);
    await expect
      .poll(() => existsSync(begun) && readFileSync(begun, 'utf8'), patient)
      .toMatch(/\n/);
    await far.close();
    await expect(moving).rejects.toMatchObject({ code: 'link/lost' });
    const sender = Number(readFileSync(begun, 'utf8'));
    await expect.poll(() => existsSync(`/proc/${sender}`), patient).toBe(false);
  });

  test('straight from node to node: more than the file has is not taken', async () => {
    const [near, far] = [world.links.get('a')!, world.links.get('b')!];
    const from = await endOf(near, `${says.key}; cat >/dev/null`);
    const to = await endOf(far, `${says.ready}; head -c 5000 /dev/zero >"$1"; cat >/dev/null`);
    await expect(moveDirect({ ...direct, from, to })).rejects.toMatchObject({
      code: 'transfer/item',
    });
  });

  test('straight from node to node, broken off before anybody looked: no byte is there twice', async () => {
    const link = world.links.get('a')!;
    let broken = 0;
    const breakOff = (word: string) => {
      if (!word.includes('echo sent')) return word;
      broken += 1;
      return word
        .replace('cat <"$1"; else', 'head -c 20000000 <"$1"; else')
        .replace('echo sent', 'exit 5');
    };
    world.links.set('a', alteredLink(link, { command: (words) => words.map(breakOff) }));
    world.timers = blindTimers;
    await world.restart();
    try {
      const done = await world.move({
        from: { place: a, paths: [at('heavy')] },
        to: { place: b, path: at('broken off'), as: 'into' },
      });
      expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
      expect(done.progress.bytesDone).toBe(size);
      expect(done.progress.bytesMoved).toBeLessThan(size);
      expect(broken).toBe(1);
      expect(readFileSync(at('broken off/heavy')).equals(readFileSync(at('heavy')))).toBe(true);
    } finally {
      world.links.set('a', link);
      world.timers = systemTimers;
      await world.restart();
    }
  });

  // On a node of many cores.
  test.each([
    ['is refused', 'exit 3'],
    ['reads nothing', 'exec 3</dev/null; while read -r _; do cat <&3; done | sha256sum'],
    ['gives up in the middle', 'read -r _; head -c 1000000 "$1" | sha256sum; exit 1'],
    ['cannot read on', '{ read -r _; echo part; exit 1; } | sha256sum'],
  ])('the program that hashes what is written beside it %s', async (what, script) => {
    const link = world.links.get('a')!;
    let altered = 0;
    const alter = (command: readonly string[]) => {
      if (!command.some((word) => word.includes('echo whole'))) {
        return command.map((word) => word.replace('nproc 2>/dev/null', 'echo 8'));
      }
      altered += 1;
      return ['sh', '-c', script, ...command.slice(3)];
    };
    world.links.set('a', alteredLink(link, { command: alter }));
    await world.restart();
    try {
      const done = await world.move({
        from: { place: here, paths: [at('heavy')] },
        to: { place: a, path: at(`beside ${what}`), as: 'into' },
      });
      expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
      expect(altered).toBe(1);
      expect(readFileSync(at(`beside ${what}/heavy`)).equals(readFileSync(at('heavy')))).toBe(true);
    } finally {
      world.links.set('a', link);
      await world.restart();
    }
  });

  test.each([
    ['small', 'few/f3', 'exec tar -x -o -p -f -', 'tar -x -o -p -f -'],
    ['large', 'few/large', 'exec cat >> "$1"', 'cat >> "$1"'],
  ])(
    'a byte of a %s file that a disk wrote wrongly is found, and only that file fails',
    async (kind, path, exec, writes) => {
      const link = world.links.get('a')!;
      mkdirSync(at('few'), { recursive: true });
      for (let n = 0; n < 10; n += 1) writeFileSync(at(`few/f${n}`), `content ${n}`);
      writeFileSync(at('few/large'), Buffer.alloc(6 * 2 ** 20, 'kohaku '));
      const wrong = kind === 'small' ? `"$1/${path}"` : '"$1"';
      const alter = (word: string) =>
        word.replace(
          exec,
          `${writes}; printf Z | dd of=${wrong} bs=1 seek=2 conv=notrunc 2>/dev/null`,
        );
      world.links.set('a', alteredLink(link, { command: (words) => words.map(alter) }));
      await world.restart();
      try {
        const { id } = await world.start({
          from: { place: here, paths: [at('few')] },
          to: { place: a, path: at(`wrong ${kind}`), as: 'into' },
        });
        expect(await world.rests(id)).toMatchObject({
          status: 'FAILED',
          failed: 1,
          proof: 'hashes',
        });
        expect(world.service.problems(id)).toMatchObject([
          { path, outcome: 'failed', message: expect.stringMatching(/changed while it was moved/) },
        ]);
        const expected = readdirSync(at('few')).filter((name) => `few/${name}` !== path);
        expect(readdirSync(at(`wrong ${kind}/few`))).toEqual(expected);
      } finally {
        world.links.set('a', link);
        await world.restart();
      }
    },
  );

  test.each([
    ['up', here, a],
    ['down', a, here],
  ] as const)(
    'a link that an earlier run left where a folder comes leads nowhere, and folders are not in the way of files: %s',
    async (way, from, to) => {
      const target = at(`led ${way}`);
      const victim = at(`victim ${way}`);
      mkdirSync(victim);
      writeFileSync(join(victim, 'keys'), 'of somebody else');
      mkdirSync(at('inner/folder'), { recursive: true });
      writeFileSync(at('inner/folder/keys'), 'moved');
      writeFileSync(at('inner/file'), 'a file');
      rmSync(at('inner/link'), { force: true });
      symlinkSync('file', at('inner/link'));
      const stage = join(target, `.kohakuriver-${world.nextId}.part`);
      mkdirSync(join(stage, 'inner'), { recursive: true });
      symlinkSync(victim, join(stage, 'inner/folder'));
      for (const name of ['file', 'link']) {
        mkdirSync(join(stage, 'inner', name));
        writeFileSync(join(stage, 'inner', name, 'old'), '');
      }
      const done = await world.move({
        from: { place: from, paths: [at('inner')] },
        to: { place: to, path: target, as: 'into' },
      });
      expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
      expect(readFileSync(join(victim, 'keys'), 'utf8')).toBe('of somebody else');
      expect(readFileSync(join(target, 'inner/folder/keys'), 'utf8')).toBe('moved');
      expect(readFileSync(join(target, 'inner/file'), 'utf8')).toBe('a file');
      expect(readlinkSync(join(target, 'inner/link'))).toBe('file');
    },
  );

  /** Compared in two lots. */
  function manyFiles(): string {
    const path = at('many');
    if (existsSync(path)) return path;
    mkdirSync(path);
    for (let n = 0; n < 2500; n += 1) writeFileSync(join(path, `f${n}`), `content ${n}`);
    return path;
  }
  const archives = (word: string) => word.includes('tar -c -f - --format=gnu');

  test('a link that drops while what arrived is compared: that is done anew, and nothing is moved twice', async () => {
    const link = world.links.get('a')!;
    const many = manyFiles();
    let hanging = 0;
    const hang = (command: readonly string[]) => {
      if (!command.some(archives)) return command;
      hanging += 1;
      return ['sleep', '1000'];
    };
    world.links.set('a', alteredLink(link, { command: hang }));
    await world.restart();
    try {
      const { id } = await world.start({
        from: { place: here, paths: [many] },
        to: { place: a, path: at('compared'), as: 'into' },
      });
      await expect.poll(() => hanging, patient).toBe(1);
      const staged = at(`compared/.kohakuriver-${id}.part/many`);
      await expect.poll(() => readdirSync(staged).length, patient).toBe(2500);
      await link.close();
      expect((await world.rests(id)).status).toBe('WAITING');
      world.links.set('a', await sshd.connect());
      world.service.wake();
      const done = await world.rests(id);
      expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
      // The very last one may not have had its time yet.
      expect(done.progress.bytesMoved).toBeLessThan(20);
      expect(readdirSync(at('compared/many'))).toHaveLength(2500);
    } finally {
      if (!world.links.get('a')!.isOpen) world.links.set('a', await sshd.connect());
      await world.restart();
    }
  });

  test('an end that makes other archives of the same files: they are compared one by one', async () => {
    const link = world.links.get('a')!;
    const many = manyFiles();
    let asked = 0;
    const alter = (command: readonly string[]) => {
      if (command.some(archives)) asked += 1;
      return command.map((word) => word.replace('--format=gnu', '--format=ustar'));
    };
    world.links.set('a', alteredLink(link, { command: alter }));
    await world.restart();
    try {
      const done = await world.move({
        from: { place: here, paths: [many] },
        to: { place: a, path: at('otherwise'), as: 'into' },
      });
      expect(done).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
      expect(asked).toBe(1);
      expect(readdirSync(at('otherwise/many'))).toHaveLength(2500);
    } finally {
      world.links.set('a', link);
      await world.restart();
    }
  });

  test.each([
    ['reads', a, here, /cat </],
    ['writes', here, a, /cat >> /],
  ] as const)('cancelled while a program that %s hangs', async (what, from, to, words) => {
    const link = world.links.get('a')!;
    let hanging = 0;
    const hang = (command: readonly string[]) => {
      if (!command.some((word) => words.test(word))) return command;
      hanging += 1;
      return ['sleep', '1000'];
    };
    world.links.set('a', alteredLink(link, { command: hang }));
    const folder = at(`stuck ${what}`);
    mkdirSync(folder, { recursive: true });
    try {
      const { id } = await world.start({
        from: { place: from, paths: [at('heavy')] },
        to: { place: to, path: folder, as: 'into' },
      });
      await expect.poll(() => hanging, patient).toBe(1);
      // It is given what fits on the way, and then waits for room.
      let last = -1;
      const isStuck = () => {
        const before = last;
        last = world.service.get(id).progress.bytesMoved;
        return last === before;
      };
      await expect.poll(isStuck, { timeout: 60_000, interval: 500 }).toBe(true);
      const [result] = await world.service.order([id], 'cancel');
      expect(result).toMatchObject({ ok: true, status: 'CANCELLED' });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      world.links.set('a', link);
    }
  });

  test('tried again while a cancelled one is still being removed: it waits for that', async () => {
    const link = world.links.get('a')!;
    const files = await link.files();
    const [reached, goOn] = [
      Promise.withResolvers<undefined>(),
      Promise.withResolvers<undefined>(),
    ];
    const removeTree = async (path: string) => {
      reached.resolve(undefined);
      await goOn.promise;
      await files.removeTree(path);
    };
    const folder = at('in two minds');
    mkdirSync(folder, { recursive: true });
    const { id } = await world.start({
      from: { place: here, paths: [at('heavy')] },
      to: { place: a, path: folder, as: 'into' },
      rateLimit: size,
    });
    await world.until(id, ({ progress }) => progress.bytesMoved > 0);
    world.links.set('a', alteredLink(link, { files: over(files, { removeTree }) }));
    const cancelled = world.service.order([id], 'cancel');
    await reached.promise;
    world.links.set('a', link);
    const [again] = await world.service.order([id], 'retry');
    expect(again).toMatchObject({ ok: true, status: 'QUEUED' });
    expect(world.service.get(id).status).toBe('QUEUED');
    goOn.resolve(undefined);
    await cancelled;
    expect(await world.rests(id)).toMatchObject({ status: 'DONE', failed: 0, proof: 'hashes' });
    expect(readFileSync(join(folder, 'heavy')).equals(readFileSync(at('heavy')))).toBe(true);
    expect(readdirSync(folder)).toEqual(['heavy']);
  });
});

/** For things that happen on a busy machine. */
const patient = { timeout: 60_000, interval: 20 };
