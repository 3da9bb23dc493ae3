// Forwards of a real core: over SSH to a node and to a container on it; and OpenSSH by name.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer as createTcp, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCli } from '../../support/built.ts';
import { until } from '../../support/core-client.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { requirements, Testbed } from '../../support/testbed.ts';
import { UdpClient } from '../../support/udp-client.ts';

const can = await requirements();
const MiB = 2 ** 20;
const blobSize = 128 * 1024;
/** For a Perl without any module: answers each datagram on port 5353 with itself. */
const udpEcho =
  'socket(S,2,2,0);bind(S,pack("Snx12",2,5353));while(defined($f=recv(S,$b,65535,0))){send(S,$b,0,$f)}';

describe.skipIf(!can.isMet)('forwards', () => {
  let bed: Testbed;
  let dir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let core: CoreProcess;
  let box: string;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 1, registry: false, images: ['river/vps'] });
    dir = await temporaryDataDir();
    core = await start();
    const [n1] = bed.nodes;
    await core.api.nodes.add({
      destination: { host: n1!.address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
    const key = (await buffer(spawn('ssh-keygen', ['-y', '-f', bed.keyPath]).stdout)).toString();
    box = await core.submit({
      work: {
        kind: 'script',
        text: `ssh-keygen -A && echo '${key.trim()}' > /root/.ssh/authorized_keys && chmod 600 /root/.ssh/authorized_keys
          head -c ${blobSize} /dev/urandom > /root/blob
          busybox httpd -p 8080 -h /root
          perl -e '${udpEcho}' &
          exec /usr/sbin/sshd -D -e`,
      },
      vessel: { kind: 'image', reference: 'river/vps:1' },
      targets: ['n1'],
      name: 'box',
    });
    await core.reaches(box, ['RUNNING']);
  });
  afterAll(async () => {
    await core?.stop();
    await dir?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const start = () => startCoreProcess(dir.path, { KOHAKURIVER_NODES_OFFLINEAFTERSECONDS: '5' });

  async function fetchSha(port: number): Promise<string> {
    const asked = request({ host: '127.0.0.1', port, path: '/blob', agent: false }).end();
    const [reply] = (await once(asked, 'response')) as [IncomingMessage];
    const hash = createHash('sha256');
    for await (const chunk of reply) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }
  async function run(words: readonly string[], input?: Buffer) {
    const [file = '', ...args] = words;
    const child = spawn(file, args, { env: { ...process.env, HOME: dir.path, NO_COLOR: '1' } });
    child.stdin.end(input ?? '');
    const [out, err, [code]] = await Promise.all([
      buffer(child.stdout),
      buffer(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, out: out.toString(), err: err.toString() };
  }
  const kr = (...words: string[]) =>
    run([process.execPath, builtCli, '--data-dir', dir.path, ...words]);

  test('TCP into a container: 100 at once, counted; healed after a cut; kept over a restart of the core', async () => {
    const target = { kind: 'task', task: box } as const;
    const forward = await core.api.forwards.add({ spec: { kind: 'tcp', target, port: 8080 } });
    expect(forward.state).toBe('open');
    const port = forward.localPort!;
    const wanted = await until(async () => fetchSha(port).catch(() => undefined), 'it serves');
    const all = await Promise.all(Array.from({ length: 100 }, () => fetchSha(port)));
    expect(new Set(all)).toEqual(new Set([wanted]));
    const [counted] = await core.api.forwards.list();
    expect(counted!.bytesDown).toBeGreaterThan(100 * blobSize);

    await bed.cutLink('n1');
    await until(
      async () => (await core.api.forwards.list())[0]?.state === 'waiting',
      'the loss is seen',
    );
    await bed.healLink('n1');
    await core.api.nodes.reconnect({ node: 'n1' });
    await core.reaches(box, ['RUNNING']);
    await until(async () => (await core.api.forwards.list())[0]?.state === 'open', 'it is healed');
    expect(await fetchSha(port)).toBe(wanted);

    const paused = await core.api.forwards.pause({ forward: forward.id });
    expect(paused).toMatchObject({ state: 'paused', connections: 0 });
    await expect(fetchSha(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await core.stop();
    core = await start();
    expect(await core.api.forwards.list()).toMatchObject([{ state: 'paused', localPort: port }]);
    await core.reaches(box, ['RUNNING']);
    await core.api.forwards.resume({ forward: forward.id });
    await until(async () => (await core.api.forwards.list())[0]?.state === 'open', 'it is there');
    const [kept] = await core.api.forwards.list();
    expect(kept).toMatchObject({ id: forward.id, localPort: port });
    expect(await fetchSha(port)).toBe(wanted);
    await core.api.forwards.remove({ forward: forward.id });
    await expect(fetchSha(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('UDP into a container: each gets their own answers, whole; healed after a cut', async () => {
    const target = { kind: 'task', task: box } as const;
    const forward = await core.api.forwards.add({ spec: { kind: 'udp', target, port: 5353 } });
    expect(forward).toMatchObject({ state: 'open', connections: 0 });
    const port = forward.localPort!;
    await using one = await UdpClient.open(port);
    await using two = await UdpClient.open(port);
    const sent = [1, 1400, 9000, 60_000].map((size) => randomBytes(size));
    for (const bytes of sent) {
      expect((await one.ask(bytes)).equals(bytes)).toBe(true);
      const other = randomBytes(100);
      expect((await two.ask(other)).equals(other)).toBe(true);
    }
    await until(async () => {
      const [view] = await core.api.forwards.list();
      return view?.connections === 2 && view.bytesDown > 70_000 && view.bytesUp >= view.bytesDown;
    }, 'both are counted');

    await bed.cutLink('n1');
    await until(
      async () => (await core.api.forwards.list())[0]?.state === 'waiting',
      'the loss is seen',
    );
    await bed.healLink('n1');
    await core.api.nodes.reconnect({ node: 'n1' });
    const after = randomBytes(500);
    expect((await one.ask(after)).equals(after)).toBe(true);
    expect(await core.api.forwards.list()).toMatchObject([{ state: 'open', localPort: port }]);

    // The node has no program left that could send them: it says which one to install.
    const hidden = '/usr/bin/perl /usr/bin/python3';
    await bed.sh('n1', `for p in ${hidden}; do [ -e $p ] && mv $p $p.away; done; :`);
    const spec = { kind: 'udp', target: { kind: 'node', node: 'n1' }, port: 9 } as const;
    await expect(core.api.forwards.add({ spec })).rejects.toMatchObject({
      code: 'forward/no-udp',
      details: { node: 'n1' },
    });
    await bed.sh('n1', `for p in ${hidden}; do [ -e $p.away ] && mv $p.away $p; done; :`);
    await core.api.forwards.remove({ forward: forward.id });
    expect(await core.api.forwards.list()).toEqual([]);
  });

  test('one side may be done while the other still sends', async () => {
    const payload = randomBytes(3 * MiB);
    const server = createTcp({ allowHalfOpen: true }, (socket) => {
      void buffer(socket).then((got) => socket.end(createHash('sha256').update(got).digest('hex')));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A port here, reached from the node, and from here through the node again: both kinds in a row.
    const node = { kind: 'node', node: 'n1' } as const;
    const { port: local } = server.address() as AddressInfo;
    const back = await core.api.forwards.add({
      spec: { kind: 'reverse', target: node, port: 45_454, localPort: local },
    });
    const there = await core.api.forwards.add({
      spec: { kind: 'tcp', target: node, port: 45_454 },
    });
    const socket = connect({ host: '127.0.0.1', port: there.localPort!, allowHalfOpen: true });
    socket.end(payload);
    expect((await buffer(socket)).toString()).toBe(
      createHash('sha256').update(payload).digest('hex'),
    );
    for (const { id } of [back, there]) await core.api.forwards.remove({ forward: id });
    server.close();
  });

  test('SOCKS5: names and addresses as the node sees them', async () => {
    const socks = await core.api.forwards.add({
      spec: { kind: 'socks', target: { kind: 'task', task: box } },
    });
    const proxy = `127.0.0.1:${String(socks.localPort)}`;
    const byName = await run([
      'curl',
      '-sS',
      '--socks5-hostname',
      proxy,
      'http://localhost:8080/blob',
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
    ]);
    expect(byName).toMatchObject({ code: 0, out: String(blobSize) });
    const closed = await run(['curl', '-sS', '--socks5', proxy, 'http://127.0.0.1:9/']);
    expect(closed.code).toBe(97);
    await core.api.forwards.remove({ forward: socks.id });
  });

  test('a taken port, a container as the place of a reverse forward: refused with a name', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const target = { kind: 'node', node: 'n1' } as const;
    await expect(
      core.api.forwards.add({ spec: { kind: 'tcp', target, port: 22, localPort: port } }),
    ).rejects.toMatchObject({ code: 'forward/port-taken' });
    await expect(
      core.api.forwards.add({
        spec: { kind: 'reverse', target: { kind: 'task', task: box }, port: 9999 },
      }),
    ).rejects.toMatchObject({ code: 'forward/unsupported' });
    expect(await core.api.forwards.list()).toEqual([]);
    server.close();
  });

  test('ssh and scp by name, host keys checked', async () => {
    const config = await kr('ssh-config', box);
    expect(config.out).toContain('Host kr-box\n');
    expect(config.out).toContain('StrictHostKeyChecking yes');
    const file = join(dir.path, 'ssh_config');
    await writeFile(file, config.out);
    const by = ['-F', file, '-i', bed.keyPath, '-o', 'BatchMode=yes'];
    const here = await run(['ssh', ...by, 'kr-box', 'echo here; exit 4']);
    expect(here, here.err).toMatchObject({ code: 4, out: 'here\n' });
    const tree = join(dir.path, 'tree');
    await mkdir(join(tree, 'deep'), { recursive: true });
    const bytes = randomBytes(MiB);
    await writeFile(join(tree, 'deep', 'file'), bytes);
    expect((await run(['scp', ...by, '-r', tree, 'kr-box:/root/'])).code).toBe(0);
    expect(
      (await run(['scp', ...by, '-r', 'kr-box:/root/tree', join(dir.path, 'back')])).code,
    ).toBe(0);
    expect((await readFile(join(dir.path, 'back', 'deep', 'file'))).equals(bytes)).toBe(true);
    // A key that is not the container's: nothing is sent to it.
    const known = join(dir.path, 'ssh', 'known_hosts');
    const other = (await readFile(`${bed.keyPath}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
    await writeFile(known, `kohakuriver-task-${box} ${other}\n`);
    const changed = await run(['ssh', ...by, 'kr-box', 'true']);
    expect(changed.code).toBe(255);
    expect(changed.err).toMatch(/HOST IDENTIFICATION HAS CHANGED|verification failed/);
    // The same in one call, for the app: what was changed is made right again.
    const access = await core.api.ssh.setUp({ task: box });
    expect(access).toMatchObject({ alias: 'kr-box', isIncluded: false });
    const ours = ['-F', access.configFile, '-i', bed.keyPath, '-o', 'BatchMode=yes'];
    expect(await run(['ssh', ...ours, 'kr-box', 'echo again'])).toMatchObject({
      code: 0,
      out: 'again\n',
    });
    const included = await core.api.ssh.setUp({ task: box, mayInclude: true });
    expect(included).toMatchObject({
      isIncluded: true,
      userConfigFile: join(dir.path, '.ssh', 'config'),
    });
    const user = await readFile(included.userConfigFile, 'utf8');
    expect(user.split('\n')[0]).toBe(included.includeLine);
    const direct = await kr('ssh', box, '--', '-i', bed.keyPath, '-o', 'BatchMode=yes');
    expect(direct.code).toBe(0);
  });
});
