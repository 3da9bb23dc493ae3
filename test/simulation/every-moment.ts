// The core ends at each moment of a run at which it can, one run for each: at each order on its way
// out or its answer on its way back, before and after each commit, and at each write of a log.
import { replayCommand } from './summary.ts';
import type { Job } from './worker.ts';
import { runJobs } from './workers.ts';

export interface MomentsAsked {
  readonly first: number;
  readonly runs: number;
  readonly steps: number;
  readonly workers: number;
  readonly at: number | undefined;
  readonly isTraced: boolean;
}

/** How many moments the run of a seed has. */
async function momentsOf(seed: number, { steps, workers }: MomentsAsked): Promise<number> {
  let moments = 0;
  await runJobs([{ seed, steps, crashOnlyAt: 0 }], { workers: Math.min(1, workers) }, (outcome) => {
    if ('found' in outcome) throw new Error(`without any fault: ${outcome.found.what}`);
    moments = outcome.result.moments;
    return true;
  });
  return moments;
}

/** Whether all went well. */
export async function everyMoment(asked: MomentsAsked): Promise<boolean> {
  let violations = 0;
  for (let seed = asked.first; seed < asked.first + asked.runs; seed += 1) {
    const moments = await momentsOf(seed, asked);
    const all = Array.from({ length: moments }, (_, index) => index + 1);
    const jobs = (asked.at === undefined ? all : [asked.at]).map((crashOnlyAt): Job => ({
      seed,
      steps: asked.steps,
      crashOnlyAt,
      isTraced: asked.isTraced,
    }));
    let found = 0;
    await runJobs(jobs, asked, (outcome) => {
      if (!('found' in outcome)) return true;
      found += 1;
      process.stdout.write(
        `VIOLATION with seed ${String(seed)}: ${outcome.found.what}\n  ${replayCommand(outcome.job)}\n`,
      );
      return found < 5;
    });
    violations += found;
    const how = seed % 2 === 0 ? 'power cut' : 'killed';
    process.stdout.write(
      `seed ${String(seed)}: ${how} at each of ${String(moments)} moments: ${String(found)} violations\n`,
    );
  }
  return violations === 0;
}
