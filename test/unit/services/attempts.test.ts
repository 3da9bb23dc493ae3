import { expect, test, vi } from 'vitest';
import { World } from '../../support/task-side.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

test('a task runs to its end and nothing of it is left', async () => {
  await using world = await World.begin();
  const id = await world.core.submit(['print=hello', 'seconds=3', 'ticks=3']);
  await world.settle();
  expect(world.core.task(id).state.status).toBe('RUNNING');
  const task = await world.reaches(id, 'COMPLETED');
  expect(task.state).toMatchObject({ end: { exitCode: 0 } });
  expect(await world.core.logOf(id)).toContain('hello');
  expect(world.worksOf(id)).toEqual([]);
  expect(world.core.store.effects.all()).toEqual([]);
  expect(world.core.said).toEqual([]);
});
