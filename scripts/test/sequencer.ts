// In which order files run: those that take longest in a pool must not be the last, or the other workers stand idle.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Of the suites that share a pool. What is not named comes last: many small files fill what is left. */
const order = [/\/test\/e2e\//, /\/test\/ui\/browser/, /\/test\/integration\//];

function rankOf({ moduleId }: TestSpecification): number {
  const rank = order.findIndex((pattern) => pattern.test(moduleId));
  return rank === -1 ? order.length : rank;
}

/** Vitest's own order, suite by suite, except that what takes minutes comes before what takes seconds. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}
