// Getting in: keys, agents, passwords, host keys, jump hosts, against real servers.
import { spawn, execFile } from 'node:child_process';
import { access, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fingerprintOf } from '../../../src-main/link/ssh/host-key.ts';
import { inspectHostKeys } from '../../../src-main/link/ssh/inspect.ts';
import { connectSsh } from '../../../src-main/link/ssh/connect.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';
import { freePort, hasSshd, makeKey, PrivateSshd } from './private-sshd.ts';
import { ProtocolServer } from './protocol-server.ts';

const execute = promisify(execFile);

function blobOf(publicKey: string): Buffer {
  return Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
}

describe.skipIf(!hasSshd)('host keys', () => {
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start({ hostKeys: ['ed25519', 'rsa', 'ecdsa'] });
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  test('an unknown key is refused with its fingerprint, then accepted by it, then known', async () => {
    const fingerprint = fingerprintOf(blobOf(await sshd.publicHostKey('ed25519')));
    const host = `[127.0.0.1]:${sshd.port}`;
    await expect(sshd.connect({ consent: undefined })).rejects.toMatchObject({
      code: 'link/host-key-unknown',
      details: { host, keyType: 'ssh-ed25519', fingerprint },
    });
    await expect(
      sshd.connect({ consent: { fingerprints: [`SHA256:${'A'.repeat(43)}`] } }),
    ).rejects.toMatchObject({ code: 'link/host-key-unknown' });
    expect(await inspectHostKeys(sshd.options({ consent: undefined }))).toEqual([
      { host, keyType: 'ssh-ed25519', fingerprint, status: 'new' },
    ]);
    await (await sshd.connect({ consent: { fingerprints: [fingerprint] } })).close();
    await (await sshd.connect({ consent: undefined })).close();
    const [report] = await inspectHostKeys(sshd.options({ consent: undefined }));
    expect(report).toMatchObject({ status: 'known', knownIn: `${sshd.ownKnownHosts}:1` });
    // ssh itself agrees with what was written.
    const { stdout } = await execute('ssh-keygen', ['-F', host, '-f', sshd.ownKnownHosts]);
    expect(stdout).toContain('ssh-ed25519');
  });

  test('of a server with several keys, the known one is asked for', async () => {
    const file = join(sshd.dir, 'rsa-only');
    await writeFile(file, `[127.0.0.1]:${sshd.port} ${await sshd.publicHostKey('rsa')}`);
    const knownHosts = new KnownHosts({ userFiles: [file], ownFile: join(sshd.dir, 'unused') });
    await (await sshd.connect({ knownHosts, consent: undefined })).close();
  });

  test('a changed key: refused before anything is sent, with its place', async () => {
    const onAuth = (context: { reject: () => void }) => context.reject();
    await using server = await ProtocolServer.start({ onAuth });
    const file = join(sshd.dir, 'old-key');
    await writeFile(file, `# old\n[127.0.0.1]:${server.port} ${await sshd.publicHostKey('rsa')}`);
    const options = sshd.options({
      destination: { host: '127.0.0.1', port: server.port, user: 'anna' },
      knownHosts: new KnownHosts({ userFiles: [file], ownFile: join(sshd.dir, 'unused') }),
      password: 'secret',
    });
    await expect(connectSsh(options)).rejects.toMatchObject({
      code: 'link/host-key-changed',
      details: { file, line: 2, keyType: 'ssh-rsa' },
    });
    expect(server.attempts).toEqual([]);
    expect((await inspectHostKeys(options))[0]).toMatchObject({
      status: 'changed',
      knownIn: `${file}:2`,
    });
  });

  test('a key of another type than the known one is what ssh calls changed', async () => {
    const file = join(sshd.dir, 'other-type');
    await using onlyEd = await PrivateSshd.start();
    const old = (await sshd.publicHostKey('ecdsa')).trim();
    await writeFile(file, `[127.0.0.1]:${onlyEd.port} ${old}\n`);
    const knownHosts = new KnownHosts({ userFiles: [file], ownFile: join(sshd.dir, 'unused') });
    await expect(onlyEd.connect({ knownHosts })).rejects.toMatchObject({
      code: 'link/host-key-changed',
    });
    const argv = ['-p', String(onlyEd.port), '-o', `UserKnownHostsFile=${file}`];
    const real = execute('ssh', [...argv, '-o', 'BatchMode=yes', '127.0.0.1', 'true']);
    await expect(real).rejects.toThrow('HAS CHANGED');
  });

  test('a revoked key is refused', async () => {
    const file = join(sshd.dir, 'revoked');
    await writeFile(file, `@revoked * ${await sshd.publicHostKey('ed25519')}`);
    const knownHosts = new KnownHosts({ userFiles: [file], ownFile: join(sshd.dir, 'unused') });
    await expect(sshd.connect({ knownHosts })).rejects.toMatchObject({
      code: 'link/host-key-revoked',
    });
  });

  test('a key that cannot be kept is not used', async () => {
    const knownHosts = new KnownHosts({ userFiles: [], ownFile: '/dev/null/known_hosts' });
    await expect(sshd.connect({ knownHosts })).rejects.toMatchObject({ code: 'link/config' });
  });
});

describe.skipIf(!hasSshd)('keys and agents', () => {
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  test('says how it was let in', async () => {
    await using link = await sshd.connect();
    expect(link.authenticatedBy).toBe(`key ${sshd.keyPath}`);
    expect(link.description).toBe(`${sshd.user}@127.0.0.1:${sshd.port}`);
  });

  test('an encrypted key wants its passphrase, and the right one', async () => {
    const identityFile = join(sshd.dir, 'encrypted');
    await copyFile(sshd.keyPath, identityFile);
    await execute('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'river', '-f', identityFile]);
    const code = { code: 'link/key-passphrase', details: { file: identityFile } };
    await expect(sshd.connect({ identityFile })).rejects.toMatchObject(code);
    const wrong = sshd.connect({ identityFile, passphrase: 'wrong' });
    await expect(wrong).rejects.toMatchObject(code);
    await (await sshd.connect({ identityFile, passphrase: 'river' })).close();
  });

  test.each(['rsa', 'ecdsa'])('an encrypted %s key in PEM works as well', async (type) => {
    const identityFile = join(sshd.dir, `pem-${type}`);
    const argv = ['-q', '-t', type, '-m', 'PEM', '-N', 'river', '-f', identityFile];
    await execute('ssh-keygen', argv);
    await using own = await PrivateSshd.start({
      config: [`AuthorizedKeysFile ${identityFile}.pub`],
    });
    await expect(own.connect({ identityFile })).rejects.toMatchObject({
      code: 'link/key-passphrase',
    });
    await (await own.connect({ identityFile, passphrase: 'river' })).close();
  });

  test('a missing key and a file that is none are named', async () => {
    const missing = join(sshd.dir, 'no-such-key');
    await expect(sshd.connect({ identityFile: missing })).rejects.toMatchObject({
      code: 'link/key-unreadable',
    });
    const rubbish = join(sshd.dir, 'rubbish');
    await writeFile(rubbish, 'not a key');
    await expect(sshd.connect({ identityFile: rubbish })).rejects.toMatchObject({
      code: 'link/key-unreadable',
    });
  });

  test('a hardware key is named as not supported', async () => {
    const path = join(sshd.dir, 'sk');
    await writeFile(path, 'no private part here\n');
    await writeFile(
      `${path}.pub`,
      `sk-ssh-ed25519@openssh.com ${Buffer.from('\0\0\0\x1ask-ssh-ed25519@openssh.com').toString('base64')}\n`,
    );
    await expect(sshd.connect({ identityFile: path })).rejects.toMatchObject({
      code: 'link/unsupported',
    });
  });

  test('keys in the usual places are found, and an encrypted one is only passed over', async () => {
    const home = join(sshd.dir, 'home-keys');
    await mkdir(join(home, '.ssh'), { recursive: true });
    await makeKey(join(home, '.ssh', 'id_ed25519'), { passphrase: 'x' });
    await copyFile(sshd.keyPath, join(home, '.ssh', 'id_rsa'));
    const options = { identityFile: undefined, homeDir: home };
    await using link = await sshd.connect(options);
    expect(link.authenticatedBy).toBe('key ~/.ssh/id_rsa');
  });

  test('what was tried, what is accepted and what was passed over is told', async () => {
    const home = join(sshd.dir, 'home-wrong');
    await mkdir(join(home, '.ssh'), { recursive: true });
    await makeKey(join(home, '.ssh', 'id_ed25519'), { passphrase: 'x' });
    await makeKey(join(home, '.ssh', 'id_ecdsa'), { type: 'ecdsa' });
    const attempt = sshd.connect({ identityFile: undefined, homeDir: home, password: 'x' });
    await expect(attempt).rejects.toMatchObject({
      code: 'link/auth',
      retry: 'after-user-action',
      details: {
        tried: 'key ~/.ssh/id_ecdsa',
        accepts: 'publickey',
        skipped: '~/.ssh/id_ed25519 (encrypted)',
      },
    });
  });

  test('where only a certificate would do, that is said', async () => {
    const identityFile = join(sshd.dir, 'certified');
    await makeKey(identityFile);
    const argv = ['-q', '-s', sshd.keyPath, '-I', 'me', '-n', sshd.user, `${identityFile}.pub`];
    await execute('ssh-keygen', argv);
    await expect(sshd.connect({ identityFile })).rejects.toMatchObject({
      code: 'link/unsupported',
      details: { certificate: `${identityFile}-cert.pub` },
    });
  });

  describe('with an agent', () => {
    let agent: ReturnType<typeof spawn>;
    let socket: string;
    const add = (path: string) =>
      execute('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    beforeAll(async () => {
      socket = join(sshd.dir, 'agent.sock');
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      await vi.waitFor(() => access(socket));
    });
    afterAll(() => void agent.kill());

    test('its keys are used, also for an encrypted file', async () => {
      await add(sshd.keyPath);
      const options = { agentSocket: socket, identityFile: undefined };
      await using link = await sshd.connect(options);
      expect(link.authenticatedBy).toBe('agent (test)');
      const locked = join(sshd.dir, 'locked');
      await copyFile(sshd.keyPath, locked);
      await execute('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'x', '-f', locked]);
      await using second = await sshd.connect({ agentSocket: socket, identityFile: locked });
      expect(second.authenticatedBy).toBe('agent (test)');
    });

    test('many wrong keys do not use up the tries of the chosen one', async () => {
      const other = await PrivateSshd.start();
      for (let count = 0; count < 7; count++) {
        const path = join(sshd.dir, `many-${count}`);
        await makeKey(path, { comment: `many-${count}` });
        await add(path);
      }
      await using link = await other.connect({ agentSocket: socket });
      expect(link.authenticatedBy).toContain('key ');
      await link.close();
      const none = other.connect({ agentSocket: socket, identityFile: undefined });
      await expect(none).rejects.toMatchObject({ code: 'link/auth' });
      await other[Symbol.asyncDispose]();
    });

    test('IdentitiesOnly offers only what a file names', async () => {
      const config = join(sshd.dir, 'ssh_config');
      await writeFile(
        config,
        `Host me\n HostName 127.0.0.1\n Port ${sshd.port}\n User ${sshd.user}\n IdentitiesOnly yes\n IdentityFile ${sshd.dir}/many-1\n`,
      );
      const options = {
        destination: { host: 'me' },
        useSshConfig: true,
        sshConfigPath: config,
        agentSocket: socket,
        identityFile: undefined,
      };
      await expect(sshd.connect(options)).rejects.toMatchObject({
        code: 'link/auth',
        details: { tried: 'agent (many-1)' },
      });
    });

    test('an agent that is gone is no obstacle', async () => {
      const link = await sshd.connect({ agentSocket: join(sshd.dir, 'gone.sock') });
      await link.close();
    });
  });
});

describe.skipIf(!hasSshd)('passwords', () => {
  const base = (port: number) => ({
    destination: { host: '127.0.0.1', port, user: 'anna' },
    password: 'secret',
    useSshConfig: false,
    knownHosts: new KnownHosts({ userFiles: [], ownFile: join(dir, 'own') }),
    consent: 'any-new' as const,
    timeoutMs: 5_000,
    agentSocket: null,
    homeDir: dir,
  });
  let dir: string;
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start();
    dir = sshd.dir;
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  test('password, and what is said when it is wrong', async () => {
    await using server = await ProtocolServer.start({
      onAuth: (context) => {
        if (context.method === 'password' && context.password === 'secret') context.accept();
        else context.reject(['password']);
      },
    });
    const options = base(server.port);
    await using link = await connectSsh(options);
    expect(link.authenticatedBy).toBe('password');
    await expect(connectSsh({ ...options, password: 'wrong' })).rejects.toMatchObject({
      code: 'link/auth',
      details: { tried: 'password', accepts: 'password' },
    });
    const error: unknown = await connectSsh({ ...options, password: 'wr0ng' }).catch(
      (reason: unknown) => reason,
    );
    expect(inspect(error, { depth: 9 })).not.toContain('wr0ng');
  });

  test('keyboard-interactive: the password answers what is hidden', async () => {
    await using server = await ProtocolServer.start({
      onAuth: (context) => {
        if (context.method !== 'keyboard-interactive') {
          context.reject(['keyboard-interactive']);
          return;
        }
        context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => {
          if (answers[0] === 'secret') context.accept();
          else context.reject();
        });
      },
    });
    await using link = await connectSsh(base(server.port));
    expect(link.authenticatedBy).toBe('keyboard-interactive');
  });

  test('a question that is not about the password gets no secret and is named', async () => {
    const given: string[] = [];
    await using server = await ProtocolServer.start({
      onAuth: (context) => {
        if (context.method !== 'keyboard-interactive') {
          context.reject(['keyboard-interactive']);
          return;
        }
        context.prompt([{ prompt: 'Verification code: ', echo: true }], (answers) => {
          given.push(...answers);
          context.reject();
        });
      },
    });
    await expect(connectSsh(base(server.port))).rejects.toMatchObject({
      code: 'link/auth',
      details: { asked: 'Verification code: ' },
    });
    expect(given).toEqual(['']);
  });
});

describe.skipIf(!hasSshd)('jump hosts', () => {
  let outer: PrivateSshd;
  let inner: PrivateSshd;
  beforeAll(async () => {
    outer = await PrivateSshd.start();
    inner = await PrivateSshd.start({ config: [`AuthorizedKeysFile ${outer.keyPath}.pub`] });
  });
  afterAll(async () => {
    await outer[Symbol.asyncDispose]();
    await inner[Symbol.asyncDispose]();
  });

  const through = () => ({
    identityFile: outer.keyPath,
    jumps: [{ host: outer.address, port: outer.port, user: outer.user }],
  });

  test('inspected hop by hop: the next is seen once the one before is accepted', async () => {
    const first = await inspectHostKeys(inner.options({ ...through(), consent: undefined }));
    expect(first).toHaveLength(1);
    const all = await inspectHostKeys(inner.options(through()));
    expect(all.map(({ host, status }) => [host, status])).toEqual([
      [`[127.0.0.1]:${outer.port}`, 'new'],
      [`[127.0.0.1]:${inner.port}`, 'new'],
    ]);
  });

  test('carries everything, and drops with the jump', async () => {
    const link = await inner.connect(through());
    expect((await link.run(['echo', 'inside'])).stdout.toString()).toBe('inside\n');
    const { stdout } = await link.runScript('echo "$SSH_CONNECTION"');
    expect(stdout.toString().trim().split(' ')[3]).toBe(String(inner.port));
    await link.close();
  });

  test('the password is for the destination only', async () => {
    const seen: string[] = [];
    await using jump = await ProtocolServer.start({
      onAuth: (context) => {
        if (context.method === 'password') seen.push(context.password);
        context.reject(['password', 'keyboard-interactive', 'publickey']);
      },
    });
    const jumps = [{ host: '127.0.0.1', port: jump.port, user: 'eve' }];
    await expect(inner.connect({ jumps, password: 'secret' })).rejects.toMatchObject({
      code: 'link/auth',
    });
    expect([seen, jump.attempts.includes('none')]).toEqual([[], true]);
  });
});

describe.skipIf(!hasSshd)('nobody there', () => {
  const options = (host: string, port: number) => ({
    destination: { host, port, user: 'x' },
    useSshConfig: false,
    knownHosts: new KnownHosts({ userFiles: [], ownFile: '/nonexistent/known' }),
    timeoutMs: 400,
    agentSocket: null,
    homeDir: '/nonexistent',
  });

  test('refused', async () => {
    await expect(connectSsh(options('127.0.0.1', await freePort()))).rejects.toMatchObject({
      code: 'link/refused',
      retry: 'later',
    });
  });

  test('a name that does not resolve', async () => {
    await expect(connectSsh(options('no-such-host.invalid', 22))).rejects.toMatchObject({
      code: 'link/unreachable',
    });
  });

  test('silence, and abort', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(connectSsh(options('127.0.0.1', port))).rejects.toMatchObject({
      code: 'link/timeout',
    });
    const signal = AbortSignal.timeout(50);
    await expect(connectSsh({ ...options('127.0.0.1', port), signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    server.close();
  });

  test('something that is no SSH server', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(connectSsh(options('127.0.0.1', port))).rejects.toMatchObject({
      code: 'link/unreachable',
    });
    server.close();
  });

  test('IPv6 works as well', async () => {
    await using sshd = await PrivateSshd.start({ address: '::1' });
    await using link = await sshd.connect();
    expect(link.description).toBe(`${sshd.user}@[::1]:${sshd.port}`);
  });
});
