// Runs vitest projects, file by file under a watch: a file that hangs is ended with a word about it, and the
// others go on.
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { isCi, type FileOutcome, type Outcome } from './outcome.ts';
import type { Progress } from './progress.ts';

/** The longest honest file takes about four minutes on a quiet machine; a busy one is slower. */
const fileLimitMs = 15 * 60_000;
/** After all files have ended: what is still open then is not worth waiting for. */
const closingMs = 60_000;
/** Cores and commands are started hundreds of times, from their sources: Node keeps what it made of them. */
const compileCache = resolve('node_modules/.cache/compiled');

export interface SuiteOptions {
  /** Tests of it may be missing in CI, too: what they need is not to be had everywhere. */
  readonly maySkip?: boolean;
}

interface Ended {
  readonly outcome: FileOutcome;
  readonly atMs: number;
}

interface Round {
  /** Files, and the projects they belong to. */
  readonly planned: ReadonlyMap<string, string>;
  readonly ended: readonly Ended[];
  /** Files that were ended because they took too long. */
  readonly hung: readonly string[];
  /** What went wrong beside the tests. */
  readonly problems: readonly string[];
}

/** Runs all files of one suite; see {@link runSuites}. */
export async function runSuite(name: string, options: SuiteOptions = {}): Promise<Outcome[]> {
  return await runSuites([name], options);
}

/**
 * Runs all files of some suites in one pool of workers, so that none stands idle while one of them waits for
 * its last file. To a suite belong the projects whose names begin with its own. The seconds of each count
 * from the start of all to its own last file. A suite that ran nothing, or broke off, counts as a failure.
 */
export async function runSuites(
  names: readonly string[],
  options: SuiteOptions = {},
): Promise<Outcome[]> {
  console.log(`\n── ${names.join(', ')}`);
  const startedAt = performance.now();
  const rounds: Round[] = [];
  for (let files: readonly string[] | undefined = []; files !== undefined;) {
    const round: Round = await runFiles(names, files);
    rounds.push(round);
    files = round.hung.length > 0 ? leftOver(round) : undefined;
  }
  return names.map((name, index) => {
    const isOfIt = (round: Round, file: string) => round.planned.get(file)?.startsWith(name);
    return outcomeOf({
      name,
      startedAt,
      skipsFail: isCi && options.maySkip !== true,
      ended: rounds.flatMap((round) =>
        round.ended.filter(({ outcome }) => isOfIt(round, outcome.file)),
      ),
      hung: rounds.flatMap((round) => round.hung.filter((file) => isOfIt(round, file))),
      // What belongs to no file is told once.
      problems: index === 0 ? rounds.flatMap((round) => round.problems) : [],
    });
  });
}

interface Suite extends Omit<Round, 'planned'> {
  readonly name: string;
  readonly startedAt: number;
  readonly skipsFail: boolean;
}

function outcomeOf(suite: Suite): Outcome {
  const files = suite.ended.map(({ outcome }) => outcome);
  const { hung, skipsFail } = suite;
  const problems = [...suite.problems];
  if (files.length === 0 && problems.length === 0) problems.push('no file ran');
  const skipped = files.flatMap((file) => file.skipped);
  const sum = (of: 'passed' | 'failed') => files.reduce((total, file) => total + file[of], 0);
  const lastAt = Math.max(suite.startedAt, ...suite.ended.map(({ atMs }) => atMs));
  return {
    name: suite.name,
    passed: sum('passed'),
    failed: sum('failed') + hung.length + problems.length + (skipsFail ? skipped.length : 0),
    skipped: skipsFail ? 0 : skipped.length,
    seconds: (lastAt - suite.startedAt) / 1000,
    notes: [
      ...problems,
      ...hung.map((file) => `${file} did not end within ${fileLimitMs / 60_000} minutes`),
      ...skipped.map((test) => `skipped: ${test}`),
    ],
    files,
  };
}

/** Undefined when there is nothing left to run. */
function leftOver({ planned, ended, hung }: Round): string[] | undefined {
  const over = new Set([...ended.map(({ outcome }) => outcome.file), ...hung]);
  const left = [...planned.keys()].filter((file) => !over.has(file));
  return left.length === 0 ? undefined : left;
}

async function runFiles(projects: readonly string[], files: readonly string[]): Promise<Round> {
  const reporters = ['--reporter=default', '--reporter=./scripts/test/progress-reporter.ts'];
  const wanted = projects.flatMap((project) => ['--project', `${project}*`]);
  const args = ['run', ...wanted, ...reporters, ...files];
  // A group of its own, so that whatever a hanging file has started can be ended with it.
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  using _signals = passSignals(child);
  const watch = new Watch(child);
  child.on('message', (message) => {
    watch.take(message as Progress);
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(error.message));
  child.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
  return watch.close(await promise);
}

/** Ctrl-C on the terminal reaches this process only. */
function passSignals(child: ChildProcess): Disposable {
  const pass = (signal: NodeJS.Signals) => {
    endGroup(child, signal);
    process.exit(130);
  };
  process.once('SIGINT', pass);
  process.once('SIGTERM', pass);
  return {
    [Symbol.dispose]: () => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
    },
  };
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

class Watch {
  readonly #child: ChildProcess;
  readonly #planned = new Map<string, string>();
  readonly #limits = new Map<string, NodeJS.Timeout>();
  readonly #ended: Ended[] = [];
  readonly #hung: string[] = [];
  readonly #problems: string[] = [];
  #isDone = false;
  #closing: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  take(progress: Progress): void {
    switch (progress.kind) {
      case 'planned':
        for (const { file, project } of progress.files) this.#planned.set(file, project);
        break;
      case 'begun':
        this.#limits.set(
          progress.file,
          setTimeout(() => this.#end(progress.file), fileLimitMs),
        );
        break;
      case 'ended':
        clearTimeout(this.#limits.get(progress.outcome.file));
        this.#limits.delete(progress.outcome.file);
        this.#ended.push({ outcome: progress.outcome, atMs: performance.now() });
        break;
      case 'done':
        this.#isDone = true;
        if (progress.strayErrors > 0)
          this.#problems.push(`${progress.strayErrors} errors outside of any test`);
        this.#closing = setTimeout(() => endGroup(this.#child, 'SIGKILL'), closingMs);
    }
  }

  #end(file: string): void {
    console.log(`\n${file} does not end; it is ended now.`);
    this.#hung.push(file);
    endGroup(this.#child, 'SIGKILL');
  }

  close(how: string): Round {
    clearTimeout(this.#closing);
    for (const timeout of this.#limits.values()) clearTimeout(timeout);
    if (!this.#isDone && this.#hung.length === 0)
      this.#problems.push(`the runner broke off: ${how}`);
    else if (this.#isDone && how !== 'exit code 0' && !this.#hasFailure())
      this.#problems.push(`the runner ended with ${how}`);
    return {
      planned: this.#planned,
      ended: this.#ended,
      hung: this.#hung,
      problems: this.#problems,
    };
  }

  #hasFailure(): boolean {
    return this.#problems.length > 0 || this.#ended.some(({ outcome }) => outcome.failed > 0);
  }
}
