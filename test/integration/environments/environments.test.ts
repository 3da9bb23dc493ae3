// Environments on real Engines: made, saved, brought to three nodes by content, used, let go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Delivery, EnvironmentView } from '../../../src-main/contract/environments.ts';
import { until } from '../../support/core-client.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { requirements, Testbed } from '../../support/testbed.ts';

const can = await requirements();
const MiB = 2 ** 20;
const first = 'lab';

describe.skipIf(!can.isMet)('environments', () => {
  let bed: Testbed;
  let dir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let core: CoreProcess;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 3, registry: false, images: ['river/busybox'] });
    dir = await temporaryDataDir();
    core = await start();
    const here = await until(
      async () => (await core.api.nodes.list()).find(({ state }) => state === 'online'),
      'this computer is online',
    );
    await core.api.nodes.disable({ node: here.id });
    for (const node of bed.nodes) {
      await core.api.nodes.add({
        destination: { host: node.address, user: 'ops' },
        identityFile: bed.keyPath,
        useSshConfig: false,
        jumps: [],
        consent: 'any-new',
      });
    }
  });
  afterAll(async () => {
    await core?.stop();
    await dir?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const start = () => startCoreProcess(dir.path, { KOHAKURIVER_NODES_OFFLINEAFTERSECONDS: '5' });
  const get = (environment: string) => core.api.environments.get({ environment });
  const inBuild = (name: string, text: string) =>
    bed.sh('n1', `docker exec kohakuriver-env-${name} sh -c '${text}'`);
  const imageOn = async (node: string, image: string) =>
    (await bed.sh(node, `docker image inspect -f '{{.Id}}' ${image} || true`)).trim();

  async function isBuilt(name: string, states: readonly string[]): Promise<EnvironmentView> {
    return until(
      async () => {
        const view = await get(name);
        return states.includes(view.build?.state ?? '') ? view : undefined;
      },
      `${name} is ${states.join(' or ')}`,
    );
  }
  async function ended(environment: string, asked: readonly Delivery[]): Promise<Delivery[]> {
    const ids = asked.map(({ id }) => id);
    return until(async () => {
      const { deliveries } = await get(environment);
      const ours = deliveries.filter(({ id }) => ids.includes(id));
      return ours.every(({ state }) => state !== 'waiting' && state !== 'moving') && ours;
    }, 'the deliveries have ended');
  }

  test('a container to work in, saved, used on three nodes; the second time only what changed goes', async () => {
    await core.api.environments.create({
      name: first,
      node: 'n1',
      origin: { kind: 'image', reference: 'river/busybox:1' },
    });
    await isBuilt(first, ['running']);
    await inBuild(first, 'head -c 24000000 /dev/urandom > /tools && echo one > /which');
    const one = await core.api.environments.save({ environment: first, note: 'tools' });
    expect(one).toMatchObject({ tag: 'base', isCurrent: true, note: 'tools', madeOn: 'n1' });
    const asked = await core.api.environments.distribute({
      environment: first,
      nodes: ['n2', 'n3'],
    });
    const brought = await ended(first, asked);
    expect(brought.map(({ state }) => state)).toEqual(['done', 'done']);
    for (const { movedBytes } of brought) expect(movedBytes).toBeGreaterThan(24_000_000);
    for (const node of ['n2', 'n3']) {
      expect(await imageOn(node, 'kohakuriver/lab:base')).toBe(one.imageId);
      expect(await bed.sh(node, `docker images -q "kohakuriver-part/*"`)).toBe('');
    }

    await inBuild(first, 'echo two > /which');
    const two = await core.api.environments.save({ environment: first });
    const again = await ended(
      first,
      await core.api.environments.distribute({ environment: first, nodes: ['n2'] }),
    );
    expect(again).toMatchObject([{ state: 'done', layersMoved: 1 }]);
    expect(again[0]!.movedBytes).toBeLessThan(MiB);
    expect(again[0]!.layersThere).toBeGreaterThan(1);
    process.stdout.write(
      `first time ${brought[0]!.movedBytes} bytes, second ${again[0]!.movedBytes}\n`,
    );
    expect(await imageOn('n2', 'kohakuriver/lab:base')).toBe(two.imageId);
    expect(await imageOn('n2', one.image)).toBe(one.imageId);
    // Labels that make a container ours do not go on with the image.
    const labels = await bed.sh(
      'n2',
      `docker image inspect -f '{{index .Config.Labels "kohakuriver.managed"}}' kohakuriver/lab:base`,
    );
    expect(labels.trim()).toBe('');
  });

  test('a task on a node that has only the old version gets the new one first', async () => {
    const id = await core.submit({
      work: { kind: 'command', argv: ['cat', '/which'] },
      vessel: { kind: 'environment', name: first },
      targets: ['n3'],
    });
    const done = await core.reaches(id, ['COMPLETED', 'FAILED']);
    expect(done.reason).toBeNull();
    expect(done.status).toBe('COMPLETED');
    const { versions } = await get(first);
    expect(await imageOn('n3', 'kohakuriver/lab:base')).toBe(versions[0]!.imageId);
  });

  test('the core is killed and the node lost in the middle: it goes on, and what arrived is not sent again', async () => {
    await inBuild(first, 'head -c 90000000 /dev/urandom > /more');
    await core.api.environments.save({ environment: first });
    await inBuild(first, 'head -c 90000000 /dev/urandom > /evenmore');
    const version = await core.api.environments.save({ environment: first });
    await bed.slow('n2', '80mbit');
    const asked = await core.api.environments.distribute({ environment: first, nodes: ['n2'] });
    await until(async () => {
      const one = (await get(first)).deliveries.find(({ id }) => id === asked[0]!.id);
      return one !== undefined && one.layersMoved >= 1;
    }, 'its first layer has arrived');
    await core.kill();
    expect(await imageOn('n2', version.image)).toBe('');
    core = await start();
    const moving = await until(async () => {
      const one = (await get(first)).deliveries.find(({ id }) => id === asked[0]!.id);
      return one?.state === 'moving' && one.movedBytes > 0 ? one : undefined;
    }, 'it goes on');
    expect(moving.totalBytes).toBeLessThan(100_000_000);
    await bed.cutLink('n2');
    await until(async () => {
      const one = (await get(first)).deliveries.find(({ id }) => id === asked[0]!.id);
      return one?.state === 'waiting';
    }, 'it waits for its node');
    await bed.fast('n2');
    await bed.healLink('n2');
    await core.api.nodes.reconnect({ node: 'n2' });
    expect(await ended(first, asked)).toMatchObject([{ state: 'done' }]);
    expect(await imageOn('n2', 'kohakuriver/lab:base')).toBe(version.imageId);
  });

  test('a Dockerfile; one that fails says where', async () => {
    const text = 'FROM river/busybox:1\nRUN echo made > /which\n';
    await core.api.environments.create({
      name: 'filed',
      node: 'n1',
      origin: { kind: 'dockerfile', text },
    });
    expect((await isBuilt('filed', ['built', 'failed'])).build).toMatchObject({ state: 'built' });
    const made = await core.api.environments.save({ environment: 'filed', tag: 'v1' });
    const ran = await bed.sh('n1', `docker run --rm ${made.image} cat /which`);
    expect(ran).toBe('made');
    await core.api.environments.create({
      name: 'broken',
      node: 'n1',
      origin: { kind: 'dockerfile', text: 'FROM river/busybox:1\nRUN exit 7\n' },
    });
    const { build } = await isBuilt('broken', ['failed']);
    expect(build?.problem).toContain('returned a non-zero code: 7');
    await expect(core.api.environments.save({ environment: 'broken' })).rejects.toMatchObject({
      code: 'environment/not-ready',
    });
  });

  test('what is in use stays; old versions go after they were shown; the rest is removed', async () => {
    const { versions } = await get(first);
    const oldest = versions.at(-1)!;
    await bed.sh('n2', `docker create --name mine ${oldest.image} true`);
    const preview = await core.api.environments.previewPrune({ keep: 1 });
    const kept = preview.find(({ node, image }) => node === 'n2' && image === oldest.image);
    expect(kept?.stays).toContain('mine');
    const going = preview.filter(({ stays }) => stays === null);
    expect(going.length).toBeGreaterThan(2);
    const done = await core.api.environments.prune({ keep: 1 });
    expect(done).toEqual(preview);
    for (const { node, image } of going) expect(await imageOn(node, image)).toBe('');
    expect(await imageOn('n2', oldest.image)).toBe(oldest.imageId);
    await expect(core.api.environments.remove({ environment: first })).rejects.toMatchObject({
      code: 'environment/in-use',
    });
    await bed.sh('n2', 'docker rm mine');
    expect(await core.api.environments.remove({ environment: first })).toEqual({
      name: first,
      left: [],
    });
    for (const node of ['n1', 'n2', 'n3']) {
      const left = await bed.sh(
        node,
        'docker images -q kohakuriver/lab; docker ps -aq --filter name=kohakuriver-env-lab',
      );
      expect(left).toBe('');
    }
    await expect(get(first)).rejects.toMatchObject({ code: 'not-found/environment' });
  });
});
