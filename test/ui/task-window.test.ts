import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { sketchTask } from '../../src-renderer/lib/fake/fake-tasks.ts';
import { TaskWindowState } from '../../src-renderer/state/task-window.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(100);

test('asks only for what is visible and a margin, and keeps the rows of both windows while it moves', async () => {
  const client = createFakeClient({ variant: 'many' });
  const asked: { offset: number; limit: number }[] = [];
  const { watchWindow } = client.api.tasks;
  client.api.tasks.watchWindow = (input, options) => {
    asked.push({ offset: input?.offset ?? 0, limit: input?.limit ?? 0 });
    return watchWindow(input, options as never);
  };
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  expect(list.total).toBe(100_011);
  expect(list.rows.size).toBe(80);

  list.look(50_000, 50_030);
  list.look(70_000, 70_030);
  await settle();
  expect(asked).toEqual([
    { offset: 0, limit: 80 },
    { offset: 69_960, limit: 120 },
  ]);
  expect(list.rows.get(70_010)?.id).toBeDefined();

  // Small moves within the window ask nothing.
  list.look(70_005, 70_040);
  await settle();
  expect(asked).toHaveLength(2);
  list.stop();
});

test('a scroll that goes on and on sees rows all the same', async () => {
  const client = createFakeClient({ variant: 'many' });
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  let first = 1000;
  for (let turn = 0; turn < 30; turn += 1) {
    first += 2;
    list.look(first, first + 30);
    await vi.advanceTimersByTimeAsync(16);
  }
  expect(list.rows.get(first)).toBeDefined();
  list.stop();
});

test('takes over changes: new rows come in their place, and the counts with them', async () => {
  const client = createFakeClient();
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  const before = list.total ?? 0;
  const first = list.rows.get(0);
  const fresh = sketchTask(Date.now(), 9, { name: 'fresh' });
  client.core.putTask(fresh);
  await settle();
  expect(list.total).toBe(before + 1);
  expect(list.rows.get(0)?.name).toBe('fresh');
  expect(list.rows.get(1)).toBe(first);
  client.core.putTask({ ...fresh, status: 'COMPLETED' });
  await settle();
  expect(list.rows.get(0)?.status).toBe('COMPLETED');
  list.stop();
});

test('a new filter replaces the rows only when its answer is there', async () => {
  const client = createFakeClient();
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  list.show({ filter: { statuses: ['PENDING'] }, sort: 'queue' });
  expect(list.rows.size).toBeGreaterThan(10);
  await settle();
  expect([...list.rows.values()].every(({ status }) => status === 'PENDING')).toBe(true);
  expect(list.counts.RUNNING).toBeGreaterThan(0);
  list.stop();
});

test('collects the IDs of all that match, up to a limit', async () => {
  const list = new TaskWindowState(createFakeClient());
  list.show({ filter: { statuses: ['COMPLETED'] }, sort: 'newest' });
  await settle();
  expect(await list.allIds(10_000)).toHaveLength(list.total ?? -1);
  expect(await list.allIds(7)).toHaveLength(7);
  list.stop();
});

test('scrolling on, the next rows are asked for before they are seen; turning back as well', async () => {
  const client = createFakeClient({ variant: 'many' });
  const asked: number[] = [];
  const { watchWindow } = client.api.tasks;
  client.api.tasks.watchWindow = (input, options) => {
    asked.push(input?.offset ?? 0);
    return watchWindow(input, options as never);
  };
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  const missing: number[] = [];
  for (let first = 0; first < 400; first += 2) {
    list.look(first, first + 36);
    if (list.rows.get(first + 36) === undefined) missing.push(first);
    await vi.advanceTimersByTimeAsync(16);
  }
  expect(missing).toEqual([]);
  expect(asked.length).toBeLessThan(12);
  const before = asked.length;
  for (let first = 396; first > 340; first -= 2) list.look(first, first + 36);
  expect(asked).toHaveLength(before + 1);
  expect(asked.at(-1)).toBeLessThan(340);
  list.stop();
});

test('of several windows asked for one after the other, only the last one stays open', async () => {
  const client = createFakeClient({ variant: 'many' });
  const open = new Set<number>();
  let isSlow = false;
  const { watchWindow } = client.api.tasks;
  client.api.tasks.watchWindow = async (input, options) => {
    const offset = input?.offset ?? 0;
    const signal = options?.signal;
    open.add(offset);
    signal?.addEventListener('abort', () => open.delete(offset));
    if (isSlow) await new Promise((resolve) => setTimeout(resolve, 1000));
    signal?.throwIfAborted();
    return watchWindow(input, options as never);
  };
  const list = new TaskWindowState(client);
  list.show({ filter: {}, sort: 'newest' });
  await settle();
  isSlow = true;
  for (const first of [10_000, 20_000, 30_000]) {
    list.look(first, first + 30);
    await settle();
  }
  // What is shown goes on until the last one answers.
  expect([...open]).toEqual([0, 29_960]);
  await vi.advanceTimersByTimeAsync(1000);
  await settle();
  expect([...open]).toEqual([29_960]);
  expect(list.rows.get(30_010)).toBeDefined();
  list.stop();
  expect(open.size).toBe(0);
});
