// Files of a real container, through a real Engine, over SSH.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskId } from '../../../src-main/contract/ids.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { systemClock, systemTimers } from '../../../src-main/link/system-timers.ts';
import {
  createDockerRuntime,
  type DockerRuntime,
} from '../../../src-main/runtimes/docker/docker-runtime.ts';
import type { Inside } from '../../../src-main/runtimes/runtime.ts';
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

  test('what does not run has no inside', async () => {
    const ended = attemptOf('true');
    await launch(runtime, ended);
    await runtime.waitForEnd(ended, new AbortController().signal);
    await expect(runtime.inside!(ended)).rejects.toMatchObject({ retry: 'later' });
  });
});
