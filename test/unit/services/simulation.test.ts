// The task side under faults, in virtual time. More seeds: SIMULATE_RUNS=1000; one again:
// SIMULATE_SEED=42 (prints its steps with SIMULATE_TRACE=1).
import { expect, test, vi } from 'vitest';
import { simulate, type SimulationResult } from '../../support/simulation.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const seed = process.env['SIMULATE_SEED'];
const first = Number(seed ?? 1);
const runs = Number(process.env['SIMULATE_RUNS'] ?? (seed === undefined ? 12 : 1));
const onStep = (line: string) => process.stderr.write(`${line}\n`);
const options = process.env['SIMULATE_TRACE'] === undefined ? {} : { onStep };

test(`whatever happens, ${String(runs)} runs keep what must always be true`, async () => {
  const results: SimulationResult[] = [];
  const failures: Error[] = [];
  for (let seed = first; seed < first + runs; seed += 1) {
    if (runs > 100) process.stderr.write(`${String(seed)} `);
    try {
      results.push(await simulate({ seed, ...options }));
    } catch (error) {
      failures.push(error as Error);
    }
  }
  const sum = (of: keyof SimulationResult) => results.reduce((total, run) => total + run[of], 0);
  if (runs > 100 || failures.length > 0)
    process.stderr.write(
      `${String(results.length)} runs passed, ${String(failures.length)} failed: ${String(sum('tasks'))} tasks, ${String(sum('crashes'))} crashes, ${String(sum('faults'))} faults, ${String(sum('virtualSeconds'))} virtual seconds\n` +
        failures.map(({ message }) => `  ${message.split('\n')[0] ?? ''}\n`).join(''),
    );
  if (failures[0] !== undefined) throw failures[0];
  expect(sum('tasks')).toBeGreaterThan(runs);
  expect(sum('crashes')).toBeGreaterThan(0);
}, 3_600_000);

test('a run can be repeated exactly', async () => {
  const first = await simulate({ seed: 4711, steps: 60 });
  expect(await simulate({ seed: 4711, steps: 60 })).toEqual(first);
});
