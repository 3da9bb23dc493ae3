// The task side under faults, in virtual time: a few seeds each time. `npm run simulate` runs many,
// and says of a failing one how to see it again.
import { expect, test, vi } from 'vitest';
import { simulate, type SimulationResult } from '../../simulation/simulation.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const runs = 24;

test(`whatever happens, ${String(runs)} runs keep what must always be true`, async () => {
  const results: SimulationResult[] = [];
  for (let seed = 1; seed <= runs; seed += 1) results.push(await simulate({ seed }));
  const sum = (of: (result: SimulationResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  expect(sum(({ tasks }) => tasks)).toBeGreaterThan(runs);
  expect(sum(({ attempts }) => attempts)).toBeGreaterThan(runs);
  // Every kind of fault had its turn.
  const kinds = Object.keys(results[0]!.faults) as (keyof SimulationResult['faults'])[];
  for (const kind of kinds)
    expect(
      sum(({ faults }) => faults[kind]),
      kind,
    ).toBeGreaterThan(0);
});

test('a run can be repeated exactly', async () => {
  const first = await simulate({ seed: 4711, steps: 60 });
  expect(await simulate({ seed: 4711, steps: 60 })).toEqual(first);
});

test('the core may end at any moment of a run', async () => {
  const quiet = await simulate({ seed: 7, steps: 12, crashOnlyAt: 0 });
  expect(quiet.moments).toBeGreaterThan(20);
  for (let moment = 1; moment <= quiet.moments; moment += 7) {
    const { faults } = await simulate({ seed: 7, steps: 12, crashOnlyAt: moment });
    expect(faults['core killed']).toBe(1);
  }
});
