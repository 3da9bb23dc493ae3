// `npm test`: every check and every suite, with one closing line that counts them all. A suite that
// cannot run here is reported as skipped with its reason; with CI=true that is a failure, except for
// real Electron, whose binary is not to be had everywhere.
import { spawnSync } from 'node:child_process';
import { ensurePackages } from './debian-packages.ts';
import { printSummary, skippedStep, type Outcome } from './test/outcome.ts';
import { runSteps } from './test/steps.ts';
import { runSuite, runSuites } from './test/suite.ts';

const outcomes: Outcome[] = [];

function testbed(...argv: readonly string[]): void {
  if (process.getuid?.() === 0)
    spawnSync('bash', ['test/testbed/testbed.sh', ...argv], { stdio: 'inherit' });
}

/** Testbeds whose owner is gone: a run that was killed leaves them behind. */
function sweepTestbeds(): void {
  testbed('sweep');
}

const { advice } = ensurePackages();
sweepTestbeds();
outcomes.push(
  ...(await runSteps([
    ['lint', 'check:lint'],
    ['types', 'check:types'],
    ['svelte types', 'check:svelte'],
    ['format', 'check:format'],
    ['layers', 'check:layers'],
    ['docs', 'check:docs'],
  ])),
);
// Before the first suite: it makes ssh2's compiled part, too.
outcomes.push(...(await runSteps([['build', 'build']])));
outcomes.push(...(await runSuite('unit')));
const onMachines = ['e2e', 'integration'];
// Browsers give up what they fetch when the host's interfaces change: no testbed is the first or the last.
if (advice === null) testbed('hold', String(process.pid));
outcomes.push(...(await runSuites(advice === null ? [...onMachines, 'ui'] : ['ui'])));
if (advice !== null)
  for (const name of onMachines)
    outcomes.push(skippedStep(name, `needs Debian packages. ${advice}`));
outcomes.push(...(await runSuite('electron', { maySkip: true })));
testbed('hold', 'none');
sweepTestbeds();
process.exit(printSummary(outcomes) ? 0 : 1);
