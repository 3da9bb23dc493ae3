// What many runs came to, as they go and in the end.
import { faultKinds, type FaultKind } from './memory.ts';
import { usualSteps } from './simulation.ts';
import type { Outcome } from './worker.ts';

const progressMs = 5000;
/** After so many failures there is enough to look at. */
const mostFailures = 5;

interface Asked {
  readonly steps: string;
  readonly mutant?: string | undefined;
}

const count = (value: number) => value.toLocaleString('en');

export class Summary {
  readonly #wanted: number;
  readonly #asked: Asked;
  readonly #begin = performance.now();
  #told = performance.now();
  #runs = 0;
  #tasks = 0;
  #attempts = 0;
  #virtualSeconds = 0;
  #failures = 0;
  readonly #faults = new Map<FaultKind, number>();

  constructor(wanted: number, asked: Asked) {
    this.#wanted = wanted;
    this.#asked = asked;
  }

  /** False: enough was found. */
  take(outcome: Outcome): boolean {
    this.#runs += 1;
    if ('found' in outcome) this.#fail(outcome);
    else this.#add(outcome.result);
    if (performance.now() - this.#told > progressMs) {
      this.#told = performance.now();
      process.stderr.write(
        `${count(this.#runs)} of ${count(this.#wanted)} runs, ${count(this.#perMinute)} a minute, ${count(this.#failures)} violations\n`,
      );
    }
    return this.#failures < mostFailures;
  }

  #add(result: Extract<Outcome, { result: unknown }>['result']): void {
    this.#tasks += result.tasks;
    this.#attempts += result.attempts;
    this.#virtualSeconds += result.virtualSeconds;
    for (const kind of faultKinds)
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + result.faults[kind]);
  }

  #fail({ job, found }: Extract<Outcome, { found: unknown }>): void {
    this.#failures += 1;
    process.stdout.write(
      `\nVIOLATION with seed ${String(job.seed)}: ${found.what}\n` +
        `${found.isRepeatable ? 'The same seed again finds the same.' : 'The same seed again did NOT find the same: the simulation itself is at fault.'}\n` +
        `Again, with every step:  ${replayCommand(job, this.#asked.mutant)}\n` +
        `Its last steps:\n${found.lines.map((line) => `  ${line}`).join('\n')}\n\n`,
    );
  }

  get #perMinute(): number {
    return Math.round((this.#runs / (performance.now() - this.#begin)) * 60_000);
  }

  /** Whether all went well. */
  print(): boolean {
    const rows = faultKinds.map(
      (kind) => `  ${kind.padEnd(24)}${count(this.#faults.get(kind) ?? 0)}`,
    );
    const hours = Math.round(this.#virtualSeconds / 3600);
    process.stdout.write(
      [
        `${count(this.#runs)} runs of ${this.#asked.steps} steps: ${count(this.#tasks)} tasks, ${count(this.#attempts)} attempts, ${count(hours)} hours of virtual time`,
        'Faults:',
        ...rows,
        `${count(this.#failures)} violations; ${count(this.#perMinute)} runs a minute`,
        '',
      ].join('\n'),
    );
    return this.#failures === 0;
  }
}

/** How to see one run again. */
export function replayCommand(
  job: { readonly seed: number; readonly steps: number; readonly crashOnlyAt?: number },
  mutant?: string,
): string {
  const words = ['npm run simulate -- --runs 1', `--seed ${String(job.seed)}`];
  if (job.steps !== usualSteps) words.push(`--steps ${String(job.steps)}`);
  if (job.crashOnlyAt !== undefined) words.push(`--every-moment --at ${String(job.crashOnlyAt)}`);
  if (mutant !== undefined) words.push(`--mutant ${mutant}`);
  return `${words.join(' ')} --trace`;
}
