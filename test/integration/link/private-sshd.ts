// A real OpenSSH server on loopback for the user who runs the tests, with any configuration.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connectSsh, type ConnectSshOptions } from '../../../src-main/link/ssh/connect.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';
import { SshLink } from '../../../src-main/link/ssh/ssh-link.ts';

const execute = promisify(execFile);
const SSHD = '/usr/sbin/sshd';
/** Debian's openssh-server is here; without it these suites are skipped. */
export const hasSshd = existsSync(SSHD);

export interface PrivateSshdOptions {
  /** Lines of sshd_config; the first value of a keyword counts, so these win. */
  config?: readonly string[];
  /** Files in the home directory the login shell sees, as `.bashrc`. */
  home?: Readonly<Record<string, string>>;
  /** Types of host keys it has. Default: ed25519. */
  hostKeys?: readonly ('ed25519' | 'rsa' | 'ecdsa')[];
  /** Listens here. Default 127.0.0.1. */
  address?: string;
}

export class PrivateSshd implements AsyncDisposable {
  readonly dir: string;
  readonly home: string;
  readonly port: number;
  readonly address: string;
  readonly keyPath: string;
  readonly user = userInfo().username;
  readonly ownKnownHosts: string;
  #process: ChildProcess | undefined;

  static async start(options: PrivateSshdOptions = {}): Promise<PrivateSshd> {
    const dir = await mkdtemp(join(tmpdir(), 'link-sshd-'));
    const server = new PrivateSshd(dir, await freePort(), options.address ?? '127.0.0.1');
    await server.#prepare(options);
    await server.up();
    return server;
  }

  private constructor(dir: string, port: number, address: string) {
    this.dir = dir;
    this.home = join(dir, 'home');
    this.port = port;
    this.address = address;
    this.keyPath = join(dir, 'user');
    this.ownKnownHosts = join(dir, 'core', 'known_hosts');
  }

  get knownHosts(): KnownHosts {
    return new KnownHosts({ userFiles: [], ownFile: this.ownKnownHosts });
  }

  async up(): Promise<void> {
    if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true });
    const child = spawn(SSHD, ['-D', '-e', '-f', join(this.dir, 'config')], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    this.#process = child;
    await answers(this.address, this.port, child);
  }

  /** Ends the server; sessions that are open live on in processes of their own. */
  async down(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || !child.kill('SIGTERM')) return;
    await new Promise((resolve) => child.once('exit', resolve));
  }

  options(more: Partial<ConnectSshOptions> = {}): ConnectSshOptions {
    return {
      destination: { host: this.address, port: this.port, user: this.user },
      identityFile: this.keyPath,
      useSshConfig: false,
      knownHosts: this.knownHosts,
      consent: 'any-new',
      timeoutMs: 10_000,
      agentSocket: null,
      homeDir: this.home,
      ...more,
    };
  }

  async connect(more: Partial<ConnectSshOptions> = {}): Promise<SshLink> {
    const link = await connectSsh(this.options(more));
    if (link instanceof SshLink) return link;
    throw new Error('not a link over SSH');
  }

  publicHostKey(type: string): Promise<string> {
    return readFile(join(this.dir, `host_${type}.pub`), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #prepare(options: PrivateSshdOptions): Promise<void> {
    await mkdir(join(this.home, '.ssh'), { recursive: true });
    for (const [name, text] of Object.entries(options.home ?? {})) {
      await writeFile(join(this.home, name), text);
    }
    const hostKeys = options.hostKeys ?? ['ed25519'];
    for (const type of hostKeys) await makeKey(join(this.dir, `host_${type}`), { type });
    await makeKey(this.keyPath);
    const hasSubsystem = options.config?.some((line) => line.startsWith('Subsystem')) === true;
    await writeFile(
      join(this.dir, 'config'),
      [
        ...(options.config ?? []),
        `Port ${this.port}`,
        `ListenAddress ${this.address}`,
        ...hostKeys.map((type) => `HostKey ${join(this.dir, `host_${type}`)}`),
        `AuthorizedKeysFile ${this.keyPath}.pub`,
        'PidFile none',
        'StrictModes no',
        'UsePAM no',
        'UseDNS no',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        `SetEnv HOME=${this.home}`,
        ...(hasSubsystem ? [] : ['Subsystem sftp /usr/lib/openssh/sftp-server']),
        '',
      ].join('\n'),
    );
  }
}

/** Makes a key pair at `path` and `path.pub`. */
export async function makeKey(
  path: string,
  options: { type?: string; passphrase?: string; comment?: string } = {},
): Promise<void> {
  const { type = 'ed25519', passphrase = '', comment = 'test' } = options;
  await execute('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', comment, '-f', path]);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(host: string, port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once('data', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 500).unref();
    });
    if (isUp) return;
    await delay(25);
  }
  throw new Error('sshd does not answer');
}
