// A reporter for vitest that tells the process that started it how far each file is.
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSpecification } from 'vitest/node';
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
  const failed = inState('failed').length;
  // A file that fails before its first test, or in a hook, has no failed test of its own.
  const isFailed = module.state() === 'failed';
  return {
    file: nameOf(module.moduleId),
    seconds: (performance.now() - (begunAt.get(module.moduleId) ?? performance.now())) / 1000,
    passed: inState('passed').length,
    failed: isFailed ? Math.max(1, failed) : failed,
    skipped: inState('skipped').map((test) => test.fullName),
    retried: inState('passed').flatMap((test) => {
      const retries = test.diagnostic()?.retryCount ?? 0;
      return retries === 0 ? [] : [`${test.fullName} (${String(retries)} ×)${whyAgain(test)}`];
    }),
  };
}

/** What the tries before the last one said, a line each. */
function whyAgain(test: TestCase): string {
  const errors = test.result().errors ?? [];
  return errors
    .map(({ message, stacks }) => {
      const where = stacks?.[0];
      const place = where === undefined ? '' : ` (${nameOf(where.file)}:${String(where.line)})`;
      return `\n        ${message.split('\n', 3).join(' ').slice(0, 300)}${place}`;
    })
    .join('');
}

/** Made by vitest, which wants a class. */
export default class ProgressReporter implements Reporter {
  onTestRunStart(specifications: readonly TestSpecification[]): void {
    tell({ kind: 'planned', files: specifications.map(({ moduleId }) => nameOf(moduleId)) });
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
