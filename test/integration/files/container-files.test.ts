// Files of a real container, through a real Engine, over SSH.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeId, TaskId } from '../../../src-main/contract/ids.ts';
import type { NodeLink, RemoteFiles } from '../../../src-main/link/node-link.ts';
import { systemClock, systemTimers } from '../../../src-main/link/system-timers.ts';
import { ContainerFiles } from '../../../src-main/runtimes/docker/container-files.ts';
import {
  createDockerRuntime,
  type DockerRuntime,
} from '../../../src-main/runtimes/docker/docker-runtime.ts';
import type { Inside } from '../../../src-main/runtimes/runtime.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import { sha256 } from '../../../src-main/services/transfers/digests.ts';
import { findTools } from '../../../src-main/services/transfers/far-side.ts';
import { readLarge } from '../../../src-main/services/transfers/large-reading.ts';
import { Testbed } from '../../support/testbed.ts';
import { attemptOf, core, launch, sshTo } from '../runtimes/support.ts';
import { describeRemoteFiles } from './remote-files-suite.ts';
import { describeWorkspace } from './workspace-suite.ts';
import { makeTree, TransferWorld, treeOf } from './transfer-world.ts';

/** Every step is a program in the container here: the names and sizes most likely to go wrong. */
const few = { names: 6, entries: 10 };

describe('in a container', () => {
  const spec = attemptOf('sleep 1000');
  let bed: Testbed;
  let link: NodeLink;
  let runtime: DockerRuntime;
  let inside: Inside;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 1, registry: false, images: ['river/busybox'] });
    link = await sshTo(bed);
    runtime = createDockerRuntime({ link, coreId: core, clock: systemClock, timers: systemTimers });
    await launch(runtime, spec);
    inside = await runtime.inside!(spec);
  });
  afterAll(async () => {
    await runtime.close();
    await link.close();
    await bed[Symbol.asyncDispose]();
  });

  describeRemoteFiles(
    'container',
    async () => {
      await inside.files.makeDirectory('/suite');
      return { files: inside.files, dir: '/suite' };
    },
    few,
  );

  describeWorkspace(
    'in a container',
    async () => {
      await inside.files.makeDirectory('/work');
      return { files: inside.files, spawn: (command) => inside.spawn(command), dir: '/work' };
    },
    few,
  );

  test('a tree goes into the container and comes out of it the same', async () => {
    await using world = new TransferWorld();
    world.inside = inside;
    const at = (name: string) => join(world.dir, name);
    makeTree(at('tree'), 12);
    writeFileSync(at("tree/it's *?[x] $HOME"), 'quoted');
    writeFileSync(at('tree/large'), Buffer.alloc(6 * 1024 * 1024 + 17, 'large river '));
    symlinkSync('large', at('tree/link'));
    mkdirSync(at('down'));
    const container = { kind: 'task', task: '1' as TaskId } as const;
    await inside.files.makeDirectory('/up');
    const up = await world.move({
      from: { place: { kind: 'here' }, paths: [at('tree')] },
      to: { place: container, path: '/up', as: 'auto' },
    });
    expect(up).toMatchObject({ status: 'DONE', failed: 0, skipped: 0, proof: 'hashes' });
    const down = await world.move({
      from: { place: container, paths: ['/up/tree'] },
      to: { place: { kind: 'here' }, path: at('down'), as: 'auto' },
    });
    expect(down).toMatchObject({ status: 'DONE', failed: 0, skipped: 0, proof: 'hashes' });
    expect(treeOf(at('down/tree'))).toEqual(treeOf(at('tree')));
    expect(readdirSync(at('down'))).toEqual(['tree']);
  });

  test('a large file goes on from beyond 4 GiB', async () => {
    const far = 5 * 2 ** 30;
    await using file = await inside.files.open('/far', 'w');
    await file.write(far, Buffer.from('a long river'));
    const root: Root = {
      place: { kind: 'task', task: '1' },
      label: 'the container',
      nodeId: '1' as NodeId,
      files: inside.files,
      spawn: (command, options) => inside.spawn(command, options),
    };
    const tools = await findTools(root);
    const end = { root, tools, directory: '/', digest: sha256, thread: undefined };
    const item = { path: 'far', kind: 'file', size: far + 12, mode: 0o644, modifiedAt: 0 } as const;
    const { signal } = new AbortController();
    using reading = readLarge(end, item, { start: far + 2, isHashed: false, signal });
    let text = '';
    for await (const part of reading.bytes) text += part.toString();
    expect(text).toBe('long river');
    await inside.files.remove('/far');
  });

  test('programs stream both ways, byte for byte, and tell how they ended', async () => {
    const bytes = Buffer.alloc(3_000_001, Buffer.from([0, 255, 10, 13, 1, 2, 3]));
    await using copy = await inside.spawn(['cat']);
    copy.stdin.end(bytes);
    const back = Buffer.concat(await copy.stdout.toArray());
    expect(back.equals(bytes)).toBe(true);
    expect(await copy.ended).toMatchObject({ exitCode: 0 });
    const failing = await inside.spawn(['sh', '-c', 'echo sorry >&2; exit 7']);
    failing.stdin.end();
    expect(Buffer.concat(await failing.stderr.toArray()).toString()).toBe('sorry\n');
    expect(await failing.ended).toMatchObject({ exitCode: 7 });
  });

  describe('the link drops', () => {
    /** A link of its own to the same container, and what ends it at once: its sshd is killed. */
    async function droppable(stack: AsyncDisposableStack) {
      const node = bed.node('n1');
      const sessions = async () => (await bed.sh(node, "pgrep -f '^sshd: [a-z]' || :")).split('\n');
      const before = new Set(await sessions());
      const own = await sshTo(bed);
      stack.defer(() => own.close());
      const parts = { link: own, coreId: core, clock: systemClock, timers: systemTimers };
      const docker = createDockerRuntime(parts);
      stack.defer(() => docker.close());
      const { spawn } = await docker.inside!(spec);
      const mine = (await sessions()).filter((pid) => !before.has(pid));
      let dropped: Promise<void> | undefined;
      const dropNow = async () => {
        await bed.sh(node, `kill -9 ${mine.join(' ')}`);
        while (own.isOpen) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      return { spawn, drop: () => (dropped ??= dropNow()) };
    }
    type Program = Awaited<ReturnType<Inside['spawn']>>;
    const old = Buffer.alloc(900_000, 'the river as it was ');
    const newer = Buffer.alloc(1_100_000, 'the river as it will be ');
    const read = (files: RemoteFiles) => files.readFile('/drops/file', 1_000_000);
    const orders: readonly ((files: RemoteFiles) => Promise<unknown>)[] = [
      read,
      // More than a shell that stays reads or writes: by a program of its own.
      (files) => files.readFile('/drops/file'),
      (files) => files.writeFileAtomically('/drops/file', newer),
    ];

    beforeAll(async () => {
      await inside.files.makeDirectory('/drops');
      await inside.files.writeFileAtomically('/drops/file', old);
    });
    async function nothingIsHalf() {
      expect((await inside.files.readFile('/drops/file')).equals(old)).toBe(true);
    }

    /** Gets half of what it is given; then the link drops. */
    function writesHalf(program: Program, drop: () => Promise<void>): Program {
      const stdin = new Writable({
        write: (bytes: Buffer, _encoding, done) => {
          program.stdin.write(bytes.subarray(0, bytes.length / 2), () => void drop());
          done();
        },
      });
      const { stdout, stderr, ended } = program;
      const dispose = () => program[Symbol.asyncDispose]();
      const end = (signal?: string) => program.end(signal);
      return {
        ...{ stdin, stdout, stderr, ended, end },
        resize: () => undefined,
        [Symbol.asyncDispose]: dispose,
      };
    }

    test('before a program is there: every order fails', async () => {
      await using stack = new AsyncDisposableStack();
      const { spawn, drop } = await droppable(stack);
      const late: typeof spawn = async (command, options) => {
        await drop();
        return spawn(command, options);
      };
      const files = new ContainerFiles(late, systemTimers);
      const outcomes = await Promise.allSettled(orders.map((order) => order(files)));
      expect(outcomes).toMatchObject(orders.map(() => ({ reason: { retry: 'later' } })));
      await nothingIsHalf();
    });

    test('before it has heard anything: every order fails', async () => {
      await using stack = new AsyncDisposableStack();
      const { spawn, drop } = await droppable(stack);
      const early: typeof spawn = async (command, options) => {
        const program = await spawn(command, options);
        await drop();
        return program;
      };
      const files = new ContainerFiles(early, systemTimers);
      const outcomes = await Promise.allSettled(orders.map((order) => order(files)));
      expect(outcomes).toMatchObject(orders.map(() => ({ reason: { retry: 'later' } })));
      await nothingIsHalf();
    });

    test('while it answers somebody who does not read on: it fails', async () => {
      await using stack = new AsyncDisposableStack();
      const { spawn, drop } = await droppable(stack);
      const halting: typeof spawn = async (command, options) => {
        const program = await spawn(command, options);
        program.stdout.once('data', () => {
          program.stdout.pause();
          void drop();
        });
        return program;
      };
      const reading = read(new ContainerFiles(halting, systemTimers));
      await expect(reading).rejects.toMatchObject({ retry: 'later' });
    });

    test('while it is given a file: that fails, and the older one is there', async () => {
      await using stack = new AsyncDisposableStack();
      const { spawn, drop } = await droppable(stack);
      const halving: typeof spawn = async (command, options) => {
        const program = await spawn(command, options);
        return command.includes('write') ? writesHalf(program, drop) : program;
      };
      const files = new ContainerFiles(halving, systemTimers);
      const writing = files.writeFileAtomically('/drops/file', newer);
      await expect(writing).rejects.toMatchObject({ retry: 'later' });
      await nothingIsHalf();
    });

    test('between two orders: the next one fails, and does not wait', async () => {
      await using stack = new AsyncDisposableStack();
      const { spawn, drop } = await droppable(stack);
      const files = new ContainerFiles(spawn, systemTimers);
      expect(await read(files)).toHaveLength(old.length);
      await drop();
      await expect(read(files)).rejects.toMatchObject({ retry: 'later' });
    });
  });

  test('what does not run has no inside', async () => {
    const ended = attemptOf('true');
    await launch(runtime, ended);
    await runtime.waitForEnd(ended, new AbortController().signal);
    await expect(runtime.inside!(ended)).rejects.toMatchObject({ retry: 'later' });
  });
});
