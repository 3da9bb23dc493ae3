// Breaks the core on purpose, in one way after the other, and says which seed notices.
import { mutants, type Mutant } from './mutants.ts';
import { replayCommand } from './summary.ts';
import type { Job, Outcome } from './worker.ts';
import { runJobs } from './workers.ts';

export interface MutantsAsked {
  readonly first: number;
  /** The most runs for each. */
  readonly runs: number;
  readonly steps: number;
  readonly workers: number;
}

interface Tried {
  readonly mutant: Mutant;
  readonly runs: number;
  readonly notice: Extract<Outcome, { found: unknown }> | undefined;
}

async function tryOne(mutant: Mutant, asked: MutantsAsked): Promise<Tried> {
  const { first, runs, steps } = asked;
  const jobs = (function* (): Generator<Job> {
    for (let seed = first; seed < first + runs; seed += 1) yield { seed, steps };
  })();
  let made = 0;
  let notice: Tried['notice'];
  await runJobs(jobs, { workers: 1, mutant: mutant.name }, (outcome) => {
    made += 1;
    if ('found' in outcome) notice ??= outcome;
    return notice === undefined;
  });
  return { mutant, runs: made, notice };
}

function describe({ mutant, runs, notice }: Tried): string {
  if (notice !== undefined) {
    const { job, found } = notice;
    return (
      `noticed  ${mutant.name}: ${mutant.breaks}\n` +
      `         seed ${String(job.seed)}: ${found.what.split('\n')[0]?.slice(0, 200) ?? ''}\n` +
      `         ${replayCommand(job, mutant.name)}`
    );
  }
  const why = mutant.survives ?? 'no reason is known: the simulation does not see this.';
  return `SURVIVES ${mutant.name}: ${mutant.breaks}\n         not in ${String(runs)} runs: ${why}`;
}

/** Whether each was noticed but for those that are known to survive. */
export async function tryMutants(asked: MutantsAsked): Promise<boolean> {
  const queue = [...mutants];
  const tried: Tried[] = [];
  const work = async () => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const one = await tryOne(mutant, asked);
      tried.push(one);
      process.stdout.write(`${describe(one)}\n`);
    }
  };
  await Promise.all(Array.from({ length: asked.workers }, work));
  const noticed = tried.filter(({ notice }) => notice !== undefined);
  const unexplained = tried.filter((one) => one.notice === undefined && !one.mutant.survives);
  process.stdout.write(
    `\n${String(noticed.length)} of ${String(tried.length)} breaks noticed; ${String(tried.length - noticed.length)} survive, ${String(unexplained.length)} of them without a known reason.\n`,
  );
  return unexplained.length === 0;
}
