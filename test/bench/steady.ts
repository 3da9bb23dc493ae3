// What a core costs that merely stands there: 50 and 200 SIMULATED nodes (see
// support/simulated-nodes.ts for what is real), 10,000 stored tasks, two clients that watch the
// usage of all nodes and a window of the tasks; then the same with one task a second flowing.
// Run: node test/bench/steady.ts [--seconds 60]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { createClient, type Client } from '../../src-main/contract/client.ts';
import { openLocalSocket } from '../../src-main/hosts/server/attach.ts';
import { until } from '../support/core-client.ts';
import { temporaryDataDir } from '../support/core-process.ts';
import { loadWords, option, printHeading, printTable } from './support/figures.ts';
import { cpuSecondsOf, peakRssBytesOf, rssBytesOf } from './support/processes.ts';

const seconds = option('seconds', 60);
const storedTasks = 10_000;
const pendingTasks = 1000;
const runningPerNode = 2;
/** Both sizes, or one of one's own. */
const sizes = process.argv.includes('--nodes') ? [option('nodes', 50)] : [50, 200];

interface Held {
  longestMs: number;
  p99Ms: number;
}

class SteadyCore implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly client: Client;
  readonly pid: number;
  readonly #socket: string;

  private constructor(child: ChildProcess, socket: string, client: Client) {
    this.#child = child;
    this.#socket = socket;
    this.client = client;
    this.pid = child.pid ?? 0;
  }

  static async start(dataDir: string): Promise<SteadyCore> {
    const child = fork(join(import.meta.dirname, 'support/steady-core.ts'), [dataDir]);
    const [{ socket }] = (await once(child, 'message')) as [{ socket: string }];
    return new SteadyCore(child, socket, createClient(await openLocalSocket(socket)));
  }

  async anotherClient(): Promise<Client> {
    return createClient(await openLocalSocket(this.#socket));
  }

  begin(): void {
    this.#child.send('begin');
  }

  async end(): Promise<Held> {
    this.#child.send('end');
    const [held] = (await once(this.#child, 'message')) as [Held];
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.#child.send('stop');
    await once(this.#child, 'exit');
  }
}

const work = (ms: number): TaskSubmissionInput => ({
  work: { kind: 'command', argv: ['sim', String(ms)] },
  vessel: { kind: 'image', reference: 'river/busybox:1' },
  name: `sim-${ms}`,
});

/** Nodes and the tasks that do not run. */
async function fill({ client: { api } }: SteadyCore, nodes: number): Promise<void> {
  for (let n = 0; n < nodes; n += 1) {
    await api.nodes.add({
      destination: { host: `sim-${n}`, user: 'bench' },
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
  }
  const held = { ...work(0), hold: true };
  const submissions = Array.from({ length: storedTasks - runningPerNode * nodes }, () => held);
  const { batches } = await api.tasks.submitMany({ submissions });
  const ids = batches.flatMap(({ taskIds }) => taskIds).slice(pendingTasks);
  for (let from = 0; from < ids.length; from += 500) {
    await api.tasks.kill({ tasks: ids.slice(from, from + 500) });
  }
}

/** The tasks that run; a simulated node forgets them with the core, so they come after its restart. */
async function occupy({ client: { api } }: SteadyCore, nodes: number): Promise<void> {
  await until(
    async () => (await api.nodes.list()).filter(({ state }) => state === 'online').length > nodes,
    'all nodes are online',
  );
  const running = runningPerNode * nodes;
  await api.tasks.submitMany({
    submissions: Array.from({ length: running }, () => work(86_400_000)),
  });
  await until(
    async () => (await api.core.status()).tasks.RUNNING === running,
    `${running} tasks run`,
    120_000,
  );
}

/** Reads a feed to its end and counts. */
async function watch(feed: AsyncIterable<unknown>, signal: AbortSignal, count: { items: number }) {
  try {
    for await (const _item of feed) count.items += 1;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function measure(core: SteadyCore, tasksASecond: number): Promise<string[]> {
  const over = new AbortController();
  const { signal } = over;
  const count = { items: 0 };
  const clients = await Promise.all([core.anotherClient(), core.anotherClient()]);
  const [usage, tasks] = clients;
  const watching = [
    watch(await usage.api.nodes.watchUsage(undefined, { signal }), signal, count),
    watch(await tasks.api.tasks.watchWindow({ limit: 100 }, { signal }), signal, count),
  ];
  await new Promise((resolve) => setTimeout(resolve, 5000));
  count.items = 0;
  core.begin();
  const cpu = await cpuSecondsOf(core.pid);
  const begin = performance.now();
  let submitted = 0;
  const flow =
    tasksASecond === 0
      ? undefined
      : setInterval(() => {
          submitted += 1;
          void core.client.api.tasks.submit(work(2000));
        }, 1000 / tasksASecond);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  clearInterval(flow);
  const wall = (performance.now() - begin) / 1000;
  const used = (await cpuSecondsOf(core.pid)) - cpu;
  const held = await core.end();
  const mib = async (bytes: Promise<number>) => ((await bytes) / 2 ** 20).toFixed(0);
  const row = [
    `${((used / wall) * 100).toFixed(1)} %`,
    await mib(rssBytesOf(core.pid)),
    await mib(peakRssBytesOf(core.pid)),
    held.longestMs.toFixed(0),
    held.p99Ms.toFixed(1),
    (count.items / wall).toFixed(0),
    loadWords(),
  ];
  over.abort();
  await Promise.all(watching);
  for (const client of clients) client.close();
  if (tasksASecond > 0) await until(() => submitted > 0, 'tasks flowed');
  return row;
}

printHeading('The core, steady (`node test/bench/steady.ts`)');
console.log(
  `Nodes are **simulated** (links and runtimes in memory, recorded probe and metrics output of a node with 8 GPUs and 64 processors; parsing, services, feeds and store are real; SSH is not in it). ${storedTasks} stored tasks: ${pendingTasks} held, ${runningPerNode} running per node, the others ended; the core was restarted after they were made. Two clients on the local socket: \`nodes.watchUsage\` and \`tasks.watchWindow\`. ${seconds} s each. Target at 200 nodes: under 5 % CPU of one core and 400 MB.\n`,
);
const rows: string[][] = [];
for (const nodes of sizes) {
  await using dir = await temporaryDataDir();
  {
    await using filling = await SteadyCore.start(dir.path);
    await fill(filling, nodes);
  }
  await using core = await SteadyCore.start(dir.path);
  await occupy(core, nodes);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  for (const flow of [0, 1]) {
    const what = flow === 0 ? 'no task moves' : `${flow} task a second`;
    rows.push([`${nodes} nodes, ${what}`, ...(await measure(core, flow))]);
  }
}
printTable(
  [
    'state',
    'CPU of one core',
    'RSS, MiB',
    'most RSS, MiB',
    'longest hold, ms',
    '99 %, ms',
    'feed items/s',
    'load',
  ],
  rows,
);
