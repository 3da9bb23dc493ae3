// The main job against three real nodes: added three ways, tasks placed, waited for, and read.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCore, until, type TestCore } from '../../support/core.ts';
import { gpus, requirements, Testbed } from '../../support/testbed.ts';

const can = await requirements();
const vessel = { kind: 'image', reference: 'river/busybox:1' } as const;
const script = (text: string) => ({ kind: 'script' as const, text });
const command = (...argv: string[]) => ({ kind: 'command' as const, argv });

describe.skipIf(!can.isMet)('three nodes', () => {
  let bed: Testbed;
  let core: TestCore;

  beforeAll(async () => {
    bed = await Testbed.up({
      nodes: 3,
      jumpOnly: 'n3',
      images: ['river/busybox'],
      gpus: { n1: { gpus: gpus(1, 'A100') }, n2: { gpus: gpus(2, 'A100') } },
    });
    core = await startCore();
    const here = await until(
      async () => (await core.api.nodes.list()).find((node) => node.state === 'online'),
      'this computer is online',
    );
    await core.api.nodes.drain({ node: here.id });
  });
  afterAll(async () => {
    await core?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  test('are added by key, by password, and through a jump host', async () => {
    const [n1, n2, n3] = bed.nodes;
    const keyed = { identityFile: bed.keyPath, useSshConfig: false, jumps: [] };
    const seen = await core.api.nodes.inspectHost({
      ...keyed,
      destination: { host: n1!.address, user: 'ops' },
    });
    expect(seen.hostKeys).toMatchObject([{ fingerprint: n1!.hostKeySha256, status: 'new' }]);
    await expect(
      core.api.nodes.add({ ...keyed, destination: { host: n1!.address, user: 'ops' } }),
    ).rejects.toMatchObject({ code: 'link/host-key-unknown' });
    const first = await core.api.nodes.add({
      ...keyed,
      destination: { host: n1!.address, user: 'ops' },
      consent: { fingerprints: [n1!.hostKeySha256] },
    });
    expect(first).toMatchObject({
      name: 'n1',
      state: 'online',
      facts: { hostname: 'n1', docker: { gpuRuntime: true } },
    });
    expect(first.facts!.gpus).toHaveLength(1);

    const third = await core.api.nodes.add({
      ...keyed,
      destination: { host: n3!.address, user: 'ops' },
      jumps: [{ host: n1!.address, user: 'ops' }],
      consent: 'any-new',
    });
    expect(third).toMatchObject({ name: 'n3', state: 'online' });

    const byPassword = await core.api.nodes.add({
      destination: { host: n2!.address, user: 'pw' },
      password: bed.password,
      useSshConfig: false,
      jumps: [],
      name: 'plain-two',
      consent: 'any-new',
    });
    expect(byPassword).toMatchObject({
      state: 'online',
      auth: 'password',
      facts: { docker: null, process: true },
    });
    expect(byPassword.facts!.dockerProblem).toMatch(/docker group|usermod/);
    await core.api.nodes.remove({ node: 'plain-two' });
    const second = await core.api.nodes.add({
      ...keyed,
      destination: { host: n2!.address, user: 'ops' },
      consent: 'any-new',
    });
    expect(second.facts!.gpus).toHaveLength(2);
  });

  test('wrong passwords and changed keys are refused with a name', async () => {
    const [n1] = bed.nodes;
    const wrong = {
      destination: { host: n1!.address, user: 'pw' },
      password: 'wrong',
      useSshConfig: false,
      jumps: [],
    };
    await expect(core.api.nodes.tryHost({ ...wrong, consent: 'any-new' })).rejects.toMatchObject({
      code: 'link/auth',
    });
  });

  test('two GPUs with no target land where two are; a third task waits and starts by itself', async () => {
    const gpuTask = (seconds: number, count: number) =>
      core.submit({
        work: script(`echo $NVIDIA_VISIBLE_DEVICES; sleep ${seconds}`),
        vessel,
        gpus: { count },
      });
    const both = await gpuTask(5, 2);
    const running = await core.reaches(both, ['RUNNING']);
    expect(running).toMatchObject({ node: 'n2', gpus: [{ index: 0 }, { index: 1 }] });
    const waiting = await gpuTask(0, 2);
    const why = await core.api.tasks.why({ task: waiting });
    expect(why.summary).toContain('n2');
    expect(why.summary).toContain('2 GPUs wanted');
    expect(why.nodes.find((node) => node.node === 'n1')).toMatchObject({ possible: false });
    const done = await core.reaches(waiting);
    expect(done).toMatchObject({ status: 'COMPLETED', node: 'n2' });
    const first = await core.reaches(both);
    expect(first.finishedAt!).toBeLessThanOrEqual(done.startedAt! + 1000);
    const visible = (await core.log(both)).toString().trim().split(',');
    expect(visible.sort()).toEqual(running.gpus.map((gpu) => gpu.uuid).sort());
  });

  test('five mixed tasks by several targets', async () => {
    const { taskIds, batchId } = await core.api.tasks.submit({
      targets: ['n1', 'n2::1', 'n3', 'n1::0', 'n2:0'],
      work: script('hostname; echo $KOHAKURIVER_GPUS >&2'),
      vessel,
    });
    const ended = await Promise.all(taskIds.map((id) => core.reaches(id)));
    expect(ended.map(({ status, node }) => `${node} ${status}`)).toEqual([
      'n1 COMPLETED',
      'n2 COMPLETED',
      'n3 COMPLETED',
      'n1 COMPLETED',
      'n2 COMPLETED',
    ]);
    expect(new Set(ended.map((task) => task.batchId))).toEqual(new Set([batchId]));
    expect((await core.log(taskIds[1]!, 'stderr')).toString().trim()).toBe('1');
  });

  test('100 MB of random bytes through stdout and 1 MB through stderr come back exactly', async () => {
    const id = await core.submit({
      targets: ['n1'],
      work: script(
        'head -c 1000000 /dev/urandom | tee /dev/stderr | md5sum > /tmp/e; head -c 100000000 /dev/urandom | tee /tmp/o; md5sum < /tmp/o > /tmp/s; cat /tmp/e /tmp/s > /sums',
      ),
      vessel,
      keepFailed: false,
      mounts: [{ source: '/tmp', destination: '/tmp' }],
    });
    const log = core.log(id);
    const errors = core.log(id, 'stderr');
    expect(await core.reaches(id, undefined, 110_000)).toMatchObject({
      status: 'COMPLETED',
      stdoutBytes: 100_000_000,
      stderrBytes: 1_000_000,
    });
    const [out, err] = (await bed.sh('n1', 'cat /tmp/s /tmp/e'))
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(
      createHash('md5')
        .update(await log)
        .digest('hex'),
    ).toBe(out);
    expect(
      createHash('md5')
        .update(await errors)
        .digest('hex'),
    ).toBe(err);
  });

  test('what cannot run says why: image, command, memory', async () => {
    const ghost = await core.submit({
      targets: ['n1'],
      work: command('true'),
      vessel: { kind: 'image', reference: 'river/no-such:1' },
    });
    expect(await core.reaches(ghost)).toMatchObject({ status: 'FAILED' });
    const missing = await core.submit({
      targets: ['n1'],
      work: command('no-such-command'),
      vessel,
    });
    expect(await core.reaches(missing)).toMatchObject({
      status: 'FAILED',
      reason: expect.stringContaining('no-such-command') as string,
    });
    const hungry = await core.submit({
      targets: ['n1'],
      work: script('tail /dev/zero'),
      vessel,
      memoryBytes: 33_554_432,
    });
    expect(await core.reaches(hungry)).toMatchObject({ status: 'KILLED_OOM' });
    const shot = await core.submit({
      targets: ['n1'],
      work: script('kill -9 $$; sleep 1'),
      vessel,
    });
    expect((await core.reaches(shot)).status).toBe('FAILED');
    const left = await bed.sh('n1', 'docker ps -aq --filter label=kohakuriver.managed=true');
    await until(
      async () =>
        (await bed.sh('n1', 'docker ps -aq --filter label=kohakuriver.managed=true')).trim() === '',
      `nothing of ours is left (${left})`,
    );
  });
});
