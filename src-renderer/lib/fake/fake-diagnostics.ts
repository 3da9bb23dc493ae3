// How a fake core feels, and a log that goes on being written.
import type { DiagnosticsReport } from '../../../src-main/contract/diagnostics.ts';
import type { Api, ByteReader, Chunk } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed } from './fake-feed.ts';

const MiB = 2 ** 20;
const every = 2000;

function reportOf(core: FakeCore): DiagnosticsReport {
  const at = core.now();
  const wobble = (Math.sin(at / 9000) + 1) / 2;
  return {
    at,
    runtime: { node: 'v24.21.0', platform: 'linux', arch: 'x64' },
    eventLoop: { medianMs: 0.1, p99Ms: 1.4 + wobble, maxMs: 9 + Math.round(wobble * 6) },
    memory: {
      rssBytes: (140 + wobble * 12) * MiB,
      heapUsedBytes: (46 + wobble * 9) * MiB,
      heapTotalBytes: 72 * MiB,
      externalBytes: 6 * MiB,
    },
    cpuShare: 0.02 + wobble * 0.02,
    kept: {
      databaseBytes: 83 * MiB,
      walBytes: 4 * MiB,
      taskLogBytes: 1_240 * MiB,
      coreLogBytes: 12 * MiB,
    },
    links: core.nodes.map((node, i) => {
      const isUp = node.state === 'online';
      return {
        nodeId: node.id,
        name: node.name,
        local: node.local,
        state: node.state,
        since: node.state === 'disabled' ? null : at - (i + 1) * 5_400_000,
        reason: node.reason,
        authenticatedBy: isUp ? (node.local ? 'local' : 'agent') : null,
        roundTripMs: isUp ? (node.local ? 0.1 : 0.8 + i * 3.1 + wobble) : null,
        drops: i % 4 === 2 ? 3 : 0,
        channels:
          isUp && !node.local ? { connections: 1, sessions: 3 + (i % 2), sessionLimit: 10 } : null,
      };
    }),
  };
}

export function fakeDiagnosticsApi(core: FakeCore): Api['diagnostics'] {
  return {
    read: async () => reportOf(core),
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => reportOf(core),
        subscribe: (push: (change: DiagnosticsReport) => void) => {
          const timer = setInterval(() => push(reportOf(core)), every);
          return () => clearInterval(timer);
        },
        signal: options?.signal,
      }),
  };
}

const messages: readonly (readonly [number, string, object])[] = [
  [30, 'online', { node: 'beta' }],
  [20, 'the queue was planned', { tasks: 4, ms: 1.2 }],
  [30, 'a task has started', { node: 'alpha', task: '7320541234571234567' }],
  [
    40,
    'the link is gone',
    { node: 'old-faithful', err: { type: 'LinkError', message: 'Nothing answered within 20 s.' } },
  ],
  [
    50,
    'a container could not be made',
    {
      node: 'gamma',
      err: {
        type: 'ContainerCreationError',
        message: 'No such device: GPU-gamma-3',
        stack:
          'ContainerCreationError: No such device: GPU-gamma-3\n    at create (containers.ts:41)',
      },
    },
  ],
];

function line(n: number, at: number): string {
  const [level, msg, facts] = messages[n % messages.length] ?? [30, '', {}];
  return `${JSON.stringify({ level, time: at, ...facts, msg })}\n`;
}

/** Some lines from before, then one every now and then. */
export function fakeCoreLog(core: FakeCore, signal: AbortSignal): ByteReader {
  const encoder = new TextEncoder();
  async function* bytes(): AsyncGenerator<Uint8Array, undefined> {
    const from = core.now() - 40 * 31_000;
    const old = Array.from({ length: 40 }, (_, n) => line(n, from + n * 31_000));
    yield encoder.encode(
      [line(0, from).replace('"online"', '"the core has started"'), ...old].join(''),
    );
    for (let n = 0; !signal.aborted; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, every * 2));
      yield encoder.encode(line(n, core.now()));
    }
  }
  async function* chunks(): AsyncGenerator<Chunk, undefined> {
    for await (const each of bytes()) yield { bytes: each, release: () => undefined };
  }
  return { [Symbol.asyncIterator]: bytes, chunks };
}
