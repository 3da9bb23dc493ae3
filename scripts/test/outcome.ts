// What one step of the test run came to, and how all of it is told at the end.

export interface FileOutcome {
  /** Relative to the checkout. */
  readonly file: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  /** Every failed test by name with what it said; a file that failed outside of its tests by itself. */
  readonly failures: readonly string[];
  /** Names of tests that did not run. */
  readonly skipped: readonly string[];
  /** Tests that passed only when they were tried again. */
  readonly retried: readonly string[];
}

export interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly files: readonly FileOutcome[];
}

/** With CI=true, what did not run counts as failed. */
export const isCi = process.env['CI'] === 'true';

/** A step that could not run here. `isAllowed`: it may be missing in CI, too. */
export function skippedStep(name: string, reason: string, isAllowed = false): Outcome {
  console.log(`\n── ${name}: skipped: ${reason}`);
  const fails = isCi && !isAllowed;
  return {
    name,
    passed: 0,
    failed: fails ? 1 : 0,
    skipped: fails ? 0 : 1,
    seconds: 0,
    notes: [reason],
    files: [],
  };
}

const slowestShown = 10;

/** Prints every step, the slowest files, what failed or had to be tried again, and the closing line. True when nothing failed. */
export function printSummary(outcomes: readonly Outcome[]): boolean {
  console.log('\n── what ran');
  for (const { name, passed, failed, skipped, seconds, notes } of outcomes) {
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    console.log(`${name.padEnd(14)} ${counts}  (${seconds.toFixed(0)} s)`);
    for (const note of notes) console.log(`    ${note}`);
  }
  const files = outcomes.flatMap((outcome) => outcome.files);
  if (files.length > 0) console.log('\n── the slowest files');
  for (const { file, seconds } of files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, slowestShown))
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`);
  printTests('passed only when tried again', files, 'retried');
  printTests('failed', files, 'failures');
  const sum = (of: 'passed' | 'failed' | 'skipped') =>
    outcomes.reduce((total, outcome) => total + outcome[of], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  return sum('failed') === 0;
}

/** The end of a long run's output is what people see first: it tells what went wrong by itself. */
function printTests(
  title: string,
  files: readonly FileOutcome[],
  which: 'retried' | 'failures',
): void {
  const lines = files.flatMap((file) => file[which].map((name) => `${file.file}: ${name}`));
  if (lines.length === 0) return;
  console.log(`\n── ${title}: ${lines.length}`);
  for (const line of lines) console.log(`    ${line}`);
}
