// How many submissions a second are durable and answered: through the contract, over the local
// socket of a core in a process of its own. What is submitted is held, so that nothing is run;
// every held task is one the planner is told of, as any other.
// Run: node test/bench/submit.ts
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { startCoreProcess, temporaryDataDir, type CoreProcess } from '../support/core-process.ts';
import { until } from '../support/core-client.ts';
import { cpuSecondsOf, rssBytesOf } from './support/processes.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  timeMs,
} from './support/figures.ts';

const rounds = option('rounds', 7);

function submission(index: number): TaskSubmissionInput {
  return {
    work: { kind: 'command', argv: ['python', '-m', 'train', '--seed', String(index)] },
    vessel: { kind: 'process' },
    name: `sweep-${index}`,
    env: { OMP_NUM_THREADS: '4', WANDB_MODE: 'offline' },
    labels: { team: index % 3 === 0 ? 'vision' : 'text' },
    hold: true,
  };
}

type Submit = (core: CoreProcess, count: number) => Promise<unknown>;
const many = (core: CoreProcess, size: number) =>
  core.api.tasks.submitMany({ submissions: Array.from({ length: size }, (_, n) => submission(n)) });
const one = (core: CoreProcess, n: number) => core.api.tasks.submit(submission(n));

const inBatchesOf =
  (size: number): Submit =>
  async (core, count) => {
    for (let done = 0; done < count; done += size) await many(core, size);
  };
const oneAfterAnother: Submit = async (core, count) => {
  for (let n = 0; n < count; n += 1) await one(core, n);
};
const at16Once: Submit = async (core, count) => {
  let next = 0;
  const worker = async () => {
    while (next < count) await one(core, (next += 1));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
};

const ways: readonly { name: string; submit: Submit; count: number; target: string }[] = [
  { name: 'batches of 1,000', submit: inBatchesOf(1000), count: 4000, target: '≥ 2,000' },
  { name: 'batches of 100', submit: inBatchesOf(100), count: 2000, target: '≥ 2,000' },
  { name: 'one after another', submit: oneAfterAnother, count: 400, target: '≥ 400' },
  { name: '16 callers at once', submit: at16Once, count: 1000, target: '≥ 400' },
];

printHeading('Submit → durable → answered (`node test/bench/submit.ts`)');
await using dir = await temporaryDataDir();
const core = await startCoreProcess(dir.path);
try {
  await until(
    async () => (await core.api.nodes.list()).some((node) => node.state === 'online'),
    'this computer is online',
  );
  const rates = new Map(ways.map(({ name }) => [name, [] as number[]]));
  const cpu = new Map(ways.map(({ name }) => [name, [] as number[]]));
  // By turns, so that all ways meet the same noise; the first round warms up.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, submit, count } of ways) {
      const before = await cpuSecondsOf(core.pid);
      const { ms } = await timeMs(() => submit(core, count));
      if (round < 0) continue;
      rates.get(name)?.push((count / ms) * 1000);
      cpu.get(name)?.push((((await cpuSecondsOf(core.pid)) - before) / count) * 1e6);
    }
  }
  const stored = Object.values((await core.api.core.status()).tasks).reduce((a, b) => a + b, 0);
  const rss = (await rssBytesOf(core.pid)) / 2 ** 20;
  console.log(
    `Tasks a second; ${stored} tasks stored at the end, the core then has ${rss.toFixed(0)} MiB; load ${loadWords()}.\n`,
  );
  printTable(
    [
      'way',
      'target',
      'median',
      '10 – 90 %',
      'least – most',
      'rounds',
      'CPU of the core per task, µs',
    ],
    ways.map(({ name, target }) => [
      name,
      target,
      ...spreadCells(rates.get(name) ?? []),
      spreadCells(cpu.get(name) ?? [])[0] ?? '',
    ]),
  );
} finally {
  await core.stop();
}
