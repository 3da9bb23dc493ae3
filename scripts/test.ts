// `npm test`: every check and every suite, one after the other, with one closing line that counts
// them all. A suite that cannot run here is reported as skipped with its reason; with CI=true that
// is a failure, except for real Electron, whose binary is not to be had everywhere.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from './debian-packages.ts';

interface Outcome {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  notes: string[];
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

const isCi = process.env['CI'] === 'true';
const reports = '.cache/test-reports';
const outcomes: Outcome[] = [];
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

function timed(command: string, args: readonly string[]): { ok: boolean; seconds: number } {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return { ok: status === 0, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

function step(name: string, command: string, args: readonly string[]): void {
  console.log(`\n── ${name}`);
  const { ok, seconds } = timed(command, args);
  outcomes.push({
    name,
    passed: ok ? 1 : 0,
    failed: ok ? 0 : 1,
    skipped: 0,
    seconds,
    notes: ok ? [] : ['failed'],
  });
}

function skip(name: string, reason: string, allowedInCi = false): void {
  console.log(`\n── ${name}: skipped: ${reason}`);
  const fails = isCi && !allowedInCi;
  outcomes.push({
    name,
    passed: 0,
    failed: fails ? 1 : 0,
    skipped: fails ? 0 : 1,
    seconds: 0,
    notes: [reason],
  });
}

/** Runs one vitest project. A run whose report is missing, or that ran nothing, counts as a failure. */
function suite(name: string): void {
  console.log(`\n── ${name}`);
  const file = join(reports, `${name}.json`);
  const { ok, seconds } = timed('vitest', [
    'run',
    '--project',
    name,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  if (!existsSync(file)) {
    outcomes.push({
      name,
      passed: 0,
      failed: 1,
      skipped: 0,
      seconds,
      notes: ['the runner left no report'],
    });
    return;
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  const skippedTests = report.numPendingTests + report.numTodoTests;
  const skippedNames = report.testResults.flatMap((r) =>
    r.assertionResults
      .filter((a) => a.status === 'skipped' || a.status === 'pending')
      .map((a) => a.fullName),
  );
  // A file that fails before its first test shows up only in the overall verdict.
  const failed =
    report.numFailedTests +
    (!ok && report.numFailedTests === 0 ? 1 : 0) +
    (isCi ? skippedTests : 0);
  outcomes.push({
    name,
    passed: report.numPassedTests,
    failed,
    skipped: isCi ? 0 : skippedTests,
    seconds,
    notes: skippedNames.map((n) => `skipped: ${n}`),
  });
}

const { advice } = ensurePackages();

step('format', 'npm', ['run', '--silent', 'check:format']);
step('types', 'npm', ['run', '--silent', 'check:types']);
step('svelte types', 'npm', ['run', '--silent', 'check:svelte']);
step('lint', 'npm', ['run', '--silent', 'check:lint']);
step('layers', 'npm', ['run', '--silent', 'check:layers']);
suite('unit');
suite('ui');
step('build', 'npm', ['run', '--silent', 'build']);
if (advice === null) {
  suite('integration');
  suite('e2e');
} else {
  skip('integration', `needs Debian packages. ${advice}`);
  skip('e2e', `needs Debian packages. ${advice}`);
}

const total = { passed: 0, failed: 0, skipped: 0 };
console.log('\n── what ran');
for (const { name, passed, failed, skipped, seconds, notes } of outcomes) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  console.log(
    `${name.padEnd(14)} ${passed} passed, ${failed} failed, ${skipped} skipped  (${seconds.toFixed(0)} s)`,
  );
  for (const note of notes) console.log(`    ${note}`);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
