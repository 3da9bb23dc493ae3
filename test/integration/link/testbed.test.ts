// Links to whole nodes, with a network that fails in between.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSsh, type ConnectSshOptions } from '../../../src-main/link/ssh/connect.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';
import { LinkSupervisor } from '../../../src-main/link/supervisor.ts';
import { systemClock, systemTimers } from '../../../src-main/link/system-timers.ts';
import { requirements, Testbed, type TestbedNode } from '../../support/testbed.ts';

const can = await requirements({ docker: false });

describe.skipIf(!can.isMet)('links to nodes', () => {
  let bed: Testbed;
  let dir: string;
  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 2, docker: false, registry: false, jumpOnly: 'n2' });
    dir = await mkdtemp(join(tmpdir(), 'link-bed-'));
  });
  afterAll(async () => {
    await bed[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  const options = (
    node: TestbedNode,
    more: Partial<ConnectSshOptions> = {},
  ): ConnectSshOptions => ({
    destination: { host: node.address, port: node.port, user: 'ops' },
    identityFile: bed.keyPath,
    useSshConfig: false,
    knownHosts: new KnownHosts({ userFiles: [bed.knownHostsPath], ownFile: join(dir, 'own') }),
    timeoutMs: 10_000,
    agentSocket: null,
    homeDir: dir,
    ...more,
  });

  test('a password on a real sshd; a wrong one is told', async () => {
    const node = bed.node('n1');
    const destination = { host: node.address, port: node.port, user: 'pw' };
    const withPassword = (password: string) =>
      connectSsh(options(node, { destination, identityFile: undefined, password }));
    await using link = await withPassword(bed.password);
    expect(link.authenticatedBy).toBe('password');
    expect((await link.run(['id', '-un'])).stdout.toString()).toBe('pw\n');
    await expect(withPassword('wrong')).rejects.toMatchObject({ code: 'link/auth' });
  });

  test('a node behind another, with a password at its end', async () => {
    const [first, second] = [bed.node('n1'), bed.node('n2')];
    const jumps = [{ host: first.address, port: first.port, user: 'ops' }];
    await using link = await connectSsh(
      options(second, {
        destination: { host: second.address, port: second.port, user: 'pw' },
        password: bed.password,
        jumps,
      }),
    );
    expect((await link.run(['hostname'])).stdout.toString()).toBe('n2\n');
    const processes = await Promise.all(Array.from({ length: 12 }, () => link.spawn(['true'])));
    for (const process of processes) {
      process.stdout.resume();
      process.stderr.resume();
      expect(await process.ended).toEqual({ exitCode: 0, signal: null });
    }
  });

  test('a cut link is noticed, counted offline, and comes back when it heals', async () => {
    const node = bed.node('n1');
    const supervisor = new LinkSupervisor({
      connect: (signal) =>
        connectSsh(options(node, { signal, keepaliveMs: 300, timeoutMs: 1_000 })),
      clock: systemClock,
      timers: systemTimers,
      random: () => 0.5,
      offlineAfterMs: 1_000,
      backoffMs: { first: 200, last: 500 },
    });
    const states: string[] = [];
    // Each try that fails renews the reason for being offline.
    supervisor.onDidChange(({ kind }) => {
      if (states.at(-1) !== kind) states.push(kind);
    });
    supervisor.start();
    await expect.poll(() => supervisor.state.kind, { timeout: 5_000 }).toBe('online');
    await bed.cutLink(node);
    await expect.poll(() => supervisor.state.kind, { timeout: 10_000 }).toBe('offline');
    await bed.healLink(node);
    await expect.poll(() => supervisor.state.kind, { timeout: 10_000 }).toBe('online');
    expect(await supervisor.link?.ping(1_000)).toBeGreaterThan(0);
    await supervisor.stop();
    expect(states).toEqual(['connecting', 'online', 'connecting', 'offline', 'online', 'stopped']);
  });

  test('a node set up anew with another host key is not talked to', async () => {
    await bed.changeHostKey('n1');
    await expect(connectSsh(options(bed.node('n1')))).rejects.toMatchObject({
      code: 'link/host-key-changed',
      details: { file: bed.knownHostsPath },
    });
  });
});
