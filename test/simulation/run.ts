// npm run simulate: many runs of the task side under faults in virtual time, on all cores.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { everyMoment } from './every-moment.ts';
import { tryMutants } from './try-mutants.ts';
import { Summary } from './summary.ts';
import { usualSteps } from './simulation.ts';
import type { Job } from './worker.ts';
import { runJobs } from './workers.ts';

const usage = `npm run simulate -- [options]

  --runs N         how many runs, one for each seed from --seed on (default 1000)
  --seed S         the first seed (default 1)
  --steps N        steps of a run before everything heals (default ${String(usualSteps)})
  --workers N      processes (default: one for each core)
  --trace          print every step; for one run again
  --every-moment   of each seed, without other faults: one run for each moment at which the core
                   can end (each order, each commit, each write of a log), and it ends there
  --at M           only at this moment (with --every-moment)
  --mutants        break the core on purpose, in each way of test/simulation/mutants.ts, and say
                   which seed notices; --runs is then the most for each (default 400)
  --mutant NAME    only this break; with --trace and --runs 1 it shows how it is noticed
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: String(usualSteps) },
    workers: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    'every-moment': { type: 'boolean', default: false },
    at: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} wants a whole number, not ${text}.\n\n${usage}`);
  process.exit(2);
}

const first = whole('seed', values.seed);
const steps = whole('steps', values.steps);
const workers = values.trace ? 1 : Math.max(1, whole('workers', values.workers));

async function simulateMany(runs: number): Promise<boolean> {
  const summary = new Summary(runs, values);
  const jobs = (function* (): Generator<Job> {
    for (let seed = first; seed < first + runs; seed += 1)
      yield { seed, steps, isTraced: values.trace };
  })();
  const crew = { workers, ...(values.mutant === undefined ? {} : { mutant: values.mutant }) };
  await runJobs(jobs, crew, (outcome) => summary.take(outcome));
  return summary.print();
}

async function main(): Promise<boolean> {
  if (values.help) {
    process.stdout.write(usage);
    return true;
  }
  if (values.mutants)
    return tryMutants({ first, steps, workers, runs: whole('runs', values.runs ?? '400') });
  const runs = whole('runs', values.runs ?? (values['every-moment'] ? '1' : '1000'));
  if (!values['every-moment']) return simulateMany(runs);
  const at = values.at === undefined ? undefined : whole('at', values.at);
  return everyMoment({ first, steps, workers, runs, at, isTraced: values.trace });
}

process.exit((await main()) ? 0 : 1);
