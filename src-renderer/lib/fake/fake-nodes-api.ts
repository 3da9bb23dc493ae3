// The nodes part of the fake contract.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import type {
  HostKeyReport,
  MetricsSample,
  NodeView,
  ProcessInfo,
} from '../../../src-main/contract/node.ts';
import type { Api } from '../client.ts';
import { fakeFeed } from './fake-feed.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeHistory, fakeSample } from './fake-metrics.ts';
import { allWell, GiB, sketchNode } from './fake-nodes.ts';

const fingerprint = 'SHA256:k3uVJx0v1mMEs8dS2rIuQ7yP0nXjC5bTgHfLwZa9oDE';
const sampleEveryMs = 1000;

function mustFind(core: FakeCore, ref: string): NodeView {
  const node = core.node(ref);
  if (node === undefined) throw new RequestError('not-found/node', `There is no node «${ref}».`);
  return node;
}

function every(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  return () => clearInterval(timer);
}

function processes(node: NodeView, now: number): ProcessInfo[] {
  return Array.from({ length: 14 }, (_, i) => ({
    pid: 2200 + i * 371,
    user: i % 3 === 0 ? 'root' : 'river',
    cpuPercent: Math.max(0, 392 - i * 31),
    memoryBytes: (14 - i) * 0.7 * GiB,
    startedAt: now - i * 3_900_000,
    command:
      i === 0
        ? `python -u finetune.py --rank ${i} --world-size 4 --master ${node.name}:29500`
        : `/usr/lib/systemd/worker-${i} --socket /run/${i}`,
  }));
}

/** What inspecting and trying a host answers; `down` in the name plays a host that does not answer. */
function inspected(host: string): HostKeyReport[] {
  if (host.includes('down')) {
    throw new RequestError(
      'link/timeout',
      `Nothing answered at ${host} port 22 within 20 s. Check the address and any firewall between.`,
    );
  }
  const status = host.includes('changed') ? 'changed' : host.includes('known') ? 'known' : 'new';
  return [
    {
      host,
      keyType: 'ssh-ed25519',
      fingerprint,
      status,
      ...(status === 'changed' ? { knownIn: '/home/mio/.ssh/known_hosts line 12' } : {}),
    },
  ];
}

export function fakeNodesApi(core: FakeCore): Api['nodes'] {
  const change = (ref: string, over: Partial<NodeView>) =>
    Promise.resolve(core.putNode({ ...mustFind(core, ref), ...over }));
  const sketch = (host: string) =>
    sketchNode({
      index: core.nodes.length + 40,
      name: host.replace(/[^A-Za-z0-9.-]/g, '-'),
      cores: 48,
      memoryGiB: 192,
      now: core.now(),
      gpus: { count: 2, name: 'NVIDIA L40S', memoryGiB: 48 },
    });
  return {
    list: async () => core.nodes,
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => core.nodes,
        subscribe: (push: (change: { upsert: NodeView } | { removed: NodeId }) => void) =>
          core.onNode.listen(push),
        signal: options?.signal,
      }),
    get: async ({ node }) => mustFind(core, node),
    inspectHost: async ({ destination }) => ({ hostKeys: inspected(destination.host) }),
    tryHost: async ({ destination, password }) => {
      if (destination.host.includes('locked') && password === undefined) {
        throw new RequestError(
          'link/auth',
          `${destination.host} accepts none of the keys at hand. Give a key file or the password.`,
        );
      }
      const { facts } = sketch(destination.host);
      if (facts === null) throw new RangeError('a sketch has facts');
      return { facts, findings: [allWell], auth: 'agent-or-keys' };
    },
    add: async (input) =>
      core.putNode({
        ...sketch(input.destination.host),
        name: input.name ?? input.destination.host,
        labels: input.labels ?? {},
        findings: [allWell],
      }),
    sshConfigHosts: async () => [
      { alias: 'alpha', host: '10.20.0.11', user: 'river', port: 22, known: true },
      { alias: 'delta', host: 'delta.lab.example', user: 'mio', port: 2222, known: false },
    ],
    drain: ({ node }) => change(node, { drained: true }),
    undrain: ({ node }) => change(node, { drained: false }),
    disable: ({ node }) => change(node, { state: 'disabled' }),
    enable: ({ node }) => change(node, { state: 'online' }),
    reconnect: ({ node }) => change(node, { state: 'connecting', reason: null, reasonKind: null }),
    rename: ({ node, name }) => change(node, { name }),
    label: async ({ node, labels }) => {
      const found = mustFind(core, node);
      const next = Object.entries({ ...found.labels, ...labels }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      );
      return core.putNode({ ...found, labels: Object.fromEntries(next) });
    },
    remove: async ({ node, force }) => {
      const found = mustFind(core, node);
      if (found.activeTasks > 0 && force !== true) {
        throw new RequestError(
          'conflict/node-in-use',
          `${found.name} runs ${found.activeTasks} tasks.`,
        );
      }
      core.removeNode(found);
      return { id: found.id, left: [] };
    },
    doctor: async ({ node }) => [
      allWell,
      ...mustFind(core, node).findings.filter(({ id }) => id !== allWell.id),
    ],
    processes: async ({ node }) => processes(mustFind(core, node), core.now()),
    history: async ({ node, span }) => fakeHistory(mustFind(core, node), span, core.now()),
    watchUsage: async (_input, options) => {
      const usage = (
        node: NodeView,
      ): { nodeId: NodeId; sample: ReturnType<typeof fakeSample> } => ({
        nodeId: node.id,
        sample: fakeSample(node, core.now()),
      });
      const online = () => core.nodes.filter(({ state }) => state === 'online');
      return fakeFeed({
        snapshot: () => online().map(usage),
        subscribe: (push: (change: ReturnType<typeof usage>) => void) =>
          every(sampleEveryMs * 2, () => online().forEach((node) => push(usage(node)))),
        signal: options?.signal,
      });
    },
    watchMetrics: async ({ node }, options) => {
      const found = mustFind(core, node);
      return fakeFeed({
        snapshot: () =>
          Array.from({ length: 720 }, (_, i) => fakeSample(found, core.now() - (719 - i) * 5000)),
        subscribe: (push: (sample: MetricsSample) => void) =>
          every(sampleEveryMs, () => push(fakeSample(found, core.now()))),
        signal: options?.signal,
      });
    },
  };
}
