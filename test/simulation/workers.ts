// Processes that run seeds side by side.
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Job, Outcome } from './worker.ts';

/** So many runs are handed out at a time. */
const handful = 10;
/** A process is replaced after so many: none grows without end. */
const longestLife = 3000;

export interface Crew {
  readonly workers: number;
  /** The name of a deliberate break; see mutants.ts. */
  readonly mutant?: string;
}

/** Starts one process. Rejects when it ends before it was told to. */
class Hand {
  readonly #child: ChildProcess;
  readonly #onMessage = new Set<(message: unknown) => void>();
  readonly #died: Promise<never>;
  runs = 0;

  constructor(mutant: string | undefined) {
    this.#child = fork(join(import.meta.dirname, 'worker.ts'), {
      execArgv: ['--import', join(import.meta.dirname, 'loader.ts'), '--no-warnings'],
      env: { ...process.env, ...(mutant === undefined ? {} : { SIMULATION_MUTANT: mutant }) },
    });
    this.#died = new Promise((_resolve, reject) => {
      this.#child.once('exit', (code, signal) =>
        reject(new Error(`a simulation process ended: ${String(signal ?? code)}`)),
      );
    });
    this.#died.catch(() => undefined);
    this.#child.on('message', (message) => {
      for (const listener of this.#onMessage) listener(message);
    });
  }

  async do(jobs: readonly Job[], onOutcome: (outcome: Outcome) => void): Promise<void> {
    await this.#idle(
      (outcome) => onOutcome(outcome),
      () => this.#child.send(jobs),
    );
    this.runs += jobs.length;
  }

  ready(): Promise<void> {
    return this.#idle(
      () => undefined,
      () => undefined,
    );
  }

  /** Resolves when it says that it has nothing to do. */
  async #idle(onOutcome: (outcome: Outcome) => void, begin: () => void): Promise<void> {
    const idle = Promise.withResolvers<undefined>();
    const listener = (message: unknown) => {
      if (message === 'idle') idle.resolve(undefined);
      else onOutcome(message as Outcome);
    };
    this.#onMessage.add(listener);
    try {
      begin();
      await Promise.race([idle.promise, this.#died]);
    } finally {
      this.#onMessage.delete(listener);
    }
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Runs jobs on several processes. Stops handing out when `onOutcome` says false. */
export async function runJobs(
  jobs: Iterable<Job>,
  crew: Crew,
  onOutcome: (outcome: Outcome) => boolean,
): Promise<void> {
  const source = jobs[Symbol.iterator]();
  let isOver = false;
  const take = (): Job[] => {
    const taken: Job[] = [];
    while (!isOver && taken.length < handful) {
      const next = source.next();
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  };
  const work = async (): Promise<void> => {
    let hand: Hand | undefined;
    try {
      for (let batch = take(); batch.length > 0; batch = take()) {
        if (hand !== undefined && hand.runs >= longestLife) {
          hand.end();
          hand = undefined;
        }
        if (hand === undefined) {
          hand = new Hand(crew.mutant);
          await hand.ready();
        }
        await hand.do(batch, (outcome) => {
          if (!onOutcome(outcome)) isOver = true;
        });
      }
    } finally {
      hand?.end();
    }
  };
  await Promise.all(Array.from({ length: crew.workers }, work));
}
