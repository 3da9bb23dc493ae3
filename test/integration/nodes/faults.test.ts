import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpus, Testbed } from '../../support/testbed.ts';
import { addNode, hostOf, rig, sample, until, view } from './support.ts';

let bed: Testbed;
const cards = gpus(2, 'A100');

beforeAll(async () => {
  bed = await Testbed.up({ nodes: 2, registry: false, gpus: { n1: { gpus: cards } } });
});
afterAll(() => bed[Symbol.asyncDispose]());

describe('the way to a node', () => {
  test('a power cut: connecting, then offline with a reason, then back by itself', async () => {
    await using it = await rig();
    const { id } = await addNode(it, bed, { name: 'n2' });
    await bed.powerCut('n2');
    await view(it, 'n2', ({ state }) => state === 'connecting');
    const gone = await view(it, 'n2', ({ state }) => state === 'offline');
    expect(gone.reason).not.toBeNull();
    expect(gone.reasonKind).toMatch(/timeout|unreachable|refused|lost/);
    expect(it.nodes.runtime(id, 'docker')).toBeUndefined();
    await bed.boot('n2');
    it.nodes.wakeAll();
    await view(it, 'n2', ({ state }) => state === 'online');
    expect(it.comings.filter((coming) => coming.endsWith(id))).toEqual([
      `+${id}`,
      `?${id}`,
      `-${id}`,
      `+${id}`,
    ]);
  });

  test('a short cut of sshd is no absence', async () => {
    await using it = await rig({ offlineAfterSeconds: 20 });
    const { id } = await addNode(it, bed, { name: 'n2' });
    await bed.stopSshd('n2');
    await view(it, 'n2', ({ state }) => state === 'connecting');
    await bed.startSshd('n2');
    await view(it, 'n2', ({ state }) => state === 'online');
    expect(it.comings.filter((coming) => coming.endsWith(id))).toEqual([
      `+${id}`,
      `?${id}`,
      `+${id}`,
    ]);
  });

  test('a changed host key: offline, said loudly, nothing sent', async () => {
    await using it = await rig();
    await addNode(it, bed, { name: 'n2' });
    await bed.changeHostKey('n2');
    await bed.stopSshd('n2');
    await bed.startSshd('n2');
    // On a busy machine it may be out of reach for long enough before it answers with the other key.
    const gone = await view(it, 'n2', ({ reasonKind }) => reasonKind === 'host-key');
    expect(gone).toMatchObject({ state: 'offline' });
    expect(gone.reason).toContain('another host key');
  });

  test('a start-up file that hangs: Docker goes on working, and the finding says what is wrong', async () => {
    await using it = await rig({ offlineAfterSeconds: 60 });
    await bed.sh(
      'n1',
      'printf "sleep 1000\\n" >/home/plain/.bashrc; usermod -s /bin/bash plain; usermod -aG docker plain',
    );
    try {
      const known = await it.nodes.calls.inspectHost(hostOf(bed, bed.node('n1'), 'plain'));
      expect(known.hostKeys).toHaveLength(1);
      await expect(
        it.nodes.calls.tryHost({ ...hostOf(bed, bed.node('n1'), 'plain'), consent: 'any-new' }),
      ).rejects.toMatchObject({
        code: 'link/shell-hangs',
      });
      // Known before it began to hang.
      await bed.sh('n1', 'mv /home/plain/.bashrc /home/plain/.hang');
      const added = await addNode(it, bed, { name: 'n1', user: 'plain' });
      await bed.sh('n1', 'mv /home/plain/.hang /home/plain/.bashrc');
      await bed.stopSshd('n1');
      await bed.startSshd('n1');
      await view(it, 'n1', ({ state }) => state === 'connecting');
      const back = await view(it, 'n1', ({ state }) => state === 'online');
      expect(back.findings.map(({ id }) => id)).toContain('probe');
      expect(it.nodes.runtime(added.id, 'docker')).toBeDefined();
    } finally {
      await bed.sh('n1', 'rm -f /home/plain/.bashrc /home/plain/.hang; gpasswd -d plain docker');
    }
  });

  test('disabled: let go of, and back when enabled', async () => {
    await using it = await rig();
    const { id } = await addNode(it, bed, { name: 'n1' });
    expect(await it.nodes.calls.disable({ node: 'n1' })).toMatchObject({
      state: 'disabled',
      reason: null,
    });
    expect(it.nodes.runtime(id, 'docker')).toBeUndefined();
    expect(await it.nodes.calls.enable({ node: 'n1' })).toMatchObject({ state: 'online' });
  });
});

describe('GPUs', () => {
  test('a hanging nvidia-smi makes them unknown, holds up nothing else, and they come back', async () => {
    await using it = await rig();
    await bed.setGpus('n1', { gpus: cards, fault: { kind: 'hang' } });
    const { id } = await addNode(it, bed, { name: 'n1' });
    const planned = () => it.nodes.plannerNodes().find((node) => node.id === id);
    expect(it.nodes.calls.get({ node: 'n1' })).toMatchObject({
      state: 'online',
      facts: { gpus: [] },
    });
    expect(it.nodes.calls.get({ node: 'n1' }).facts?.gpuProblem).toContain('does not answer');
    expect((await sample(it, id)).memoryTotalBytes).toBeGreaterThan(0);
    await bed.setGpus('n1', { gpus: cards });
    await until(() => planned()?.gpus.length === 2 && planned()?.gpus.every((gpu) => gpu.healthy), {
      timeoutMs: 60_000,
    });

    await bed.setGpus('n1', {
      gpus: cards,
      fault: { kind: 'exit', code: 9, text: 'NVIDIA-SMI has failed' },
    });
    await until(() => planned()?.gpus.every((gpu) => !gpu.healthy));
    expect(planned()?.gpus).toHaveLength(2);
    await bed.setGpus('n1', { gpus: cards });
    await until(() => planned()?.gpus.every((gpu) => gpu.healthy));
  }, 180_000);

  test('a process of somebody else makes one foreign, one of ours does not', async () => {
    await using it = await rig();
    const { id } = await addNode(it, bed, { name: 'n1' });
    const pid = await bed.occupyGpu('n1', { user: 'plain', gpu: 1, memoryMiB: 500 });
    const seen = await sample(it, id, ({ gpus: readings }) => readings[1]?.foreign === true);
    expect(seen.gpus[1]?.processes).toMatchObject([
      { pid, user: 'plain', memoryBytes: 500 * 2 ** 20 },
    ]);
    expect(
      it.nodes
        .plannerNodes()
        .find((node) => node.id === id)
        ?.gpus.map((gpu) => gpu.foreign),
    ).toEqual([null, { by: 'plain (python3)' }]);

    const place = {
      nodeId: id,
      runtime: 'docker' as const,
      gpus: [{ uuid: cards[1]?.uuid ?? '', index: 1 }],
      cores: 1,
      memoryBytes: 0,
      numa: null,
      exclusive: false,
    };
    it.holdings.set(id, [{ taskId: '5' as never, attempt: 1, place }]);
    it.nodes.noteHoldings(id, { withGpus: true });
    await sample(it, id, ({ gpus: readings }) => readings[1]?.foreign === false);
    expect(it.nodes.calls.get({ node: 'n1' }).allocated.gpus).toEqual([
      { uuid: cards[1]?.uuid, taskId: '5', core: null },
    ]);
    await bed.sh('n1', `kill ${String(pid)}`);
  });
});

describe('what a node lacks', () => {
  test('Docker that comes up later is taken into use by itself', async () => {
    await using it = await rig();
    const { id } = await addNode(it, bed, { name: 'n1' });
    await bed.stopDockerd('n1');
    await until(() => it.nodes.runtime(id, 'docker') === undefined, { timeoutMs: 45_000 });
    await view(it, 'n1', ({ findings }) =>
      findings.some((finding) => finding.id === 'docker-down'),
    );
    const before = it.comings.length;
    await bed.startDockerd('n1');
    await until(() => it.nodes.runtime(id, 'docker') !== undefined, { timeoutMs: 75_000 });
    expect(it.comings.slice(before)).toEqual([`+${id}`]);
  });

  test('a clock that is wrong is a warning with the command that mends it', async () => {
    await using it = await rig();
    await bed.sh(
      'n1',
      `printf '#!/bin/sh\\necho $(($(/bin/date +%%s) + 3600)).5\\n' >/usr/local/bin/date; chmod 755 /usr/local/bin/date`,
    );
    try {
      const added = await addNode(it, bed, { name: 'n1' });
      expect(added.findings).toMatchObject([
        { id: 'clock', level: 'warning', title: 'The clock is 3600 s ahead' },
      ]);
    } finally {
      await bed.sh('n1', 'rm /usr/local/bin/date');
    }
    expect(
      (await it.nodes.calls.doctor({ node: 'n1' })).find(({ id }) => id === 'clock'),
    ).toMatchObject({ level: 'ok' });
  });

  test('doctor, processes, drain, labels, rename, remove', async () => {
    await using it = await rig();
    const { id } = await addNode(it, bed, { name: 'n1' });
    const calls = it.nodes.calls;
    expect((await calls.doctor({ node: 'n1' })).map((finding) => finding.id)).toEqual(
      expect.arrayContaining(['docker', 'gpus', 'sshd-sessions', 'disk']),
    );
    expect(
      (await calls.processes({ node: 'n1', limit: 500 })).map(({ command }) => command),
    ).toContainEqual(expect.stringContaining('sshd'));
    expect(await calls.drain({ node: 'n1' })).toMatchObject({ drained: true });
    expect(it.nodes.plannerNodes().find((node) => node.id === id)).toMatchObject({ drained: true });
    await calls.label({ node: 'n1', labels: { a: '1', b: '2' } });
    expect((await calls.label({ node: 'n1', labels: { a: null } })).labels).toEqual({ b: '2' });
    expect(await calls.rename({ node: 'n1', name: 'first' })).toMatchObject({
      id,
      name: 'first',
      drained: true,
    });
    const place = {
      nodeId: id,
      runtime: 'docker' as const,
      gpus: [],
      cores: 1,
      memoryBytes: 0,
      numa: null,
      exclusive: false,
    };
    it.holdings.set(id, [{ taskId: '77' as never, attempt: 1, place }]);
    await expect(calls.remove({ node: 'first', force: false })).rejects.toMatchObject({
      code: 'conflict/node-in-use',
    });
    expect(await calls.remove({ node: 'first', force: true })).toEqual({
      id,
      left: ['container kohakuriver-task-77'],
    });
    expect(it.nodes.find('first')).toBeUndefined();
    expect(await addNode(it, bed, { name: 'n1' })).toMatchObject({ state: 'online' });
  });
});
