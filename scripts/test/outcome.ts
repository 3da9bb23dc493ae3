// What one step of the test run came to, and how all of it is told at the end.

export interface FileOutcome {
  /** Relative to the checkout. */
  readonly file: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
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

/** Prints every step, the slowest files, what had to be tried again, and the closing line. True when nothing failed. */
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
  const retried = files.flatMap(({ file, retried: names }) =>
    names.map((name) => `${file}: ${name}`),
  );
  if (retried.length > 0) {
    console.log(`\n── passed only when tried again: ${retried.length}`);
    for (const line of retried) console.log(`    ${line}`);
  }
  const sum = (of: 'passed' | 'failed' | 'skipped') =>
    outcomes.reduce((total, outcome) => total + outcome[of], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  return sum('failed') === 0;
}
