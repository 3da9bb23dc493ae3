// What a real node can do to a link: start-up files, limits, forbidden forwarding, silence, death.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import type { NodeLink, RemoteProcess } from '../../../src-main/link/node-link.ts';
import type { SshLink } from '../../../src-main/link/ssh/ssh-link.ts';
import { hasSshd, PrivateSshd } from './private-sshd.ts';

describe.skipIf(!hasSshd)('start-up files', () => {
  test('what they print is harmless, on every kind of channel', async () => {
    await using sshd = await PrivateSshd.start({
      home: { '.bashrc': 'echo Welcome; echo Beware >&2; printf "no newline"; set -x; cd /usr\n' },
    });
    await using link = await sshd.connect();
    const result = await link.run(['sh', '-c', 'echo out; echo err >&2; pwd']);
    expect([result.stdout.toString(), result.stderr.toString()]).toEqual([
      `out\n${sshd.home}\n`,
      'err\n',
    ]);
    const process = await link.spawn(['echo', 'clean']);
    process.stderr.resume();
    expect(Buffer.concat(await process.stdout.toArray()).toString()).toBe('clean\n');
    const onTerminal = await link.spawn(['echo', 'clean'], {
      pty: { columns: 80, rows: 24, term: 'xterm' },
    });
    onTerminal.stderr.resume();
    expect(Buffer.concat(await onTerminal.stdout.toArray()).toString()).toBe('clean\r\n');
    const files = await link.files();
    await files.writeFileAtomically(join(sshd.dir, 'f'), Buffer.from('content'));
    expect(await readFile(join(sshd.dir, 'f'), 'utf8')).toBe('content');
  });

  test('those that hang are a named error; forwarding and SFTP go on', async () => {
    await using sshd = await PrivateSshd.start({
      home: { '.bashrc': 'sleep 6.543\n' },
      config: ['Subsystem sftp internal-sftp'],
    });
    await using link = await sshd.connect({ shellTimeoutMs: 500 });
    const started = performance.now();
    await expect(link.run(['true'])).rejects.toMatchObject({ code: 'link/shell-hangs' });
    expect(performance.now() - started).toBeLessThan(2_000);
    // It is not tried again at once.
    const again = performance.now();
    await expect(link.run(['true'])).rejects.toMatchObject({ code: 'link/shell-hangs' });
    expect(performance.now() - again).toBeLessThan(100);
    await expect(link.spawn(['true'])).rejects.toMatchObject({ code: 'link/shell-hangs' });
    expect(await (await link.files()).stat(sshd.home)).toMatchObject({ kind: 'directory' });
    const server = createServer((socket) => socket.end('up'));
    await new Promise<void>((resolve) => server.listen(join(sshd.dir, 's'), resolve));
    const stream = await link.dialSocket(join(sshd.dir, 's'));
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('up');
    server.close();
  });

  test('an SFTP server started through a hanging shell is a named error as well', async () => {
    await using sshd = await PrivateSshd.start({ home: { '.bashrc': 'sleep 4.321\n' } });
    await using link = await sshd.connect({ shellTimeoutMs: 300 });
    await expect(link.files()).rejects.toMatchObject({ code: 'link/shell-hangs' });
  });

  test('those that eat input or never start a shell are survived', async () => {
    await using eater = await PrivateSshd.start({ home: { '.bashrc': 'read -t 0.2 -r x\n' } });
    await using link = await eater.connect();
    expect((await link.run(['echo', 'ok'])).stdout.toString()).toBe('ok\n');
    await using leaver = await PrivateSshd.start({ home: { '.bashrc': 'echo bye; exit 3\n' } });
    await using other = await leaver.connect();
    await expect(other.run(['true'])).rejects.toMatchObject({ code: 'link/command-failed' });
    expect(await other.ping(1_000)).toBeGreaterThan(0);
  });
});

describe.skipIf(!hasSshd)('limits of the server', () => {
  test('sessions beyond one connection’s ten go to further connections', async () => {
    await using sshd = await PrivateSshd.start();
    await using link = await sshd.connect();
    await link.run(['true']);
    const processes = await Promise.all(Array.from({ length: 25 }, () => link.spawn(['cat'])));
    expect((await link.run(['echo', 'still'])).stdout.toString()).toBe('still\n');
    expect((await (await link.files()).stat('/'))?.kind).toBe('directory');
    expect(link.connectionCount).toBeGreaterThan(2);
    await endAll(processes);
  });

  test.each([1, 2, 3])('MaxSessions %d is learnt', async (limit) => {
    await using sshd = await PrivateSshd.start({ config: [`MaxSessions ${limit}`] });
    await using link = await sshd.connect();
    await link.run(['true']);
    const slow = [link.run(['sleep', '1']), link.run(['sleep', '1'])];
    const processes = await Promise.all(Array.from({ length: 5 }, () => link.spawn(['cat'])));
    expect((await (await link.files()).stat('/'))?.kind).toBe('directory');
    expect((await link.run(['echo', 'ok'])).stdout.toString()).toBe('ok\n');
    await Promise.all(slow);
    await endAll(processes);
  });

  test('no sessions at all: commands are refused, forwarding works', async () => {
    await using sshd = await PrivateSshd.start({ config: ['MaxSessions 0'] });
    await using link = await sshd.connect();
    await expect(link.run(['true'])).rejects.toMatchObject({ code: 'link/channel-refused' });
    await expect(link.files()).rejects.toMatchObject({ code: 'link/channel-refused' });
    const stream = await link.dialTcp('127.0.0.1', sshd.port);
    const [banner] = (await once(stream, 'data')) as [Buffer];
    expect(banner.toString()).toMatch(/^SSH-2.0/);
  });

  test('forwarded sockets do not count as sessions', async () => {
    await using sshd = await PrivateSshd.start();
    await using link = await sshd.connect();
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(join(sshd.dir, 's'), resolve));
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => link.dialSocket(join(sshd.dir, 's'))),
    );
    expect(link.connectionCount).toBe(1);
    for (const stream of streams) stream.destroy();
    server.close();
  });

  test('forbidden socket forwarding says so, and spawn can take its place', async () => {
    await using sshd = await PrivateSshd.start({ config: ['AllowStreamLocalForwarding no'] });
    await using link = await sshd.connect();
    await expect(link.dialSocket('/var/run/docker.sock')).rejects.toMatchObject({
      code: 'link/channel-refused',
      details: { what: 'the socket /var/run/docker.sock', step: 'open' },
    });
    const process = await link.spawn(['cat']);
    process.stderr.resume();
    process.stdin.end(Buffer.from([0, 255, 10]));
    expect([...Buffer.concat(await process.stdout.toArray())]).toEqual([0, 255, 10]);
  });

  test('an SFTP server that is not where the configuration says is found', async () => {
    await using sshd = await PrivateSshd.start({ config: ['Subsystem sftp /nonexistent/server'] });
    await using link = await sshd.connect();
    expect(await (await link.files()).stat('/')).toMatchObject({ kind: 'directory' });
  });
});

describe.skipIf(!hasSshd)('back-pressure', () => {
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  const GIBIBYTE = 1024 ** 3;

  async function paused(link: NodeLink, size: number): Promise<{ growth: number; total: number }> {
    const process = await link.spawn(['sh', '-c', `yes | head -c ${size}`]);
    process.stderr.resume();
    globalThis.gc?.();
    const before = memory();
    const iterator = process.stdout.iterator();
    let total = ((await iterator.next()).value as Buffer).length;
    // Nobody reads: the far side must stop, and nothing may pile up here.
    await delay(1_500);
    const growth = memory() - before;
    for await (const chunk of iterator) total += (chunk as Buffer).length;
    await process.ended;
    return { growth, total };
  }

  function memory(): number {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  test.each([
    ['over SSH', GIBIBYTE, () => sshd.connect()],
    ['on this computer', GIBIBYTE / 8, () => Promise.resolve(new LocalLink())],
  ])('a reader that stops stops the writer, and gets every byte: %s', async (_name, size, open) => {
    const link = await open();
    const { growth, total } = await paused(link, size);
    expect(total).toBe(size);
    expect(growth).toBeLessThan(32 * 1024 * 1024);
    await link.close();
  });

  test('a forwarded socket nobody reads stops its sender', async () => {
    await using link = await sshd.connect();
    let sent = 0;
    const server = createServer((socket) => {
      const chunk = Buffer.alloc(65_536);
      const write = () => {
        while (sent < GIBIBYTE && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', write);
      socket.on('error', () => socket.destroy());
      write();
    });
    await new Promise<void>((resolve) => server.listen(join(sshd.dir, 'flood'), resolve));
    const stream = await link.dialSocket(join(sshd.dir, 'flood'));
    await delay(1_000);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
    stream.destroy();
    server.close();
  });

  test('what is written to a program that does not read waits', async () => {
    await using link = await sshd.connect();
    const process = await link.spawn(['sleep', '30']);
    let accepted = 0;
    while (accepted < 64 * 1024 * 1024 && process.stdin.write(Buffer.alloc(65_536))) {
      accepted += 65_536;
    }
    expect(accepted).toBeLessThan(16 * 1024 * 1024);
    await process[Symbol.asyncDispose]();
  });

  test('keys that change while much goes by change none of it', async () => {
    await using changing = await PrivateSshd.start({ config: ['RekeyLimit 3M'] });
    await using link = await changing.connect();
    const process = await link.spawn(['cat'], { isBulk: true });
    const [sent, came] = [createHash('sha256'), createHash('sha256')];
    const send = async () => {
      for (let part = 0; part < 128; part += 1) {
        // Of the size that fills packets, so that their memory is used again, and of others.
        const bytes = randomBytes(part % 5 === 0 ? 100_003 : 256 * 1024);
        sent.update(bytes);
        if (!process.stdin.write(bytes)) await once(process.stdin, 'drain');
      }
      process.stdin.end();
    };
    const receive = async () => {
      for await (const bytes of process.stdout) came.update(bytes as Buffer);
    };
    await Promise.all([send(), receive()]);
    expect(await process.ended).toMatchObject({ exitCode: 0 });
    expect(came.digest('hex')).toBe(sent.digest('hex'));
  });
});

describe.skipIf(!hasSshd)('a link that drops', () => {
  let sshd: PrivateSshd;
  let proxy: Proxy;
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drop-'));
    sshd = await PrivateSshd.start();
    proxy = await Proxy.start(sshd.port);
  });
  afterEach(async () => {
    proxy.close();
    await sshd[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const open = (more = {}): Promise<SshLink> =>
    sshd.connect({
      destination: { host: '127.0.0.1', port: proxy.port, user: sshd.user },
      ...more,
    });

  test('fails everything that was under way, once, with a named error', async () => {
    const link = await open();
    const reasons: unknown[] = [];
    link.onDidClose((reason) => reasons.push(reason));
    const files = await link.files();
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(join(dir, 's'), resolve));
    const stream = await link.dialSocket(join(dir, 's'));
    const process = await link.spawn(['sh', '-c', 'echo start; sleep 5']);
    process.stderr.resume();
    const read = process.stdout.toArray();
    const streamed = stream.toArray();
    const running = link.run(['sleep', '5']);
    const outcomes = Promise.allSettled([running, process.ended, read, streamed]);
    await delay(100);
    proxy.cut();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'link/lost' } });
    }
    await expect(files.stat('/')).rejects.toMatchObject({ code: 'link/lost' });
    await expect(link.spawn(['true'])).rejects.toMatchObject({ code: 'link/lost' });
    expect(reasons).toMatchObject([{ code: 'link/lost' }]);
    expect(link.isOpen).toBe(false);
    server.close();
  });

  test('silence is noticed after three keepalives', async () => {
    const link = await open({ keepaliveMs: 200 });
    const closed = new Promise((resolve) => link.onDidClose(resolve));
    const running = link.run(['sleep', '1.9']);
    const outcome = expect(running).rejects.toMatchObject({ code: 'link/lost' });
    await delay(50);
    const started = performance.now();
    proxy.freeze();
    expect(await closed).toMatchObject({ code: 'link/lost' });
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(350);
    expect(took).toBeLessThan(1_500);
    await outcome;
  });

  test('a ping without an answer is a timeout', async () => {
    const link = await open();
    proxy.freeze();
    await expect(link.ping(200)).rejects.toMatchObject({ code: 'link/timeout' });
    await link.close();
  });

  test('a further connection that drops takes only its own with it', async () => {
    const link = await open();
    await link.run(['true']);
    const processes: RemoteProcess[] = [];
    for (let count = 0; count < 6; count++) processes.push(await link.spawn(['cat']));
    const last = processes.at(-1)!;
    const outcome = expect(last.ended).rejects.toMatchObject({ code: 'link/lost' });
    proxy.cutLast();
    await outcome;
    expect(link.isOpen).toBe(true);
    expect((await link.run(['echo', 'on'])).stdout.toString()).toBe('on\n');
    await endAll(processes.slice(0, 4));
    await link.close();
  });
});

async function endAll(processes: readonly RemoteProcess[]): Promise<void> {
  for (const process of processes) {
    process.stdout.resume();
    process.stderr.resume();
    process.stdin.end();
  }
  for (const process of processes) expect((await process.ended).exitCode).toBe(0);
}

/** Between us and the server: can be cut, or fall silent without a word. */
class Proxy {
  readonly #pairs: [Socket, Socket][] = [];
  readonly #server = createServer((near) => {
    const far = connect(this.#target, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
    this.#pairs.push([near, far]);
  });
  readonly #target: number;

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  cutLast(): void {
    for (const socket of this.#pairs.at(-1) ?? []) socket.resetAndDestroy();
  }

  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
