// Runs seeds for run.ts, in a process of its own, and tells it what they came to.
import { simulate, SimulationFailure, type SimulationResult } from './simulation.ts';

/** One run to make. */
export interface Job {
  readonly seed: number;
  readonly steps: number;
  readonly crashOnlyAt?: number;
  /** Print its steps. */
  readonly isTraced?: boolean;
}

export interface Found {
  /** What was wrong. */
  readonly what: string;
  readonly lines: readonly string[];
  /** Whether the same run again found the same. */
  readonly isRepeatable: boolean;
}

export type Outcome = { readonly job: Job } & (
  | { readonly result: SimulationResult }
  | { readonly found: Found }
);

async function run(job: Job): Promise<Outcome> {
  try {
    return { job, result: await once(job) };
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error;
    const again = await once({ ...job, isTraced: false }).catch((second: unknown) => second);
    const isRepeatable =
      again instanceof SimulationFailure &&
      again.what === error.what &&
      again.trace === error.trace;
    return { job, found: { what: error.what, lines: error.lines, isRepeatable } };
  }
}

function once({ isTraced, ...job }: Job): Promise<SimulationResult> {
  const onStep = (line: string) => process.stderr.write(`${line}\n`);
  return simulate(isTraced === true ? { ...job, onStep } : job);
}

process.on('message', (jobs: readonly Job[]) => {
  void (async () => {
    for (const job of jobs) process.send?.(await run(job));
    process.send?.('idle');
  })();
});
process.send?.('idle');
