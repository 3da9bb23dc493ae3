import { describe, expect, test } from 'vitest';
import { nodeView, type MetricsSample } from '../../../src-main/contract/node.ts';
import { AuthError, CommandFailedError, UnreachableError } from '../../../src-main/link/errors.ts';
import type { ObservedAttempt } from '../../../src-main/runtimes/runtime.ts';
import type { NodeChange } from '../../../src-main/services/nodes/nodes-service.ts';
import { calmReport, gpu0, SimulatedHost, world, type World } from './simulated.ts';

async function started(...names: string[]): Promise<World> {
  const it = world();
  for (const name of names) it.remember(name);
  it.nodes.start();
  await it.time.pass(100);
  return it;
}

function host(it: World, name: string): SimulatedHost {
  const found = it.hosts.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

const view = (it: World, node: string) => nodeView.parse(it.nodes.calls.get({ node }));
const planned = (it: World, node: string) =>
  it.nodes.plannerNodes().find(({ name }) => name === node);

describe('this computer', () => {
  test('is a node from the first start, under its host name, once', async () => {
    const it = await started();
    expect(
      it.nodes.list().map(({ name, local, state, auth }) => [name, local, state, auth]),
    ).toEqual([['My-Laptop', true, 'online', 'local']]);
    expect(it.rows.size).toBe(1);
    await it[Symbol.asyncDispose]();
    it.nodes.start();
    expect(it.rows.size).toBe(1);
    await it[Symbol.asyncDispose]();
  });

  test('cannot be removed, can be disabled', async () => {
    await using it = await started();
    await expect(it.nodes.calls.remove({ node: 'My-Laptop', force: true })).rejects.toMatchObject({
      code: 'conflict/state',
    });
    expect(await it.nodes.calls.disable({ node: 'my-laptop' })).toMatchObject({
      state: 'disabled',
    });
    expect(planned(it, 'My-Laptop')).toMatchObject({ state: 'disabled' });
    expect(it.comings).toEqual(['+My-Laptop', '-My-Laptop']);
  });
});

describe('states', () => {
  test('a drop is first only connecting, then offline, then online again', async () => {
    await using it = await started('a');
    expect(view(it, 'a')).toMatchObject({
      state: 'online',
      reason: null,
      facts: { hostname: 'a', docker: { version: '27.0' } },
    });
    host(it, 'a').drop(
      new UnreachableError('link/timeout', 'a did not answer in time.', { retry: 'later' }),
    );
    await it.time.pass(1_000);
    expect(view(it, 'a')).toMatchObject({ state: 'connecting', reasonKind: null });
    expect(it.nodes.runtime(it.idOf('a'), 'docker')).toBeUndefined();
    await it.time.pass(15_000);
    expect(view(it, 'a')).toMatchObject({
      state: 'offline',
      reasonKind: expect.stringMatching(/timeout|lost/) as string,
    });
    host(it, 'a').refusal = undefined;
    await it.time.pass(61_000);
    expect(view(it, 'a')).toMatchObject({ state: 'online', reason: null });
    expect(it.comings.filter((coming) => coming.endsWith('a'))).toEqual(['+a', '?a', '-a', '+a']);
  });

  test('a short drop is no absence', async () => {
    await using it = await started('a');
    host(it, 'a').drop();
    await it.time.pass(5_000);
    expect(it.comings.filter((coming) => coming.endsWith('a'))).toEqual(['+a', '?a', '+a']);
  });

  test('what only a person can mend is offline at once, with what to do', async () => {
    await using it = world();
    it.remember('a').refusal = new AuthError('link/auth', 'a did not let us in.', {
      retry: 'after-user-action',
    });
    it.nodes.start();
    await it.time.pass(100);
    expect(view(it, 'a')).toMatchObject({
      state: 'offline',
      reasonKind: 'auth',
      reason: 'a did not let us in.',
    });
    expect(it.comings).toContain('-a');
  });

  test('waking tries everything at once', async () => {
    await using it = world();
    const a = it.remember('a');
    a.refusal = new AuthError('link/auth', 'No.', { retry: 'after-user-action' });
    it.nodes.start();
    await it.time.pass(100);
    a.refusal = undefined;
    it.nodes.wakeAll();
    await it.time.pass(10);
    expect(view(it, 'a')).toMatchObject({ state: 'online' });
  });

  test('many nodes are reached a few at a time', async () => {
    await using it = world();
    let open = 0;
    let most = 0;
    for (let number = 0; number < 40; number++) {
      it.remember(`n${String(number)}`).beforeConnect = () => {
        most = Math.max(most, ++open);
        return new Promise((resolve) => {
          it.time.after(100, () => {
            open -= 1;
            resolve();
          });
        });
      };
    }
    it.nodes.start();
    await it.time.pass(2_000);
    expect(most).toBe(8);
    expect(it.nodes.list().every(({ state }) => state === 'online')).toBe(true);
  });

  test('a shell that hangs leaves Docker usable, and says so', async () => {
    await using it = world();
    const a = it.remember('a');
    a.shellFailure = new CommandFailedError(
      'link/shell-hangs',
      'A start-up file of the login shell hangs.',
    );
    it.nodes.start();
    await it.time.pass(100);
    expect(view(it, 'a')).toMatchObject({
      state: 'online',
      findings: [{ id: 'probe', detail: 'A start-up file of the login shell hangs.' }],
    });
    expect(it.nodes.runtime(it.idOf('a'), 'docker')).toBeDefined();
    expect(it.nodes.runtime(it.idOf('a'), 'process')).toBeUndefined();
  });

  test('stopping leaves nothing running', async () => {
    const it = await started('a', 'b');
    await it[Symbol.asyncDispose]();
    expect(it.time.pending).toBe(0);
  });
});

describe('Docker', () => {
  test('that is not there is looked for every minute, and comes into use by itself', async () => {
    await using it = world();
    const a = it.remember('a');
    a.isDockerUp = false;
    it.nodes.start();
    await it.time.pass(100);
    expect(planned(it, 'a')).toMatchObject({ runtimes: { docker: false, process: true } });
    expect(view(it, 'a')).toMatchObject({
      facts: { docker: null, dockerProblem: 'The Engine does not answer.' },
      findings: [{ id: 'docker-down' }],
    });
    a.isDockerUp = true;
    await it.time.pass(60_000);
    expect(planned(it, 'a')).toMatchObject({ runtimes: { docker: true } });
    expect(view(it, 'a')).toMatchObject({ facts: { docker: { version: '27.0' } }, findings: [] });
    expect(it.comings.filter((coming) => coming === '+a')).toHaveLength(2);
  });

  test('that stops answering is dropped and taken up again', async () => {
    await using it = await started('a');
    host(it, 'a').isDockerUp = false;
    await it.time.pass(31_000);
    expect(it.nodes.runtime(it.idOf('a'), 'docker')).toBeUndefined();
    // A restart may take longer than the first look.
    await it.time.pass(30_000);
    host(it, 'a').isDockerUp = true;
    await it.time.pass(6_000);
    expect(it.nodes.runtime(it.idOf('a'), 'docker')).toBeDefined();
  });

  test('work of other cores counts as taken, with its owner', async () => {
    await using it = await started('a');
    const changes: string[] = [];
    it.nodes.onDidChangeCapacity((id) => changes.push(id));
    const theirs: ObservedAttempt = {
      core: '99' as never,
      taskId: '5' as never,
      attempt: 1,
      runtime: 'docker',
      name: 'kohakuriver-task-5',
      condition: { kind: 'running', startedAt: 1 },
      uses: { cores: 4, memoryBytes: 1000, gpuUuids: [gpu0] },
      owner: 'bea',
      imageDigest: null,
    };
    const ended: ObservedAttempt = {
      ...theirs,
      condition: { kind: 'created' },
      core: '1' as never,
    };
    host(it, 'a').attempts = [theirs, ended];
    host(it, 'a').runtimeChanged.emit();
    await it.time.pass(1_500);
    expect(planned(it, 'a')).toMatchObject({
      foreignUse: { cores: 4, memoryBytes: 1000, gpuUuids: [gpu0] },
      gpus: [{ foreign: { by: 'bea' } }, { foreign: null }],
    });
    expect(view(it, 'a').allocated).toEqual({
      cores: 4,
      memoryBytes: 1000,
      gpus: [{ uuid: gpu0, taskId: null, core: 'bea' }],
    });
    expect(changes).toContain(it.idOf('a'));
  });
});

describe('metrics', () => {
  const row = (uuid: string) => `${uuid}, 50, 1024, 34, 52.10, 300.00, [N/A], 0`;

  function samplesOf(it: World): MetricsSample[] {
    const samples: MetricsSample[] = [];
    it.nodes.onDidSample(({ nodeId, sample }) => {
      if (nodeId === it.idOf('a')) samples.push(sample);
    });
    return samples;
  }

  test('come from the second frame on, kept for the newest and for the hour', async () => {
    await using it = await started('a');
    const samples = samplesOf(it);
    const { loop } = host(it, 'a');
    expect(loop.command.slice(3, 6)).toEqual(['kohakuriver-metrics', '5', 'slow']);
    loop.tick(10, 0);
    loop.tick(15, 250);
    await it.time.pass(0);
    expect(samples).toMatchObject([{ cpu: 0.5, memoryUsedBytes: 600 * 1024 }]);
    expect(it.nodes.newestSamples()).toMatchObject([
      { nodeId: it.idOf('a'), sample: { cpu: 0.5 } },
    ]);
    expect(it.nodes.samples(it.idOf('a'))).toHaveLength(1);
    expect(planned(it, 'a')?.load).toBe(0.5);
  });

  test('come every second for as long as anybody looks', async () => {
    await using it = await started('a');
    const { loop } = host(it, 'a');
    loop.tick(1);
    await it.time.pass(0);
    const first = it.nodes.watchMetrics(it.idOf('a'));
    const second = it.nodes.watchMetrics(it.idOf('a'));
    expect(loop.orders).toBe('fast\n');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(loop.orders).toBe('');
    second[Symbol.dispose]();
    expect(loop.orders).toBe('slow\n');
  });

  test('a wish for the faster rate waits until the loop listens', async () => {
    await using it = await started('a');
    const { loop } = host(it, 'a');
    using _watch = it.nodes.watchMetrics(it.idOf('a'));
    expect(loop.orders).toBe('');
    loop.tick(1);
    await it.time.pass(0);
    expect(loop.orders).toBe('fast\n');
  });

  test('a loop that ends or falls silent is started again', async () => {
    await using it = await started('a');
    const a = host(it, 'a');
    await a.loop.end();
    await it.time.pass(5_000);
    expect(a.loops).toHaveLength(2);
    a.loop.tick(1);
    await it.time.pass(36_000);
    expect(a.loops.length).toBeGreaterThanOrEqual(3);
  });

  test('minutes are written as their means', async () => {
    await using it = await started('a');
    const { loop } = host(it, 'a');
    for (let second = 0; second <= 125; second += 5) {
      loop.tick(second + 1, second * 25);
      await it.time.pass(5_000);
    }
    await it.time.pass(15_000);
    const written = it.points.filter(({ node }) => node === it.idOf('a'));
    expect(written.length).toBeGreaterThanOrEqual(2);
    expect(written[1]?.point.cpu).toBeCloseTo(0.25);
    expect((written[1]?.point.at ?? 1) % 60_000).toBe(0);
  });

  test('a GPU of ours is not foreign, nor right after it was given back, and then it is', async () => {
    await using it = await started('a');
    const id = it.idOf('a');
    const samples = samplesOf(it);
    const { loop } = host(it, 'a');
    const place = {
      nodeId: id,
      runtime: 'docker' as const,
      gpus: [{ uuid: gpu0, index: 0 }],
      cores: 1,
      memoryBytes: 0,
      numa: null,
      exclusive: false,
    };
    const see = async (uptime: number) => {
      loop.gpus([row(gpu0)], [`${gpu0}, 42, 10, python`]);
      await it.time.pass(0);
      loop.tick(uptime);
      await it.time.pass(0);
      return samples.at(-1)?.gpus[0]?.foreign;
    };
    loop.tick(1);
    it.holdings.set(id, [{ taskId: '5' as never, attempt: 1, place }]);
    it.nodes.noteHoldings(id, { withGpus: true });
    expect(await see(2)).toBe(false);
    expect(view(it, 'a')).toMatchObject({
      activeTasks: 1,
      allocated: { gpus: [{ uuid: gpu0, taskId: '5' }] },
    });
    it.holdings.delete(id);
    it.nodes.noteHoldings(id, { withGpus: true });
    await it.time.pass(5_000);
    expect(await see(3)).toBe(false);
    await it.time.pass(6_000);
    expect(await see(4)).toBe(true);
    expect(planned(it, 'a')?.gpus[0]).toMatchObject({ foreign: { by: 'python' }, healthy: true });
  });

  test('GPUs are not chosen while nvidia-smi fails or is silent', async () => {
    await using it = await started('a');
    const { loop } = host(it, 'a');
    const areHealthy = () => planned(it, 'a')?.gpus.every((gpu) => gpu.healthy);
    loop.gpus([row(gpu0)]);
    await it.time.pass(0);
    expect(areHealthy()).toBe(true);
    loop.gpus([], [], 9);
    await it.time.pass(0);
    expect(areHealthy()).toBe(true);
    loop.gpus([], [], 9);
    await it.time.pass(0);
    expect(areHealthy()).toBe(false);
    expect(view(it, 'a').findings).toMatchObject([{ id: 'gpu-unknown' }]);
    loop.gpus([row(gpu0)]);
    await it.time.pass(0);
    expect(areHealthy()).toBe(true);
    for (let second = 0; second < 60; second += 5) {
      loop.tick(second + 1);
      await it.time.pass(5_000);
    }
    expect(areHealthy()).toBe(false);
  });
});

describe('adding and changing', () => {
  const request = {
    destination: { host: 'b' },
    jumps: [],
    useSshConfig: false,
    labels: {},
    consent: 'any-new' as const,
  };

  async function withHost(): Promise<World> {
    const it = await started('a');
    it.hosts.set('b', new SimulatedHost('big-box.example.org'));
    return it;
  }

  test('names a node after its host, uses the link that was tried, and keeps secrets apart', async () => {
    await using it = await withHost();
    const added = await it.nodes.calls.add({ ...request, password: 'hunter2' });
    expect(nodeView.parse(added)).toMatchObject({
      name: 'big-box',
      state: 'online',
      auth: 'password',
      address: 'b',
      user: 'me',
    });
    expect(host(it, 'b').links).toHaveLength(1);
    expect(JSON.stringify([...it.rows.values()])).not.toContain('hunter2');
    host(it, 'b').drop();
    await it.time.pass(5_000);
    expect(it.accesses.at(-1)).toMatchObject({ password: 'hunter2' });
    await it.nodes.calls.remove({ node: 'big-box', force: false });
    expect(it.secrets.size).toBe(0);
    expect(it.nodes.find('big-box')).toBeUndefined();
    expect(it.rows.get(added.id)?.removedAt).not.toBeNull();
  });

  test('finds another name when that one is taken', async () => {
    await using it = await withHost();
    host(it, 'b').report = calmReport('A').replace(/@machine-id\n.*\n/, '@machine-id\n');
    expect(await it.nodes.calls.add(request)).toMatchObject({ name: 'A-2' });
  });

  test('a machine that cannot be reached is not stored', async () => {
    await using it = await started();
    await expect(
      it.nodes.calls.add({ ...request, destination: { host: 'nowhere' } }),
    ).rejects.toMatchObject({ code: 'link/unreachable' });
    expect(it.rows.size).toBe(1);
  });

  test('two changes at once are both kept', async () => {
    await using it = await started('a');
    await Promise.all([
      it.nodes.calls.drain({ node: 'a' }),
      it.nodes.calls.label({ node: 'a', labels: { x: '1' } }),
      it.nodes.calls.rename({ node: 'a', name: 'z' }),
    ]);
    expect(it.rows.get(it.idOf('z'))).toMatchObject({
      name: 'z',
      drained: true,
      labels: { x: '1' },
    });
  });

  test('a wrong label changes nothing', async () => {
    await using it = await started('a');
    await expect(
      it.nodes.calls.label({ node: 'a', labels: { 'no good': '1' } }),
    ).rejects.toMatchObject({ code: 'input/invalid' });
    expect(view(it, 'a').labels).toEqual({});
  });

  test('many changes in a moment are told once', async () => {
    await using it = await started('a');
    const told: NodeChange[] = [];
    it.nodes.onDidChange((change) => told.push(change));
    await it.nodes.calls.drain({ node: 'a' });
    await it.nodes.calls.undrain({ node: 'a' });
    await it.nodes.calls.drain({ node: 'a' });
    await it.time.pass(60);
    expect(told).toMatchObject([{ upsert: { name: 'a', drained: true } }]);
  });

  test('an unknown node is named in the error', () => {
    const it = world();
    expect(() => it.nodes.calls.get({ node: 'nix' })).toThrow('There is no node called nix');
  });

  test('processes', async () => {
    await using it = await started('a');
    const now = it.time.now();
    expect(await it.nodes.calls.processes({ node: 'a', limit: 5 })).toEqual([
      {
        pid: 7,
        user: 'anna',
        cpuPercent: 1.5,
        memoryBytes: 102_400,
        startedAt: now - 62_000,
        command: 'train me',
      },
    ]);
  });
});
