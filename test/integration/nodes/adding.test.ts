import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeView } from '../../../src-main/contract/node.ts';
import { gpus, Testbed } from '../../support/testbed.ts';
import { addNode, hostOf, rig, view, writeHome } from './support.ts';

let bed: Testbed;

beforeAll(async () => {
  bed = await Testbed.up({
    nodes: 3,
    registry: false,
    jumpOnly: 'n3',
    gpus: { n1: { gpus: gpus(2, 'A100') } },
  });
});
afterAll(() => bed[Symbol.asyncDispose]());

describe('looking at a host', () => {
  test('shows its key as new, and nothing is signed in to', async () => {
    await using it = await rig();
    const n1 = bed.node('n1');
    const { hostKeys } = await it.nodes.calls.inspectHost(hostOf(bed, n1));
    expect(hostKeys).toEqual([
      { host: n1.address, keyType: 'ssh-ed25519', fingerprint: n1.hostKeySha256, status: 'new' },
    ]);
  });

  test('tells what it would be, and stores nothing', async () => {
    await using it = await rig();
    const tried = await it.nodes.calls.tryHost({
      ...hostOf(bed, bed.node('n1')),
      consent: 'any-new',
    });
    expect(tried.facts).toMatchObject({
      hostname: 'n1',
      user: 'ops',
      process: true,
      gpuProblem: null,
      dockerProblem: null,
    });
    expect(tried.facts.gpus.map((gpu) => [gpu.index, gpu.name])).toEqual([
      [0, 'NVIDIA A100-SXM4-80GB'],
      [1, 'NVIDIA A100-SXM4-80GB'],
    ]);
    expect(tried.facts.docker).toMatchObject({ apiVersion: '1.41', gpuRuntime: true });
    expect(Math.abs(tried.facts.clockSkewMs ?? Infinity)).toBeLessThan(2000);
    expect(tried.auth).toMatch(/^key /);
    expect(it.nodes.list().filter(({ local }) => !local)).toEqual([]);
  });
});

describe('adding', () => {
  test('by key: the node is online, with Docker and processes', async () => {
    await using it = await rig();
    const added = await it.nodes.calls.add({
      ...hostOf(bed, bed.node('n1')),
      labels: { team: 'a' },
      consent: { fingerprints: [bed.node('n1').hostKeySha256] },
    });
    expect(nodeView.parse(added)).toMatchObject({
      name: 'n1',
      state: 'online',
      auth: 'identity-file',
      labels: { team: 'a' },
      findings: [],
    });
    expect(it.nodes.runtime(added.id, 'docker')).toBeDefined();
    expect(it.nodes.runtime(added.id, 'process')).toBeDefined();
    expect(it.nodes.plannerNodes().find(({ id }) => id === added.id)).toMatchObject({
      runtimes: { docker: true, process: true },
      gpus: [
        { healthy: true, foreign: null },
        { healthy: true, foreign: null },
      ],
    });
  });

  test('by password: it is nowhere in clear, and still there after a restart', async () => {
    let home: string;
    {
      const first = await rig();
      home = first.homeDir;
      const added = await addNode(first, bed, { name: 'n2', user: 'pw' });
      expect(added).toMatchObject({ state: 'online', auth: 'password' });
      expect(added.facts?.docker).toBeNull();
      expect(added.findings.map(({ id, fix }) => [id, fix])).toContainEqual([
        'docker-denied',
        'sudo usermod -aG docker pw',
      ]);
      await first.nodes[Symbol.asyncDispose]();
      await first.store.close();
      expect(first.logged.join('\n')).not.toContain(bed.password);
      const files = await readdir(first.dataDir, { recursive: true, withFileTypes: true });
      for (const file of files.filter((entry) => entry.isFile())) {
        expect(
          (await readFile(join(file.parentPath, file.name))).includes(`"${bed.password}"`),
        ).toBe(false);
      }
    }
    await using again = await rig({ home });
    await view(again, 'n2', ({ state }) => state === 'online');
  });

  test('through a jump host', async () => {
    await using it = await rig();
    const added = await addNode(it, bed, { name: 'n3' });
    const { address } = bed.node(bed.node('n3').jumpThrough ?? '');
    expect(added).toMatchObject({ state: 'online', jumps: [`ops@${address}:22`] });
    expect(it.nodes.runtime(added.id, 'docker')).toBeDefined();
  });

  test('refuses a key nobody accepted, a wrong password, a taken name and the same machine twice; stores nothing', async () => {
    await using it = await rig();
    const n1 = hostOf(bed, bed.node('n1'));
    const calls = it.nodes.calls;
    await expect(calls.add({ ...n1, labels: {} })).rejects.toMatchObject({
      code: 'link/host-key-unknown',
    });
    const wrong = { ...hostOf(bed, bed.node('n2'), 'pw'), password: 'not-it' };
    await expect(calls.add({ ...wrong, labels: {}, consent: 'any-new' })).rejects.toMatchObject({
      code: 'link/auth',
      retry: 'after-user-action',
    });
    expect(it.nodes.list()).toHaveLength(1);

    await addNode(it, bed, { name: 'n1' });
    const n2 = hostOf(bed, bed.node('n2'));
    await expect(
      calls.add({ ...n2, name: 'N1', labels: {}, consent: 'any-new' }),
    ).rejects.toMatchObject({ code: 'conflict/name-taken' });
    await expect(
      calls.add({ ...n1, name: 'other', labels: {}, consent: 'any-new' }),
    ).rejects.toMatchObject({
      code: 'conflict/already-added',
      details: { node: 'n1' },
    });
    const asRoot = hostOf(bed, bed.node('n1'), 'root');
    await expect(
      calls.add({ ...asRoot, name: 'other', labels: {}, consent: 'any-new' }),
    ).rejects.toMatchObject({
      code: 'conflict/already-added',
      details: { node: 'n1' },
    });
    expect(it.nodes.list()).toHaveLength(2);
  });

  test('of two equal requests at once, one wins', async () => {
    await using it = await rig();
    const request = { ...hostOf(bed, bed.node('n1')), labels: {}, consent: 'any-new' as const };
    const results = await Promise.allSettled([
      it.nodes.calls.add(request),
      it.nodes.calls.add(request),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(it.nodes.list()).toHaveLength(2);
  });

  test('by an alias of ~/.ssh/config, under its name', async () => {
    await using it = await rig();
    const { address } = bed.node('n1');
    await writeHome(
      it,
      '.ssh/config',
      `Host big-one\n  HostName ${address}\n  User ops\n  IdentityFile ${bed.keyPath}\nHost odd\n  ProxyCommand nc %h %p\n`,
    );
    const hosts = await it.nodes.calls.sshConfigHosts();
    expect(hosts).toEqual([
      { alias: 'big-one', host: address, user: 'ops', port: 22, known: false },
    ]);
    const added = await it.nodes.calls.add({
      destination: { host: 'big-one' },
      jumps: [],
      useSshConfig: true,
      labels: {},
      consent: 'any-new',
    });
    expect(added).toMatchObject({ name: 'big-one', address, user: 'ops', state: 'online' });
    expect((await it.nodes.calls.sshConfigHosts())[0]).toMatchObject({ known: true });
  });
});
