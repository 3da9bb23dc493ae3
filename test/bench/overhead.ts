// What a task costs over doing the same by hand on the same node over a warm ssh connection, in the
// same run, by turns (spec/tasks.md, «Numbers to reach»). Ours is a core in a process of its own,
// spoken to over its local socket: from `submit` until COMPLETED is known and the log was read.
// Run: node test/bench/overhead.ts [--runs 30] (root, see test/testbed/README.md)
import type { TaskEventView, TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { until, type CoreClient } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { startCore } from '../support/core.ts';
import { Testbed, type TestbedNode } from '../support/testbed.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  spreadHeaders,
  spreadOf,
  timeMs,
} from './support/figures.ts';
import { timedRuntimes, type TimedCall } from './support/timed-runtimes.ts';
import { WarmSsh } from './support/warm-ssh.ts';

const runs = option('runs', 30);
const warmUps = 3;

interface Case {
  readonly name: string;
  readonly ours: TaskSubmissionInput;
  /** What a person would type; the first is the peer that the target speaks of. */
  readonly byHand: Readonly<Record<string, (ssh: WarmSsh) => Promise<string>>>;
  readonly target: string;
}

const echo = { kind: 'command' as const, argv: ['sh', '-c', 'echo hi'] };
const setUp = 'd=$(mktemp -d) && cd "$d"';
const detach =
  'setsid sh -c \'sh -c "echo hi" >out 2>err; echo $? >code.new; mv code.new code\' </dev/null >/dev/null 2>&1 &';
const waitAndRead = 'while [ ! -f code ]; do sleep 0.01; done; cat out err code';

const cases: readonly Case[] = [
  {
    name: 'Docker task',
    ours: { work: echo, vessel: { kind: 'image', reference: 'river/busybox:1' }, targets: ['n1'] },
    byHand: {
      '`ssh node docker run --rm river/busybox:1 sh -c "echo hi"`': (ssh) =>
        ssh.run("docker run --rm river/busybox:1 sh -c 'echo hi'"),
    },
    target: '≤ 15 % and ≤ 50 ms over',
  },
  {
    name: 'process task',
    ours: { work: echo, vessel: { kind: 'process' }, targets: ['n1'] },
    byHand: {
      'one `ssh node …`: setsid, log to a file, exit code to a file, wait, read both': (ssh) =>
        ssh.run(`${setUp}; ${detach} ${waitAndRead}`),
      'the same in two calls: one that detaches, one that waits and reads': async (ssh) => {
        const dir = (await ssh.run(`${setUp}; ${detach} pwd`)).trim();
        return ssh.run(`cd ${dir}; ${waitAndRead}`);
      },
    },
    target: '≤ 1.2 times',
  },
];

/** One task, as a person follows it: submitted, its log read to the end, its status known. */
async function runTask({ api, client, submit }: CoreClient, submission: TaskSubmissionInput) {
  const begin = performance.now();
  const task = await submit(submission);
  const submitted = performance.now();
  const known = watchedEnd(api, task);
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openStream('tasks.readLog', { task, follow: true }))
    chunks.push(chunk);
  const logRead = performance.now();
  const { status } = await api.tasks.get({ task });
  const got = performance.now();
  if (status !== 'COMPLETED' || Buffer.concat(chunks).toString() !== 'hi\n')
    throw new Error(`task ${task} is ${status} and printed ${Buffer.concat(chunks).toString()}`);
  await known;
  return {
    task,
    answeredMs: submitted - begin,
    logReadMs: logRead - begin,
    knownMs: got - begin,
    watchedMs: (await known) - begin,
  };
}

async function watchedEnd(api: CoreClient['api'], task: string): Promise<number> {
  for await (const { value } of await api.tasks.watch({ task })) {
    if (value.task.finishedAt !== null) return performance.now();
  }
  throw new Error(`task ${task} vanished`);
}

/** Milliseconds from submission to each step in the task's history. */
function timeline(events: readonly TaskEventView[]): Record<string, number> {
  const first = events[0]?.at ?? 0;
  return Object.fromEntries(events.map(({ kind, at }) => [kind, at - first]));
}

async function addNode(core: CoreClient, bed: Testbed, node: TestbedNode): Promise<void> {
  await core.api.nodes.add({
    destination: { host: node.address, user: 'ops' },
    identityFile: bed.keyPath,
    useSshConfig: false,
    jumps: [],
    consent: { fingerprints: [node.hostKeySha256] },
  });
  const hasRuntimes = async () => {
    const { facts } = await core.api.nodes.get({ node: 'n1' });
    return facts?.docker != null && facts.process;
  };
  await until(hasRuntimes, 'n1 has both runtimes');
}

async function compare(core: CoreClient, ssh: WarmSsh, { ours, byHand, name, target }: Case) {
  const peers = Object.entries(byHand);
  const times: Record<string, number[]> = Object.fromEntries(peers.map(([peer]) => [peer, []]));
  const tasks: Awaited<ReturnType<typeof runTask>>[] = [];
  const steps: Record<string, number[]> = {};
  for (let run = -warmUps; run < runs; run += 1) {
    for (const [peer, action] of peers) {
      const { ms } = await timeMs(() => action(ssh));
      if (run >= 0) times[peer]?.push(ms);
    }
    const task = await runTask(core, ours);
    if (run < 0) continue;
    tasks.push(task);
    const line = timeline(await core.api.tasks.events({ task: task.task }));
    for (const [step, at] of Object.entries(line)) (steps[step] ??= []).push(at);
  }
  const total = tasks.map((task) => task.knownMs);
  const ourMedian = spreadOf(total).median;
  const rows = [['ours: submitted, log read, COMPLETED known', ...spreadCells(total), '']];
  for (const [peer, values] of Object.entries(times)) {
    const over = ourMedian - spreadOf(values).median;
    const ratio = ourMedian / spreadOf(values).median;
    const sign = over < 0 ? '' : '+';
    rows.push([
      peer,
      ...spreadCells(values),
      `${ratio.toFixed(2)} × (${sign}${over.toFixed(0)} ms)`,
    ]);
  }
  console.log(`**${name}** (target: ${target}; ms; by turns; load ${loadWords()})\n`);
  printTable([name, ...spreadHeaders, 'ours to it'], rows);
  console.log('Its steps, ms after submission:\n');
  const stepRows = Object.entries(steps).map(([step, values]) => [step, ...spreadCells(values)]);
  printTable(
    ['step', ...spreadHeaders],
    [
      ['answered', ...spreadCells(tasks.map((task) => task.answeredMs))],
      ...stepRows,
      ['log read to its end', ...spreadCells(tasks.map((task) => task.logReadMs))],
      ['COMPLETED got', ...spreadCells(total)],
      ['COMPLETED seen in `tasks.watch`', ...spreadCells(tasks.map((task) => task.watchedMs))],
    ],
  );
}

/** Each call to the runtime of one more core (in this process): when it began and how long it took. */
async function trace(bed: Testbed, node: TestbedNode): Promise<void> {
  const calls: TimedCall[] = [];
  await using core = await startCore({ replace: { runtimes: timedRuntimes(calls) } });
  await addNode(core, bed, node);
  for (const { name, ours } of cases) {
    const taken: Record<string, { beganMs: number[]; tookMs: number[] }> = {};
    for (let run = -warmUps; run < runs; run += 1) {
      calls.length = 0;
      const begin = performance.now();
      await runTask(core, ours);
      if (run < 0) continue;
      for (const { label, beganAt, tookMs } of calls) {
        const row = (taken[label] ??= { beganMs: [], tookMs: [] });
        row.beganMs.push(beganAt - begin);
        row.tookMs.push(tookMs);
      }
      // What is removed afterwards must not weigh on the next run.
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    console.log(
      `Calls to the runtime of a ${name} (core in the bench's process; ms; load ${loadWords()}):\n`,
    );
    printTable(
      ['call', 'begins at (median)', 'takes: median', '10 – 90 %', 'least – most', 'seen'],
      Object.entries(taken)
        .map(([label, { beganMs, tookMs }]) => ({ label, at: spreadOf(beganMs).median, tookMs }))
        .sort((a, b) => a.at - b.at)
        .map(({ label, at, tookMs }) => [label, at.toFixed(0), ...spreadCells(tookMs, 1)]),
    );
  }
}

printHeading('Overhead of a task over doing it by hand (`node test/bench/overhead.ts`)');
{
  await using bed = await Testbed.up({ nodes: 1, registry: false, images: ['river/busybox'] });
  const node = bed.node('n1');
  await using ssh = await WarmSsh.open(bed, node);
  await using dir = await temporaryDataDir();
  const core = await startCoreProcess(dir.path);
  try {
    await addNode(core, bed, node);
    for (const each of cases) await compare(core, ssh, each);
  } finally {
    await core.stop();
  }
  await trace(bed, node);
}
