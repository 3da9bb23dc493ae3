// `npm test`: every check and every suite, with one closing line that counts them all. A suite that
// cannot run here is reported as skipped with its reason; with CI=true that is a failure, except for
// real Electron, whose binary is not to be had everywhere.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ensurePackages } from './debian-packages.ts';
import { printSummary, skippedStep, type Outcome } from './test/outcome.ts';
import { runSteps } from './test/steps.ts';
import { runSuite } from './test/suite.ts';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};
const outcomes: Outcome[] = [];

/** Testbeds whose owner is gone: a run that was killed leaves them behind. */
function sweepTestbeds(): void {
  if (process.getuid?.() === 0)
    spawnSync('bash', ['test/testbed/testbed.sh', 'sweep'], { stdio: 'inherit' });
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
outcomes.push(await runSuite('unit'), await runSuite('ui'));
outcomes.push(...(await runSteps([['build', 'build']])));
for (const name of ['integration', 'e2e']) {
  if (advice === null) outcomes.push(await runSuite(name));
  else outcomes.push(skippedStep(name, `needs Debian packages. ${advice}`));
}
if (scripts['test:electron'] !== undefined)
  outcomes.push(await runSuite('electron', { maySkip: true }));
sweepTestbeds();
process.exit(printSummary(outcomes) ? 0 : 1);
