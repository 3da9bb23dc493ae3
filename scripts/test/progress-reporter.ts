// A reporter for vitest that tells the process that started it how far each file is.
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule, TestSpecification } from 'vitest/node';
import type { FileOutcome } from './outcome.ts';
import type { Progress } from './progress.ts';

const begunAt = new Map<string, number>();

function tell(progress: Progress): void {
  process.send?.(progress);
}

function nameOf(moduleId: string): string {
  return relative(process.cwd(), moduleId);
}

function outcomeOf(module: TestModule): FileOutcome {
  const tests = [...module.children.allTests()];
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  const failures = inState('failed').map(
    (test) => `${test.fullName}${whatItSaid(test.result().errors ?? [])}`,
  );
  // A file that fails before its first test, or in a hook, has no failed test of its own.
  if (module.state() === 'failed' && failures.length === 0)
    failures.push(`outside of its tests${whatItSaid(module.errors())}`);
  return {
    file: nameOf(module.moduleId),
    seconds: (performance.now() - (begunAt.get(module.moduleId) ?? performance.now())) / 1000,
    passed: inState('passed').length,
    failed: failures.length,
    failures,
    skipped: inState('skipped').map((test) => test.fullName),
    retried: inState('passed').flatMap((test) => {
      const retries = test.diagnostic()?.retryCount ?? 0;
      return retries === 0
        ? []
        : [`${test.fullName} (${String(retries)} ×)${whatItSaid(test.result().errors ?? [])}`];
    }),
  };
}

/** As much of an error as tells what went wrong: a property's counterexample and seed stand on its first lines. */
const linesShown = 6;
const charactersShown = 1_000;

/** What was there and should not have been, or the other way round: a list's length alone says little. */
function differences(diff: string): readonly string[] {
  return stripVTControlCharacters(diff)
    .split('\n')
    .filter((line) => /^[-+] {2,}\S/.test(line))
    .slice(0, linesShown)
    .map((line) => line.slice(0, charactersShown));
}

/** What went wrong, in tries before the last one too. */
function whatItSaid(errors: readonly (SerializedError & { readonly diff?: string })[]): string {
  return errors
    .map(({ message, stacks, diff = '' }) => {
      const where = stacks?.[0];
      const place = where === undefined ? '' : ` (${nameOf(where.file)}:${String(where.line)})`;
      const words = message.split('\n', linesShown).join(' ').slice(0, charactersShown);
      return [`${words}${place}`, ...differences(diff)].map((line) => `\n        ${line}`).join('');
    })
    .join('');
}

/** Made by vitest, which wants a class. */
export default class ProgressReporter implements Reporter {
  onTestRunStart(specifications: readonly TestSpecification[]): void {
    const files = specifications.map(({ moduleId, project }) => ({
      file: nameOf(moduleId),
      project: project.name,
    }));
    tell({ kind: 'planned', files });
  }

  onTestModuleQueued({ moduleId }: TestModule): void {
    begunAt.set(moduleId, performance.now());
    tell({ kind: 'begun', file: nameOf(moduleId) });
  }

  onTestModuleEnd(module: TestModule): void {
    tell({ kind: 'ended', outcome: outcomeOf(module) });
  }

  onTestRunEnd(_modules: unknown, strayErrors: readonly unknown[]): void {
    tell({ kind: 'done', strayErrors: strayErrors.length });
  }
}
