// Our queue against others', on one node, by turns: so many trivial tasks on so many slots, from the
// first submission until all have ended. And what a core costs while many tasks merely run.
// Six minutes on a busy machine of two processors. Run:
// npm run bench:queue [-- --tasks 600 --slots 16 --rounds 3 --running 1000 --seconds 20 --peers 1]
import { until } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir, type CoreProcess } from '../support/core-process.ts';
import { Testbed } from '../support/testbed.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  spreadHeaders,
  timeMs,
} from './support/figures.ts';
import { installPeers, peersOn, slurmTuning, startSlurm, type Peer } from './support/peers.ts';
import { cpuSecondsOf, rssBytesOf } from './support/processes.ts';

const total = option('tasks', 600);
const slots = option('slots', 16);
const rounds = option('rounds', 3);
const running = option('running', 1000);
const seconds = option('seconds', 20);
/** 0: ours alone. */
const withPeers = option('peers', 1) > 0;
const node = 'n1';

const trivial = {
  work: { kind: 'command' as const, argv: ['true'] },
  vessel: { kind: 'process' as const },
  targets: [node],
};

async function addNode(core: CoreProcess, bed: Testbed): Promise<void> {
  await core.api.nodes.add({
    destination: { host: bed.node(node).address, user: 'root' },
    identityFile: bed.keyPath,
    useSshConfig: false,
    consent: 'any-new',
  });
}

/** Resolves when nothing waits or runs; throws when something failed. */
async function allEnd({ api }: CoreProcess): Promise<void> {
  const over = new AbortController();
  const watch = { filter: {}, limit: 1 } as const;
  try {
    for await (const { value } of await api.tasks.watchWindow(watch, { signal: over.signal })) {
      const { COMPLETED = 0, ...others } = value.counts;
      if ((others.FAILED ?? 0) > 0) throw new Error('a task failed');
      if (COMPLETED > 0 && Object.values(others).every((count) => count === 0)) return;
    }
  } finally {
    over.abort();
  }
}

/** What `sbatch --wrap` makes of it. */
const asScript = { ...trivial, work: { kind: 'script' as const, text: 'true' } };

function ours(core: CoreProcess): Peer[] {
  const { api } = core;
  const inOneCall = (what: typeof trivial | typeof asScript) => async (count: number) => {
    await api.tasks.submitMany({ submissions: Array.from({ length: count }, () => what) });
    await allEnd(core);
  };
  return [
    { name: 'ours over SSH, one call', tasks: total, runMany: inOneCall(trivial) },
    { name: 'ours over SSH, one call, scripts', tasks: total, runMany: inOneCall(asScript) },
    {
      name: 'ours over SSH, one call each',
      tasks: total,
      runMany: async (count) => {
        for (let number = 0; number < count; number += 1) await api.tasks.submit(trivial);
        await allEnd(core);
      },
    },
  ];
}

async function compare(bed: Testbed, core: CoreProcess): Promise<void> {
  const version = withPeers ? await startSlurm(bed, slots) : '';
  const peers = [...ours(core), ...(withPeers ? peersOn(bed, { slots, tasks: total }) : [])];
  const rates = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, tasks, runMany } of peers) {
      const before = await cpuSecondsOf(core.pid);
      const { ms } = await timeMs(() => runMany(tasks));
      rates.get(name)?.push((tasks / ms) * 1000);
      if (name.startsWith('ours'))
        cpu.push((((await cpuSecondsOf(core.pid)) - before) / tasks) * 1000);
      process.stderr.write(`${name}: ${((tasks / ms) * 1000).toFixed(1)}/s, load ${loadWords()}\n`);
    }
  }
  const median = (name: string) => spreadCells(rates.get(name) ?? [], 3)[0] ?? '';
  const best = Math.max(
    ...peers.filter(({ name }) => name.startsWith('Slurm')).map(({ name }) => Number(median(name))),
  );
  console.log(
    `\`true\`, as a program or (scripts, Slurm) as a script of the shell, as often as the table says in each round, on ${slots} slots of one node of the testbed, from the first submission until all have ended (ours: logs collected, too); tasks a second; by turns in one run; load at the end ${loadWords()}. ${withPeers ? `${version}: ${slurmTuning}. ` : ''}The core's own CPU per task: ${spreadCells(cpu, 1)[0] ?? ''} ms.\n`,
  );
  printTable(
    ['scheduler', 'tasks', ...spreadHeaders, "times Slurm's better way"],
    peers.map(({ name, tasks }) => [
      name,
      String(tasks),
      ...spreadCells(rates.get(name) ?? [], 1),
      (Number(median(name)) / best).toFixed(1),
    ]),
  );
}

/** What a core costs while so many real processes run on a node over SSH. */
async function steady(bed: Testbed, core: CoreProcess): Promise<string[][]> {
  const measure = async (what: string): Promise<string[]> => {
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const [before, begin] = [await cpuSecondsOf(core.pid), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const used = (await cpuSecondsOf(core.pid)) - before;
    const percent = (used / ((performance.now() - begin) / 1000)) * 100;
    const mib = (await rssBytesOf(core.pid)) / 2 ** 20;
    return [what, `${percent.toFixed(2)} %`, mib.toFixed(0), loadWords()];
  };
  const rows = [await measure('nothing runs')];
  await bed.claimProcessors(node, running);
  await until(
    async () => {
      // Looks at the node afresh; on a busy machine that may take more than one try.
      await core.api.nodes.doctor({ node });
      return (await core.api.nodes.get({ node })).facts?.cores === running;
    },
    'the node says that it has room',
    300_000,
  );
  const sleeping = { ...trivial, work: { kind: 'command' as const, argv: ['sleep', '86400'] } };
  const submissions = Array.from({ length: running }, () => sleeping);
  const { batches } = await core.api.tasks.submitMany({ submissions });
  await until(
    async () => (await core.api.core.status()).tasks.RUNNING === running,
    `${running} tasks run`,
    600_000,
  );
  rows.push(await measure(`${running} processes run`));
  const ids = batches.flatMap(({ taskIds }) => taskIds);
  for (let from = 0; from < ids.length; from += 500)
    await core.api.tasks.kill({ tasks: ids.slice(from, from + 500), graceSeconds: 0 });
  await until(
    async () => ((await core.api.core.status()).tasks.RUNNING ?? 0) === 0,
    'all end',
    600_000,
  );
  return rows;
}

printHeading('Our queue against others (`npm run bench:queue`)');
await using bed = await Testbed.up({ nodes: 1, docker: false, registry: false });
await bed.claimProcessors(node, slots);
if (withPeers) await installPeers(bed);
await using dir = await temporaryDataDir();
const core = await startCoreProcess(dir.path);
try {
  await addNode(core, bed);
  if (rounds > 0) await compare(bed, core);
  if (running > 0) {
    console.log(`A core over SSH with one node, nobody watching; ${seconds} s each:\n`);
    printTable(['state', 'CPU of one core', 'RSS, MiB', 'load'], await steady(bed, core));
  }
} finally {
  await core.stop();
}
