// A nodes service on a real store, real links and real runtimes, for tests against testbed nodes.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import type { HostOptions, MetricsSample, NodeView } from '../../../src-main/contract/node.ts';
import type { Holding } from '../../../src-main/domain/planner/model.ts';
import { systemClock, systemTimers } from '../../../src-main/link/system-timers.ts';
import type { Logger } from '../../../src-main/services/logger.ts';
import { ThisComputer } from '../../../src-main/services/nodes/local-node.ts';
import { NodesService } from '../../../src-main/services/nodes/nodes-service.ts';
import { realRuntimes } from '../../../src-main/core-runtimes.ts';
import { readNodeScript } from '../../../src-main/runtimes/node-scripts.ts';
import { realLinks } from '../../../src-main/core-links.ts';
import { openStore, type Store } from '../../../src-main/store/open.ts';
import type { Testbed, TestbedNode, TestbedUser } from '../../support/testbed.ts';

export interface Rig extends AsyncDisposable {
  readonly nodes: NodesService;
  readonly store: Store;
  readonly homeDir: string;
  readonly dataDir: string;
  /** What went online (`+id`) and offline (`-id` counted, `?id` merely dropped), in order. */
  readonly comings: string[];
  readonly holdings: Map<NodeId, Holding[]>;
  /** Everything that was logged, as text. */
  readonly logged: string[];
}

export interface RigOptions {
  readonly offlineAfterSeconds?: number;
  /** Continue with what an earlier rig left. */
  readonly home?: string;
}

function memoryLog(lines: string[]): Logger {
  const write = (facts: object, message: string) =>
    void lines.push(`${message} ${describe(facts)}`);
  return { debug: write, info: write, warn: write, error: write, child: () => memoryLog(lines) };
}

function describe(facts: object): string {
  return JSON.stringify(facts, (_key, value: unknown) =>
    value instanceof Error ? `${value.name}: ${value.message}` : value,
  );
}

let lastId = 1000n + BigInt(Date.now()) * 4096n;

/** Starts a service with a home directory of its own, so that nothing of this computer's user plays a part. */
export async function rig(options: RigOptions = {}): Promise<Rig> {
  const homeDir = options.home ?? (await mkdtemp(join(tmpdir(), 'kr-nodes-')));
  const dataDir = join(homeDir, 'data');
  await mkdir(join(homeDir, '.ssh'), { recursive: true, mode: 0o700 });
  // Where the link room looks for ~/.ssh; an agent of whoever runs the tests plays no part either.
  process.env['HOME'] = homeDir;
  delete process.env['SSH_AUTH_SOCK'];
  const logged: string[] = [];
  const log = memoryLog(logged);
  const store = await openStore({ dataDir, clock: systemClock, log, host: 'test' });
  const holdings = new Map<NodeId, Holding[]>();
  const parts = { clock: systemClock, timers: systemTimers, log };
  const nodes = new NodesService({
    ...parts,
    random: Math.random,
    coreId: store.identity.coreId,
    newNodeId: () => String(++lastId) as NodeId,
    records: store.nodes,
    metrics: store.metrics,
    secrets: store.vault,
    write: (change) => store.write(change),
    flushed: () => store.flushed(),
    links: realLinks({ ...parts, knownHostsFile: join(homeDir, 'known_hosts') }),
    runtimes: realRuntimes({
      ...parts,
      coreId: store.identity.coreId,
      dockerHost: undefined,
      account: () => undefined,
    }),
    localHost: new ThisComputer(),
    settings: () => ({
      metricsIntervalSeconds: 1,
      offlineAfterSeconds: options.offlineAfterSeconds ?? 6,
      connectTimeoutSeconds: 5,
    }),
    work: { activeTasks: (id) => holdings.get(id) ?? [] },
    readScript: readNodeScript,
  });
  const comings: string[] = [];
  nodes.onDidComeOnline((id) => comings.push(`+${id}`));
  nodes.onDidGoOffline(({ id, counted }) => comings.push(`${counted ? '-' : '?'}${id}`));
  nodes.start();
  return {
    nodes,
    store,
    homeDir,
    dataDir,
    comings,
    holdings,
    logged,
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]();
      await store.close();
      await rm(homeDir, { recursive: true, force: true });
    },
  };
}

/** What adding a testbed node takes. */
export function hostOf(bed: Testbed, node: TestbedNode, user: TestbedUser = 'ops'): HostOptions {
  const credentials = user === 'pw' ? { password: bed.password } : { identityFile: bed.keyPath };
  const jump = node.jumpThrough === undefined ? undefined : bed.node(node.jumpThrough);
  return {
    destination: { host: node.address, port: node.port, user },
    ...credentials,
    jumps: jump === undefined ? [] : [{ host: jump.address, port: jump.port, user: 'ops' }],
    useSshConfig: false,
  };
}

/** Adds a testbed node, whatever its key. */
export function addNode(
  rigged: Rig,
  bed: Testbed,
  { name, user = 'ops' }: { name: string; user?: TestbedUser },
): Promise<NodeView> {
  return rigged.nodes.calls.add({
    ...hostOf(bed, bed.node(name), user),
    name,
    labels: {},
    consent: 'any-new',
  });
}

/** Waits until something is so; throws with what was last seen after a time. */
export async function until<T>(
  look: () => T | undefined | false,
  { timeoutMs = 30_000, what = 'it' } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline)
      throw new Error(`${what} did not come about in ${String(timeoutMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The view of a node once it satisfies the condition. */
export function view(
  rigged: Rig,
  node: string,
  condition: (view: NodeView) => boolean,
): Promise<NodeView> {
  return until(
    () => {
      const seen = rigged.nodes.calls.get({ node });
      return condition(seen) && seen;
    },
    { timeoutMs: 60_000, what: `the state of ${node} waited for` },
  );
}

/** The next sample of a node that satisfies the condition. */
export function sample(
  rigged: Rig,
  id: NodeId,
  condition: (sample: MetricsSample) => boolean = () => true,
): Promise<MetricsSample> {
  const { promise, resolve, reject } = Promise.withResolvers<MetricsSample>();
  const timer = setTimeout(() => reject(new Error('no such sample in 30 s')), 30_000);
  const listening = rigged.nodes.onDidSample((event) => {
    if (event.nodeId === id && condition(event.sample)) resolve(event.sample);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    listening[Symbol.dispose]();
  });
}

/** Puts a text into a file of the rig's home. */
export function writeHome(rigged: Rig, path: string, text: string): Promise<void> {
  return writeFile(join(rigged.homeDir, path), text, { mode: 0o600 });
}
