/**
 * Real nodes for tests: `await using bed = await Testbed.up({ nodes: 3 })`.
 *
 * A typed front of `test/testbed/testbed.sh`, which says what each fault does. A bed belongs to the process that
 * brought it up; should that die without disposing of it, the next bed on the machine sweeps it away.
 */
import { renderGpus } from '../testbed/gpus.ts';
import type { GpuDescription } from '../testbed/gpus.ts';
import { requirements, run, SCRIPT } from '../testbed/script.ts';
import type { Output, Requirements, RunOptions } from '../testbed/script.ts';
import { withGpuFiles } from '../testbed/gpu-files.ts';

export { gpus } from '../testbed/gpus.ts';
export type { Gpu, GpuDescription, GpuFault, GpuModel, GpuProcess } from '../testbed/gpus.ts';
export { requirements, run };
export type { Output, Requirements, RunOptions };

/** The users of every node. Whoever has no password logs in with the bed's key. */
export const TESTBED_USERS = {
  root: { name: 'root', hasDocker: true },
  ops: { name: 'ops', hasDocker: true },
  plain: { name: 'plain', hasDocker: false },
  pw: { name: 'pw', hasDocker: false, password: 'river' },
} as const;

export type TestbedUser = keyof typeof TESTBED_USERS;
export type TestbedImage = 'river/busybox' | 'river/big' | 'river/vps';

export interface TestbedOptions {
  /** How many: they are called n1, n2, … */
  readonly nodes: number;
  /** Whether nodes run a Docker Engine (yes, unless told). */
  readonly docker?: boolean;
  /** Whether there is a registry (as `docker`, unless told). */
  readonly registry?: boolean;
  readonly gpus?: Readonly<Record<string, GpuDescription>>;
  /** Images given to every node's Engine without a pull, as `river/busybox:1` and `<registry>/river/busybox:1`. */
  readonly images?: readonly TestbedImage[];
  /** Directories on a small disk of their own, which can be filled: `{ n1: { '/home': '64M' } }`. */
  readonly disks?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A node that drops what comes from the host, and so is reached only through another (`jumpThrough`). */
  readonly jumpOnly?: string;
}

export interface TestbedNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The host key's fingerprint as OpenSSH writes it, `SHA256:…`. */
  readonly hostKeySha256: string;
  /** The node through which this one is reached, if the host cannot reach it. */
  readonly jumpThrough?: string;
  readonly users: typeof TESTBED_USERS;
}

export type NodeRef = TestbedNode | string;
/** An end of a link: a node, or `host` or `registry`. */
export type Endpoint = NodeRef;

export interface TestbedRegistry {
  /** `host:port` of the open registry. */
  readonly address: string;
  /** The same images behind a login: user `river`, password `river`. */
  readonly privateAddress: string;
}

/** A set of nodes, up and answering. */
export class Testbed implements AsyncDisposable {
  readonly id: string;
  /** The bed's files on the host; a node's own files are under `<dir>/<node>/upper`. */
  readonly dir: string;
  readonly keyPath: string;
  /** In OpenSSH's format, with every node's host key. */
  readonly knownHostsPath: string;
  /** The password of user `pw`. */
  readonly password = TESTBED_USERS.pw.password;
  nodes: readonly TestbedNode[];
  readonly registry: TestbedRegistry | undefined;
  #isDown = false;

  private constructor(info: string) {
    const words = info
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const told = (key: string): string => words.find((line) => line[0] === key)?.[1] ?? '';
    this.id = told('bed');
    this.dir = told('dir');
    this.keyPath = told('key');
    this.knownHostsPath = told('known_hosts');
    const registry = words.find((line) => line[0] === 'registry');
    this.registry = registry && { address: registry[1] ?? '', privateAddress: registry[2] ?? '' };
    this.nodes = readNodes(info);
  }

  /** Brings up nodes and waits until their sshd and Engine answer. Throws with what the script said. */
  static async up(options: TestbedOptions): Promise<Testbed> {
    return withGpuFiles(options.gpus ?? {}, async (gpuFlags) => {
      const disks = Object.entries(options.disks ?? {}).flatMap(([node, sizes]) =>
        Object.entries(sizes).flatMap(([path, size]) => ['--disk', `${node}:${path}=${size}`]),
      );
      const argv = [
        'bash',
        SCRIPT,
        'up',
        String(options.nodes),
        '--owner',
        String(process.pid),
        ...gpuFlags,
        ...disks,
      ];
      if (options.docker === false) argv.push('--no-docker');
      if (options.registry === false) argv.push('--no-registry');
      if (options.jumpOnly !== undefined) argv.push('--jump-only', options.jumpOnly);
      for (const image of options.images ?? []) argv.push('--image', image);
      return new Testbed(succeeded(argv, await run(argv, { timeoutMs: 600_000 })));
    });
  }

  /** The node of that name; throws if there is none. */
  node(name: string): TestbedNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name} in testbed ${this.id}`);
    return found;
  }

  /** Runs a command inside a node, as root unless told; a failing command is an answer, not an exception. */
  exec(
    node: NodeRef,
    argv: readonly string[],
    options: RunOptions & { readonly user?: string } = {},
  ): Promise<Output> {
    const user = options.user === undefined ? [] : ['-u', options.user];
    return this.#run(['exec', ...user, nameOf(node), ...argv], options);
  }

  /** Like `exec`, but throws unless the command succeeds; returns its output without the last line break. */
  async sh(
    node: NodeRef,
    script: string,
    options: RunOptions & { readonly user?: string } = {},
  ): Promise<string> {
    const argv = ['sh', '-c', script];
    return succeeded(argv, await this.exec(node, argv, options)).replace(/\n$/, '');
  }

  /** The command line of Debian's ssh for a user of a node, host key checked, through the jump node if needed. */
  sshArgv(node: NodeRef, user: TestbedUser, remote: readonly string[] = []): string[] {
    const { address, port, jumpThrough } = this.node(nameOf(node));
    const options = [
      ...[
        '-F',
        'none',
        '-o',
        `UserKnownHostsFile=${this.knownHostsPath}`,
        '-o',
        'StrictHostKeyChecking=yes',
      ],
      ...['-o', 'ConnectTimeout=20', '-o', 'IdentityAgent=none'],
      ...(user === 'pw'
        ? ['-o', 'PubkeyAuthentication=no']
        : ['-o', 'BatchMode=yes', '-i', this.keyPath]),
    ];
    if (jumpThrough !== undefined) {
      options.push('-o', `ProxyCommand=${this.sshArgv(jumpThrough, 'ops').join(' ')} -W %h:%p`);
    }
    return ['ssh', ...options, '-p', String(port), `${user}@${address}`, ...remote];
  }

  /** Runs a shell command over Debian's ssh, as `ops` unless told. */
  ssh(
    node: NodeRef,
    command: string,
    options: RunOptions & { readonly user?: TestbedUser } = {},
  ): Promise<Output> {
    // For user pw: ssh has no option for a password, but asks this program.
    const askpass = { SSH_ASKPASS: `${this.dir}/askpass`, SSH_ASKPASS_REQUIRE: 'force' };
    const argv = this.sshArgv(node, options.user ?? 'ops', ['--', command]);
    return run(argv, { ...options, env: { ...options.env, ...askpass } });
  }

  /** Ends all of a node's processes at once; peers hear nothing, the disk stays. */
  async powerCut(node: NodeRef): Promise<void> {
    await this.#do('kill', nameOf(node));
  }

  /** Boots a node that is off, or adds one (`n4` to a bed of three), and waits until it answers. */
  async boot(node: NodeRef): Promise<TestbedNode> {
    await this.#do('add', nameOf(node));
    this.nodes = readNodes(await this.#do('info'));
    return this.node(nameOf(node));
  }

  /** From now on, all packets between the two are lost without a word; connections stay open and silent. */
  async cutLink(a: Endpoint, b: Endpoint = 'host'): Promise<void> {
    await this.#do('cut', nameOf(a), nameOf(b));
  }

  async healLink(a: Endpoint, b: Endpoint = 'host'): Promise<void> {
    await this.#do('heal', nameOf(a), nameOf(b));
  }

  /** Pulls the network cable of a node or of the registry, or plugs it in again. */
  async cable(end: Endpoint, state: 'up' | 'down'): Promise<void> {
    await this.#do('link', nameOf(end), state);
  }

  /** Limits both directions of a node's or the registry's link; rates as `tc` writes them, such as `5mbit`. */
  async slow(end: Endpoint, rate: string): Promise<void> {
    await this.#do('slow', nameOf(end), rate);
  }

  async fast(end: Endpoint): Promise<void> {
    await this.#do('fast', nameOf(end));
  }

  /** Limits the memory of a node with all that runs on it; beyond it the kernel kills. */
  async memoryLimit(node: NodeRef, bytes: number | 'max'): Promise<void> {
    await this.#do('mem', nameOf(node), String(bytes));
  }

  /** Makes a node say that it has so many processors, so that as many tasks of one core fit on it. */
  async claimProcessors(node: NodeRef, count: number): Promise<void> {
    const script = `#!/bin/sh
[ "$1" = _NPROCESSORS_ONLN ] && exec echo ${String(count)}
exec /usr/bin/getconf "$@"`;
    const path = '/usr/local/bin/getconf';
    await this.sh(node, `cat > ${path} && chmod 755 ${path}`, { input: script });
  }

  /** What nvidia-smi says from now on. A node's first GPUs, and `none`, restart its Engine (containers live on). */
  async setGpus(node: NodeRef, description: GpuDescription | 'none'): Promise<void> {
    const file = description === 'none' ? 'none' : '-';
    const input = description === 'none' ? '' : renderGpus(description);
    succeeded(['gpus'], await this.#run(['gpus', nameOf(node), file], { input }));
  }

  /** Starts a process of `user` that holds memory of a GPU (index or UUID) until it is killed. Returns its pid. */
  async occupyGpu(
    node: NodeRef,
    use: {
      readonly user: string;
      readonly gpu: number | string;
      readonly memoryMiB: number;
      readonly name?: string;
    },
  ): Promise<number> {
    const name = use.name ?? '/usr/bin/python3';
    return Number(
      await this.#do(
        'occupy',
        nameOf(node),
        use.user,
        String(use.gpu),
        String(use.memoryMiB),
        name,
      ),
    );
  }

  /** SIGKILL for a node's dockerd (and so its containerd); containers live on. */
  async killDockerd(node: NodeRef): Promise<void> {
    await this.#do('dockerd', nameOf(node), 'kill');
  }

  /** An orderly stop of a node's dockerd; containers live on. */
  async stopDockerd(node: NodeRef): Promise<void> {
    await this.#do('dockerd', nameOf(node), 'stop');
  }

  /** Starts dockerd and waits until it answers. */
  async startDockerd(node: NodeRef): Promise<void> {
    await this.#do('dockerd', nameOf(node), 'start');
  }

  /** Ends sshd and all sessions. */
  async stopSshd(node: NodeRef): Promise<void> {
    await this.#do('sshd', nameOf(node), 'stop');
  }

  async startSshd(node: NodeRef): Promise<void> {
    await this.#do('sshd', nameOf(node), 'start');
  }

  /** Gives a node another host key, as a reinstallation or an impostor would; `knownHostsPath` keeps the old one. */
  async changeHostKey(node: NodeRef): Promise<TestbedNode> {
    await this.#do('sshd', nameOf(node), 'rekey');
    this.nodes = readNodes(await this.#do('info'));
    return this.node(nameOf(node));
  }

  /** Fills the small disk (option `disks`) that holds a path, to the last block. */
  async fillDisk(node: NodeRef, path: string): Promise<void> {
    await this.#do('fill', nameOf(node), path);
  }

  async freeDisk(node: NodeRef, path: string): Promise<void> {
    await this.#do('free', nameOf(node), path);
  }

  /** Gives an image to a node's Engine without a pull. */
  async preload(node: NodeRef, image: TestbedImage): Promise<void> {
    await this.#do('preload', nameOf(node), image);
  }

  /** Pushes an image of a node's Engine to the registry; returns the name to pull it by. */
  async pushImage(node: NodeRef, image: string): Promise<string> {
    if (this.registry === undefined) throw new Error('this testbed has no registry');
    const target = `${this.registry.address}/${image}`;
    for (const argv of [
      ['docker', 'tag', image, target],
      ['docker', 'push', '-q', target],
    ]) {
      succeeded(argv, await this.exec(node, argv));
    }
    return target;
  }

  /** Takes everything down. A second call does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDown) return;
    this.#isDown = true;
    await this.#do('down');
  }

  #run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run(['bash', SCRIPT, ...argv], { ...options, env: { ...options.env, TB_BED: this.id } });
  }

  async #do(...argv: string[]): Promise<string> {
    return succeeded(argv, await this.#run(argv)).trim();
  }
}

function nameOf(end: Endpoint): string {
  return typeof end === 'string' ? end : end.name;
}

function readNodes(info: string): TestbedNode[] {
  return info
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([kind]) => kind === 'node')
    .map(([, name = '', address = '', port = '', hostKeySha256 = '', via = '-']) => ({
      name,
      address,
      port: Number(port),
      hostKeySha256,
      ...(via === '-' ? {} : { jumpThrough: via }),
      users: TESTBED_USERS,
    }));
}

function succeeded(argv: readonly string[], { code, stdout, stderr }: Output): string {
  if (code === 0) return stdout;
  throw new Error(`${argv.join(' ')}: exit ${String(code)}\n${stderr}${stdout}`);
}
