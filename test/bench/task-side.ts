// How long the task side itself takes, on nodes that answer at once: from submitting to the order to
// create, and how many tasks a second go all the way, logs included. Real disk, real timers, planner
// in this thread. Run: node test/bench/task-side.ts [directory]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemTimers } from '../../src-main/link/system-timers.ts';
import { aNodePlan, SimulatedMachine } from '../support/simulated-node.ts';
import { simulatedWork, TaskSide } from '../support/task-side.ts';

const time = { ...systemClock, ...systemTimers };

async function aSide(directory: string) {
  const dataDir = mkdtempSync(join(directory, 'kohakuriver-bench-'));
  const machine = new SimulatedMachine(time);
  const nodes = [{ plan: aNodePlan(1, { cores: 64, gpus: 0 }), machine }];
  const side = await TaskSide.start({ dataDir, time, nodes, made: { last: undefined } });
  side.connectAll();
  const stop = async () => {
    await side.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { side, machine, stop };
}

/** Milliseconds from the call of submit to each step, median of many, one task at a time. */
async function latency(directory: string) {
  const { side, machine, stop } = await aSide(directory);
  const steps: Record<string, number[]> = { accepted: [], create: [], start: [], ended: [] };
  let begun = 0;
  machine.fault = ({ name, when }) => {
    if (when === 'before') steps[name]?.push(performance.now() - begun);
    return undefined;
  };
  for (let count = 0; count < 300; count += 1) {
    const ended = Promise.withResolvers<undefined>();
    begun = performance.now();
    using _watch = side.book.onDidChange(({ kind }) => {
      if (kind === 'ended') ended.resolve(undefined);
    });
    await side.submit(['seconds=0', 'print=x']);
    steps['accepted']?.push(performance.now() - begun);
    await ended.promise;
    steps['ended']?.push(performance.now() - begun);
  }
  await stop();
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  return Object.fromEntries(
    Object.entries(steps).map(([name, values]) => [name, median(values).toFixed(2)]),
  );
}

/** Tasks a second, all submitted at once, with a line of output each. */
async function rate(directory: string, count: number, words: readonly string[]) {
  const { side, stop } = await aSide(directory);
  const done = Promise.withResolvers<undefined>();
  let ended = 0;
  using _watch = side.book.onDidChange(({ kind }) => {
    if (kind === 'ended' && ++ended === count) done.resolve(undefined);
  });
  const begun = performance.now();
  const batch = Array.from({ length: count }, () => simulatedWork(words));
  await side.tasks.submitMany(batch, { who: 'bench' });
  const accepted = performance.now() - begun;
  await done.promise;
  const total = performance.now() - begun;
  while (side.store.effects.all().length > 0) await new Promise((r) => setTimeout(r, 5));
  await stop();
  return {
    acceptedPerSecond: Math.round((count / accepted) * 1000),
    endedPerSecond: Math.round((count / total) * 1000),
  };
}

const directory = process.argv[2] ?? tmpdir();
const print = (facts: object) => process.stdout.write(`${JSON.stringify(facts)}\n`);
print({ directory, milliseconds: await latency(directory) });
print({ quiet: await rate(directory, 2000, ['seconds=0']) });
print({ printing: await rate(directory, 2000, ['seconds=0', 'print=hello']) });
