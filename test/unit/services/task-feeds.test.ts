import { describe, expect, test, vi } from 'vitest';
import { taskWindowQuery, type TaskWindow } from '../../../src-main/contract/task.ts';
import { Pulse } from '../../../src-main/services/tasks/pulse.ts';
import { windowChange } from '../../../src-main/services/tasks/task-feeds.ts';
import { FakeTime, settle } from '../../support/fake-time.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

describe('Pulse', () => {
  async function happens(promise: Promise<boolean>): Promise<boolean | 'waits'> {
    const waits = settle().then(() => 'waits' as const);
    return Promise.race([promise, waits]);
  }

  test('makes one wake-up of many announcements, and none too soon', async () => {
    const time = new FakeTime();
    using pulse = new Pulse(time, 100);
    const { signal } = new AbortController();
    pulse.announce();
    pulse.announce();
    expect(await happens(pulse.next(signal))).toBe(true);
    pulse.announce();
    const next = pulse.next(signal);
    expect(await happens(next)).toBe('waits');
    time.advance(100);
    expect(await happens(next)).toBe(true);
    const quiet = pulse.next(signal);
    time.advance(1000);
    expect(await happens(quiet)).toBe('waits');
  });

  test('ends with its signal, and when it is disposed', async () => {
    const pulse = new Pulse(new FakeTime(), 100);
    const abort = new AbortController();
    const aborted = pulse.next(abort.signal);
    abort.abort();
    expect(await aborted).toBe(false);
    const waiting = pulse.next(new AbortController().signal);
    pulse[Symbol.dispose]();
    expect(await waiting).toBe(false);
    expect(await pulse.next(new AbortController().signal)).toBe(false);
  });
});

describe('a window', () => {
  async function aWindow(): Promise<TaskWindow> {
    await using world = await World.begin();
    const { core } = world;
    for (let count = 0; count < 3; count += 1) await core.submit(['seconds=100'], { hold: true });
    return await core.feeds.window(taskWindowQuery.parse({}));
  }

  test('that did not change has no change', async () => {
    const window = await aWindow();
    expect(windowChange(window, structuredClone(window))).toBeUndefined();
  });

  test('says which rows are other, new or gone, and their order', async () => {
    const before = await aWindow();
    const [first, second, third] = before.rows;
    if (first === undefined || second === undefined || third === undefined) throw new Error('rows');
    const changed = { ...first, priority: 7 };
    const after = { ...before, total: 2, rows: [third, changed] };
    expect(windowChange(before, after)).toEqual({
      total: 2,
      counts: before.counts,
      order: [third.id, first.id],
      rows: [changed],
    });
    expect(windowChange(before, { ...before, counts: { PENDING: 9 } })).toMatchObject({ rows: [] });
    expect(windowChange(before, { ...before, rows: [second, first, third] })).toMatchObject({
      order: [second.id, first.id, third.id],
      rows: [],
    });
  });

  test('is watched: a snapshot, then what changed', async () => {
    await using world = await World.begin();
    const { core } = world;
    const watching = core.feeds.watchWindow(
      taskWindowQuery.parse({}),
      new AbortController().signal,
    );
    expect((await watching.next()).value).toMatchObject({ kind: 'snapshot', value: { total: 0 } });
    const id = await core.submit(['seconds=100'], { hold: true });
    expect((await watching.next()).value).toMatchObject({
      kind: 'change',
      seq: 1,
      value: { total: 1, order: [id] },
    });
  });
});

describe('one task', () => {
  test('is watched from its whole history on, without a gap, until it is removed', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=3', 'exit=1'], { hold: true });
    const watching = core.feeds.watchTask(id, new AbortController().signal);
    const kinds: string[] = [];
    const take = async () => {
      const next = watching.next();
      await world.pass(100);
      const result = await next;
      if (result.done === true) kinds.push('end');
      else kinds.push(...result.value.value.events.map(({ kind }) => kind));
      return result.value;
    };
    expect(await take()).toMatchObject({ kind: 'snapshot' });
    // While the snapshot is on its way.
    await core.tasks.release([id], { who: 'anna' });
    await world.settle();
    expect(await take()).toMatchObject({ kind: 'change', seq: 1 });
    await world.pass(3000);
    expect(await take()).toMatchObject({ seq: 2, value: { task: { status: 'FAILED' } } });
    expect(kinds).toEqual(['submitted', 'released', 'placed', 'started', 'ended']);
    await core.tasks.remove([id]);
    await take();
    expect(kinds.at(-1)).toBe('end');
  });

  test('starts over with a snapshot for a viewer that is far behind', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=3'], { hold: true });
    const watching = core.feeds.watchTask(id, new AbortController().signal);
    await watching.next();
    for (let count = 0; count < 1001; count += 1)
      core.book.apply(id, { kind: 'reprioritized', by: 'anna', priority: count % 7 });
    expect((await watching.next()).value).toMatchObject({ kind: 'snapshot' });
    core.book.apply(id, { kind: 'reprioritized', by: 'anna', priority: 3 });
    const next = watching.next();
    await world.pass(100);
    expect((await next).value).toMatchObject({ kind: 'change', seq: 1, value: { events: [{}] } });
  });
});
