// A machine in memory, a link to it, and a nodes service in virtual time.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { CoreId, NodeId } from '../../../src-main/contract/ids.ts';
import type { MetricsPoint, NodeFacts } from '../../../src-main/contract/node.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import type { Holding } from '../../../src-main/domain/planner/model.ts';
import { LinkLostError, UnreachableError } from '../../../src-main/link/errors.ts';
import type { NodeLink, RemoteProcess, RunResult } from '../../../src-main/link/node-link.ts';
import { DockerConnectionError } from '../../../src-main/runtimes/docker/errors.ts';
import type { ObservedAttempt, Runtime } from '../../../src-main/runtimes/runtime.ts';
import type { Logger } from '../../../src-main/services/logger.ts';
import { NodesService } from '../../../src-main/services/nodes/nodes-service.ts';
import type { HostAccess } from '../../../src-main/services/nodes/ports.ts';
import { readNodeScript } from '../../../src-main/runtimes/node-scripts.ts';
import type { NodeRecord, SecretId } from '../../../src-main/store/node-rows.ts';
import { FakeTime, settle } from '../../support/fake-time.ts';

export const healthy = readFileSync(
  join(import.meta.dirname, 'fixtures', 'dual-socket-a100.txt'),
  'utf8',
);
export const gpu0 = 'GPU-11111111-1111-1111-1111-111111111111';

/** The healthy report without what is wrong with it. */
export function calmReport(hostname: string): string {
  return healthy
    .replace('hostname dgx-01', `hostname ${hostname}`)
    .replace(
      /3d1219c7c4c5404aaa1f6d2a48adfda4/,
      Buffer.from(hostname.padEnd(16, '.')).toString('hex').slice(0, 32),
    )
    .replace('2000000 100%', '9000000000 10%')
    .replace(/\|\[12345.*\n/, '')
    .replace('Enabled, 4', 'Disabled, 0')
    .replace(/\|1760000010.*\n/, '');
}

export class SimulatedMetricsLoop implements RemoteProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly #end = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>();
  readonly command: readonly string[];

  constructor(command: readonly string[]) {
    this.command = command;
  }

  get ended(): Promise<{ exitCode: number | null; signal: string | null }> {
    return this.#end.promise;
  }

  /** Orders the service wrote to it since the last look, after the script. */
  get orders(): string {
    const text = (this.stdin.read() as Buffer | null)?.toString() ?? '';
    const orders = text.split('\n').filter((line) => line === 'fast' || line === 'slow');
    return orders.map((line) => `${line}\n`).join('');
  }

  tick(uptimeS: number, busy = 0): void {
    this.stdout.write(
      `@tick\n@uptime\n|${String(uptimeS)} 1\n@stat\n|cpu ${String(busy)} 0 0 ${String(uptimeS * 100 - busy)} 0\n@meminfo\n|MemTotal: 1000 kB\n|MemAvailable: 400 kB\n@end\n`,
    );
  }

  gpus(rows: readonly string[], apps: readonly string[] = [], code = 0): void {
    const body = (lines: readonly string[]) => lines.map((line) => `|${line}\n`).join('');
    this.stderr.write(
      `@gpu\n@nvidia\n|code ${String(code)}\n${body(rows)}@apps\n${body(apps)}@end\n`,
    );
  }

  resize(): void {
    throw new Error('no terminal');
  }

  end(): Promise<void> {
    this.#end.resolve({ exitCode: 0, signal: null });
    return Promise.resolve();
  }

  fail(error: Error): void {
    this.#end.reject(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** What is on the far side. */
export class SimulatedHost {
  report: string;
  refusal: Error | undefined;
  isDockerUp = true;
  /** Why the shell does not answer. */
  shellFailure: Error | undefined;
  attempts: ObservedAttempt[] = [];
  links: SimulatedNodeLink[] = [];
  loops: SimulatedMetricsLoop[] = [];
  runtimeChanged = new Emitter<void>();
  /** Lets a test hold up connecting. */
  beforeConnect: () => Promise<void> = () => Promise.resolve();

  constructor(hostname: string) {
    this.report = calmReport(hostname);
  }

  get loop(): SimulatedMetricsLoop {
    const loop = this.loops.at(-1);
    if (loop === undefined) throw new Error('no metrics loop was started');
    return loop;
  }

  async connect(signal?: AbortSignal): Promise<NodeLink> {
    await this.beforeConnect();
    signal?.throwIfAborted();
    if (this.refusal !== undefined) throw this.refusal;
    const link = new SimulatedNodeLink(this);
    this.links.push(link);
    return link;
  }

  drop(refusal?: Error): void {
    this.refusal = refusal;
    this.links
      .at(-1)
      ?.drop(new LinkLostError('link/lost', 'The connection was lost.', { retry: 'later' }));
  }
}

const unused = () => Promise.reject(new Error('not simulated'));

export class SimulatedNodeLink implements NodeLink {
  readonly description = 'simulated';
  readonly authenticatedBy = 'key test';
  readonly #host: SimulatedHost;
  readonly #closed = new Emitter<Error | undefined>();
  readonly onDidClose = this.#closed.event;
  isOpen = true;

  constructor(host: SimulatedHost) {
    this.#host = host;
  }

  runScript(script: string): Promise<RunResult> {
    if (this.#host.shellFailure !== undefined) return Promise.reject(this.#host.shellFailure);
    const isProbe = script.startsWith('# What a node is');
    const stdout = Buffer.from(
      isProbe ? this.#host.report : '@processes\n| 7 anna 1.5 100 01:02 train me\n@end\n',
    );
    return Promise.resolve({
      exitCode: 0,
      signal: null,
      stdout,
      stderr: Buffer.alloc(0),
      isTruncated: false,
    });
  }

  spawn(command: readonly string[]): Promise<RemoteProcess> {
    const loop = new SimulatedMetricsLoop(command);
    this.#host.loops.push(loop);
    return Promise.resolve(loop);
  }

  ping(): Promise<number> {
    return this.isOpen ? Promise.resolve(1) : unused();
  }

  drop(reason: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#host.loops.at(-1)?.fail(reason);
    this.#closed.emit(reason);
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.#host.loops.at(-1)?.end();
    this.#closed.emit(undefined);
  }

  run = unused;
  shell = unused;
  files = unused;
  dialSocket = unused;
  dialTcp = unused;
  listenTcp = unused;

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function runtimeOf(host: SimulatedHost, kind: 'docker' | 'process'): Runtime {
  return {
    kind,
    list: () => {
      if (kind === 'process') return Promise.resolve([]);
      return host.isDockerUp
        ? Promise.resolve(host.attempts)
        : Promise.reject(new DockerConnectionError('The Engine does not answer.'));
    },
    onDidChange: (listener) => host.runtimeChanged.event(listener),
    close: () => Promise.resolve(),
    inspect: unused,
    prepare: unused,
    create: unused,
    start: unused,
    stop: unused,
    pause: unused,
    resume: unused,
    waitForEnd: unused,
    logs: () => {
      throw new Error('not simulated');
    },
    remove: unused,
  };
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

export interface World extends AsyncDisposable {
  readonly time: FakeTime;
  readonly nodes: NodesService;
  readonly here: SimulatedHost;
  readonly hosts: Map<string, SimulatedHost>;
  readonly rows: Map<string, NodeRecord>;
  readonly points: { node: NodeId; point: MetricsPoint }[];
  readonly holdings: Map<NodeId, Holding[]>;
  readonly secrets: Map<number, string>;
  /** `+` online, `?` dropped, `-` counted offline, with the node's name. */
  readonly comings: string[];
  readonly accesses: HostAccess[];
  /** Registers a remote node as if it had been added before, and gives its host. */
  remember(name: string): SimulatedHost;
  idOf(name: string): NodeId;
}

export function dockerFacts(): NonNullable<NodeFacts['docker']> {
  return { version: '27.0', apiVersion: '1.46', gpuRuntime: true, cgroupVersion: '2' };
}

/** A service that has not been started yet. */
export function world(): World {
  const time = new FakeTime();
  const here = new SimulatedHost('my-laptop');
  const hosts = new Map<string, SimulatedHost>();
  const rows = new Map<string, NodeRecord>();
  const points: World['points'] = [];
  const holdings = new Map<NodeId, Holding[]>();
  const secrets = new Map<number, string>();
  const comings: string[] = [];
  const accesses: HostAccess[] = [];
  const byLink = new WeakMap<NodeLink, SimulatedHost>();
  let lastId = 100;
  const nextId = () => String(++lastId) as NodeId;
  const open = async (host: SimulatedHost | undefined, signal?: AbortSignal) => {
    if (host === undefined)
      throw new UnreachableError('link/unreachable', 'There is no such host.', { retry: 'later' });
    const link = await host.connect(signal);
    byLink.set(link, host);
    return link;
  };
  const hostOf = (link: NodeLink): SimulatedHost => byLink.get(link) ?? here;
  const nodes = new NodesService({
    coreId: '1' as CoreId,
    clock: time,
    timers: time,
    random: () => 0.5,
    log: silent,
    newNodeId: nextId,
    records: {
      all: () => [...rows.values()],
      insert: (row) => void rows.set(row.id, row),
      update: (row) => void rows.set(row.id, row),
      setLastSeen: () => undefined,
    },
    metrics: {
      append: (node, more) => points.push(...more.map((point) => ({ node, point }))),
      read: () => Promise.resolve(points.map(({ point }) => point)),
      prune: () => Promise.resolve(),
    },
    secrets: {
      put: ({ value }) => {
        secrets.set(secrets.size + 1, value);
        return secrets.size as SecretId;
      },
      get: (id) => secrets.get(id),
      delete: (id) => void secrets.delete(id),
    },
    write: (change) => change(),
    flushed: () => Promise.resolve(),
    links: {
      connect: (access, { signal }) => {
        accesses.push(access);
        return open(hosts.get(access.destination.host), signal);
      },
      inspect: () => Promise.resolve([]),
      resolve: ({ destination: { host, port, user } }) =>
        Promise.resolve([{ host, port: port ?? 22, user: user ?? 'me' }]),
      configHosts: () => Promise.resolve([...hosts.keys()]),
      openLocal: () => open(here),
    },
    runtimes: {
      docker: (link) => {
        const host = hostOf(link);
        if (!host.isDockerUp)
          return Promise.reject(new DockerConnectionError('The Engine does not answer.'));
        return Promise.resolve({ runtime: runtimeOf(host, 'docker'), facts: dockerFacts() });
      },
      process: (link) => Promise.resolve(runtimeOf(hostOf(link), 'process')),
    },
    localHost: {
      hostname: 'My Laptop!.local',
      hasScripts: true,
      facts: unusedSync,
      sample: unusedSync,
    },
    settings: () => ({
      metricsIntervalSeconds: 5,
      offlineAfterSeconds: 30,
      connectTimeoutSeconds: 20,
    }),
    work: { activeTasks: (id) => holdings.get(id) ?? [] },
    readScript: readNodeScript,
  });
  const nameOf = (id: NodeId) => rows.get(id)?.name ?? id;
  nodes.onDidComeOnline((id) => comings.push(`+${nameOf(id)}`));
  nodes.onDidGoOffline(({ id, counted }) => comings.push(`${counted ? '-' : '?'}${nameOf(id)}`));
  return {
    time,
    nodes,
    here,
    hosts,
    rows,
    points,
    holdings,
    secrets,
    comings,
    accesses,
    remember(name) {
      const host = new SimulatedHost(name);
      hosts.set(name, host);
      const id = nextId();
      const address = { host: name, port: 22, user: 'me' };
      rows.set(id, {
        id,
        name,
        local: false,
        address: { destination: address, resolved: address, jumps: [], useSshConfig: false },
        auth: { kind: 'agent-or-keys', identityFile: null, password: null, passphrase: null },
        labels: {},
        drained: false,
        disabled: false,
        facts: null,
        addedAt: 0,
        lastSeen: null,
        removedAt: null,
      });
      return host;
    },
    idOf(name) {
      const row = [...rows.values()].find((candidate) => candidate.name === name);
      if (row === undefined) throw new Error(`no node ${name}`);
      return row.id;
    },
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]();
      await settle();
    },
  };
}

function unusedSync(): never {
  throw new Error('not simulated');
}
