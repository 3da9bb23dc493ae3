// The order of test files on a checkout that has never run them: what takes longest begins first, so
// that none of it runs alone at the end. By itself vitest goes by the size of the files.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** As a run on a clean checkout lists them («the slowest files»), without those that are about average. */
const slowest = [
  'test/ui/pages-accessible.test.ts',
  'test/ui/pages-in-browser.test.ts',
  'test/integration/core/crashes.test.ts',
  'test/integration/nodes/faults.test.ts',
  'test/integration/runtimes/docker.test.ts',
  'test/integration/cli/real-core.test.ts',
  'test/integration/environments/environments.test.ts',
  'test/integration/testbed/testbed.test.ts',
  'test/integration/vps/life.test.ts',
  'test/integration/core/three-nodes.test.ts',
  'test/e2e/journeys.test.ts',
  'test/e2e/fleet.test.ts',
  'test/e2e/files.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const rank = ({ moduleId }: TestSpecification) => {
      const place = slowest.indexOf(relative(process.cwd(), moduleId));
      return place === -1 ? slowest.length : place;
    };
    // Stable: within a project the others stay as they were.
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).toSorted((a, b) => rank(a) - rank(b)),
    );
  }
}
