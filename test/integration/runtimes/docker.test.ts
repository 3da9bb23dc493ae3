import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CoreId } from '../../../src-main/contract/ids.ts';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import {
  systemClock as clock,
  systemTimers as timers,
} from '../../../src-main/link/system-timers.ts';
import { connectDocker, engineClient } from '../../../src-main/runtimes/docker/connect.ts';
import { createDockerRuntime } from '../../../src-main/runtimes/docker/docker-runtime.ts';
import { toldAsOom } from '../../../src-main/runtimes/docker/late-oom.ts';
import type { ObservedAttempt } from '../../../src-main/runtimes/runtime.ts';
import { gpus, Testbed } from '../../support/testbed.ts';
import { describeRuntime } from './behaviour.ts';
import { attemptOf, core, launch, never, readAll, runToEnd, seeInLog, sshTo } from './support.ts';

async function runtimeOver(link: NodeLink, coreId: CoreId = core, sockets: readonly string[] = []) {
  const connection = await connectDocker(link, { sockets });
  return createDockerRuntime({ link, connection, coreId, clock, timers });
}

const prepare = { signal: never, onProgress: () => undefined };
let bed: Testbed;
let local: LocalLink;
let ssh: NodeLink;
let engineSocket: string;

beforeAll(async () => {
  bed = await Testbed.up({
    nodes: 1,
    images: ['river/busybox'],
    gpus: { n1: { gpus: gpus(2, 'A100') } },
  });
  const pid = readFileSync(`${bed.dir}/n1/pid`, 'utf8').split(' ')[0]?.trim() ?? '';
  engineSocket = `/proc/${pid}/root/run/docker.sock`;
  local = new LocalLink();
  ssh = await sshTo(bed);
});

afterAll(async () => {
  await local.close();
  await ssh.close();
  await bed[Symbol.asyncDispose]();
});

describeRuntime('containers over a local socket', () => ({
  changes: {},
  open: (coreId) => runtimeOver(local, coreId, [engineSocket]),
}));

describeRuntime('containers over SSH', () => ({
  changes: {},
  open: (coreId) => runtimeOver(ssh, coreId),
}));

describe('reaching the Engine', () => {
  test('tells its versions, and that it can give out GPUs', async () => {
    const { facts, door } = await connectDocker(ssh);
    expect(facts).toMatchObject({
      version: '20.10.24+dfsg1',
      apiVersion: '1.41',
      gpuRuntime: true,
    });
    expect(door).toEqual({ kind: 'socket', path: '/var/run/docker.sock' });
  });

  test('says exactly what to run for a user without rights', async () => {
    const link = await sshTo(bed, 'n1', 'plain');
    await expect(connectDocker(link)).rejects.toMatchObject({
      code: 'docker/denied',
      message: expect.stringContaining('sudo usermod -aG docker plain') as string,
    });
    await link.close();
  });

  test('goes through docker system dial-stdio where sockets cannot be forwarded', async () => {
    const refusing: NodeLink = Object.create(ssh, {
      dialSocket: { value: () => Promise.reject(new Error('administratively prohibited')) },
    }) as NodeLink;
    const shell = {
      run: { value: ssh.run.bind(ssh) },
      runScript: { value: ssh.runScript.bind(ssh) },
      spawn: { value: ssh.spawn.bind(ssh) },
      onDidClose: { value: ssh.onDidClose },
      isOpen: { get: () => ssh.isOpen },
    };
    const link = Object.defineProperties(refusing, shell);
    const connection = await connectDocker(link);
    expect(connection.door).toEqual({ kind: 'dial-stdio' });
    const runtime = createDockerRuntime({ link, connection, coreId: core, clock, timers });
    const spec = attemptOf('head -c 3000000 /dev/zero; exit 3');
    expect((await runToEnd(runtime, spec)).condition).toMatchObject({ end: { exitCode: 3 } });
    expect((await readAll(runtime, spec)).stdout.length).toBe(3_000_000);
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });
});

describe('images', () => {
  const registry = () => bed.registry?.address ?? '';

  test('pulls what is not there, tells how far it is, and pins the digest', async () => {
    const runtime = await runtimeOver(ssh);
    const reference = `${registry()}/river/big:1`;
    const spec = attemptOf('exit 0', { vessel: { kind: 'image', reference } });
    const phases: string[] = [];
    const prepared = await runtime.prepare(spec, {
      signal: never,
      onProgress: (phase) => phases.push(phase),
    });
    expect(phases[0]).toBe(`pulling ${reference}`);
    expect(phases.some((phase) => /, \d+ %$/.test(phase))).toBe(true);
    expect(prepared.imageDigest).toMatch(/^sha256:/);
    expect(prepared.imageId).not.toBe(prepared.imageDigest);
    expect((await runtime.images()).has(reference)).toBe(true);
    await runtime.create(spec, prepared);
    expect((await runtime.inspect(spec))?.imageDigest).toBe(prepared.imageDigest);
    await runtime.remove(spec, { keep: false });
    await bed.sh('n1', `docker rmi ${reference}`);
    await runtime.close();
  });

  test('gives a pull up when told to, on the node as well', async () => {
    const runtime = await runtimeOver(ssh);
    const reference = `${registry()}/river/big:1`;
    const spec = attemptOf('exit 0', { vessel: { kind: 'image', reference } });
    const cancel = new AbortController();
    await bed.slow('registry', '20mbit');
    const preparing = runtime.prepare(spec, {
      signal: cancel.signal,
      onProgress: (phase) => {
        if (phase.includes('%')) cancel.abort();
      },
    });
    await expect(preparing).rejects.toThrow('abort');
    await bed.fast('registry');
    expect((await runtime.images()).has(reference)).toBe(false);
    await runtime.prepare(spec, prepare);
    await runtime.close();
  });

  test('tells a missing image from a refused and an unreachable one', async () => {
    const runtime = await runtimeOver(ssh);
    const codeOf = async (reference: string) => {
      const spec = attemptOf('', { vessel: { kind: 'image', reference } });
      return runtime.prepare(spec, prepare).then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      );
    };
    expect(await codeOf(`${registry()}/river/nothing:1`)).toBe('docker/image-not-found');
    expect(await codeOf(`${registry()}/river/busybox:99`)).toBe('docker/image-not-found');
    expect(await codeOf(`${bed.registry?.privateAddress ?? ''}/river/busybox:1`)).toBe(
      'docker/image-denied',
    );
    expect(await codeOf('10.255.255.1:5000/x:1')).toBe('docker/image-pull');
    expect(await codeOf('Not A Reference')).toBe('docker/image-not-found');
    const environment = attemptOf('', { vessel: { kind: 'environment', name: 'torch' } });
    await expect(runtime.prepare(environment, prepare)).rejects.toMatchObject({
      code: 'docker/image-not-found',
    });
    await runtime.close();
  });
});

describe('containers on a node', () => {
  test('carry the names, labels and limits that others rely on', async () => {
    const runtime = await runtimeOver(ssh);
    const query = 'nvidia-smi --query-gpu=uuid --format=csv,noheader';
    const found = (await bed.sh('n1', query)).split('\n');
    const uuid = found[1] ?? '';
    const spec = attemptOf('echo "$NVIDIA_VISIBLE_DEVICES"; df -k /dev/shm | tail -n 1', {
      memoryBytes: 256 * 1024 ** 2,
      gpus: [{ uuid, index: 1, vendor: 'nvidia', pciBusId: '0' }],
      labels: { team: 'red', 'kohakuriver.core': 'forged' },
    });
    await runToEnd(runtime, spec);
    const raw: unknown = JSON.parse(
      await bed.sh('n1', `docker inspect kohakuriver-task-${spec.taskId}`),
    );
    expect(raw).toMatchObject([
      {
        Config: {
          Labels: {
            'kohakuriver.managed': 'true',
            'kohakuriver.task_id': spec.taskId,
            'kohakuriver.task_type': 'command',
            'kohakuriver.node': 'n1',
            'kohakuriver.core': core,
            'kohakuriver.attempt': '1',
            'app.kubernetes.io/part-of': 'kohakuriver',
            'app.kubernetes.io/managed-by': 'kohakuriver',
            team: 'red',
          },
        },
        HostConfig: {
          Init: true,
          NanoCpus: 1e9,
          Memory: 268_435_456,
          MemorySwap: 268_435_456,
          ShmSize: 134_217_728,
        },
      },
    ]);
    expect((await runtime.inspect(spec))?.uses.gpuUuids).toEqual([uuid]);
    const log = (await readAll(runtime, spec)).stdout.toString();
    expect(log).toContain(uuid);
    expect(log).toContain('131072');
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('tell out of memory from a kill', async () => {
    const runtime = await runtimeOver(ssh);
    const greedy = attemptOf('x=$(head -c 100000000 /dev/zero | tr "\\0" x)', {
      memoryBytes: 32 * 1024 ** 2,
    });
    expect((await runToEnd(runtime, greedy)).condition).toMatchObject({ end: { oomKilled: true } });
    const { docker, agent } = engineClient(ssh, { kind: 'socket', path: '/var/run/docker.sock' });
    const byEvents = async (name: string, attempt: ObservedAttempt | undefined) => {
      const { Id: id } = await docker.getContainer(name).inspect();
      const { condition } = attempt!;
      if (condition.kind !== 'ended') throw new Error('it ended');
      // As an Engine says that heard of the end first.
      const end = { ...condition.end, oomKilled: false };
      const hasNoFlag = { ...attempt!, condition: { ...condition, end } };
      return (await toldAsOom({ docker, timers }, { id, attempt: hasNoFlag })).condition;
    };
    expect(
      await byEvents(`kohakuriver-task-${greedy.taskId}`, await runtime.inspect(greedy)),
    ).toMatchObject({ end: { exitCode: 137, oomKilled: true } });
    await runtime.remove(greedy, { keep: false });
    const killed = attemptOf('echo up; sleep 600', { memoryBytes: 32 * 1024 ** 2 });
    await launch(runtime, killed);
    await seeInLog(runtime, killed, 'up');
    await bed.sh('n1', `docker kill kohakuriver-task-${killed.taskId}`);
    expect((await runtime.waitForEnd(killed, never))?.condition).toMatchObject({
      end: { exitCode: 137, signal: 'SIGKILL', oomKilled: false },
    });
    await runtime.remove(killed, { keep: false });
    const ended = attemptOf('echo up; sleep 600', { memoryBytes: 32 * 1024 ** 2 });
    await launch(runtime, ended);
    await seeInLog(runtime, ended, 'up');
    // By somebody on the node, of whom the Engine knows nothing.
    await bed.sh(
      'n1',
      `kill -9 $(docker inspect -f '{{.State.Pid}}' kohakuriver-task-${ended.taskId})`,
    );
    expect((await runtime.waitForEnd(ended, never))?.condition).toMatchObject({
      end: { exitCode: 137, oomKilled: false },
    });
    await runtime.remove(ended, { keep: false });
    agent.destroy();
    await runtime.close();
  });

  test('are refused with the reason: mounts, users, resources', async () => {
    const runtime = await runtimeOver(ssh);
    const codeOf = async (changes: Parameters<typeof attemptOf>[1]) => {
      const spec = attemptOf('true', changes);
      const code = await launch(runtime, spec).then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      );
      await runtime.remove(spec, { keep: false });
      return code;
    };
    const mounts = [{ source: '/no/such/dir', destination: '/x', readOnly: false }];
    expect(await codeOf({ mounts })).toBe('docker/container-creation');
    expect(await bed.sh('n1', 'ls -d /no 2>/dev/null || echo none')).toBe('none');
    expect(await codeOf({ user: 'nobody-here' })).toBe('docker/container-execution');
    expect(await codeOf({ cores: 512 })).toBe('docker/resource-allocation');
    expect(await codeOf({ memoryBytes: 1000 })).toBe('docker/resource-allocation');
    expect(await codeOf({ numa: { id: 7, cpus: [0] } })).toBe('docker/resource-allocation');
    await runtime.close();
  });

  test('whose name somebody else has are never touched; an older attempt makes way', async () => {
    const runtime = await runtimeOver(ssh);
    const spec = attemptOf('echo second');
    const name = `kohakuriver-task-${spec.taskId}`;
    await bed.sh('n1', `docker create --name ${name} river/busybox:1 true`);
    await expect(launch(runtime, spec)).rejects.toMatchObject({ code: 'docker/name-taken' });
    await bed.sh('n1', `docker rm ${name}`);
    const older = { ...spec, work: { kind: 'script', text: 'sleep 600' } } as const;
    await launch(runtime, older);
    await launch(runtime, { ...spec, attempt: 2 });
    expect((await runtime.inspect(older))?.condition.kind).toBe('running');
    expect((await runtime.list()).filter(({ taskId }) => taskId === spec.taskId)).toHaveLength(2);
    await runtime.stop(older, { signal: 'SIGKILL', graceMs: 0 });
    for (const ref of [older, { ...spec, attempt: 2 }]) {
      await runtime.waitForEnd(ref, never);
      await runtime.remove(ref, { keep: false });
    }
    await runtime.close();
  });

  test('are run once, however late an order to start them comes', async () => {
    const earlier = await runtimeOver(ssh);
    const spec = attemptOf('echo once; exit 4');
    await earlier.create(spec, await earlier.prepare(spec, prepare));
    const name = `kohakuriver-task-${spec.taskId}`;
    const id = await bed.sh('n1', `docker inspect -f '{{.Id}}' ${name}`);
    // Its connection is lost while it orders the start; the next one finds it not started, and starts it.
    const later = await runtimeOver(ssh);
    await later.start(spec);
    expect((await later.waitForEnd(spec, never))?.condition).toMatchObject({
      end: { exitCode: 4 },
    });
    expect(await bed.sh('n1', `docker start ${id} 2>&1 || true`)).toContain('No such container');
    await later.start(spec);
    expect((await readAll(later, spec)).stdout.toString()).toBe('once\n');
    await later.remove(spec, { keep: false });
    await earlier.close();
    await later.close();
  });

  test('keep several messages of one instant apart through every cut', async () => {
    const runtime = await runtimeOver(ssh);
    // One line of 2 MB: 128 messages of one instant.
    const spec = attemptOf('head -c 2000000 /dev/zero; echo; echo end');
    await runToEnd(runtime, spec);
    const log = await readAll(runtime, spec, () => 1);
    expect(log.stdout.length).toBe(2_000_005);
    expect(log.gaps).toBe(0);
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('mark a gap where the rotation of the node lost output', async () => {
    const runtime = await runtimeOver(ssh);
    const spec = attemptOf(
      'echo first; sleep 1; yes $(printf %01000d 7) | head -c 30000000; echo last',
      {
        logBufferBytes: 4 * 1024 ** 2,
      },
    );
    await launch(runtime, spec);
    const first = await seeInLog(runtime, spec, 'first');
    await runtime.waitForEnd(spec, never);
    let gaps = 0;
    for await (const chunk of runtime.logs(spec, first.cursor, never))
      gaps += chunk.isAfterGap === true ? 1 : 0;
    expect(gaps).toBe(1);
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('go on while the Engine is killed; the runtime says that it is gone', async () => {
    const runtime = await runtimeOver(ssh);
    // What ends while the Engine is away takes with it what it printed then: this one outlasts it.
    const spec = attemptOf(
      'echo one; sleep 1; echo two; until [ -e /go ]; do sleep 0.1; done; exit 8',
    );
    await launch(runtime, spec);
    const first = await seeInLog(runtime, spec, 'one');
    const closed = new Promise<Error | undefined>((resolve) => runtime.onDidClose(resolve));
    const waiting = expect(runtime.waitForEnd(spec, never)).rejects.toMatchObject({
      code: 'docker/connection',
    });
    await bed.killDockerd('n1');
    await waiting;
    expect(await closed).toMatchObject({ code: 'docker/connection' });
    await expect(connectDocker(ssh)).rejects.toMatchObject({ code: 'docker/connection' });
    await bed.startDockerd('n1');
    const later = await runtimeOver(ssh);
    await bed.sh('n1', `docker exec kohakuriver-task-${spec.taskId} touch /go`);
    expect((await later.waitForEnd(spec, never))?.condition).toMatchObject({
      end: { exitCode: 8 },
    });
    const rest: string[] = [];
    for await (const chunk of later.logs(spec, first.cursor, never))
      rest.push(Buffer.from(chunk.bytes).toString());
    expect(rest.join('')).toBe('two\n');
    await later.remove(spec, { keep: false });
    await later.close();
    await runtime.close();
  });
});
