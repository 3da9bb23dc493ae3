import { expect, onTestFinished, test } from 'vitest';
import { nodeId } from '../../../src-main/contract/ids.ts';
import type { NoticeChange } from '../../../src-main/contract/notices.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import { grown, nodeNotice, waitedTooLong } from '../../../src-main/domain/notices.ts';
import type { Task, TaskState } from '../../../src-main/domain/task.ts';
import { KeptService } from '../../../src-main/services/kept-service.ts';
import type { Logger } from '../../../src-main/services/logger.ts';
import { NoticeService } from '../../../src-main/services/notices/notice-service.ts';
import type { TaskChange } from '../../../src-main/services/tasks/task-book.ts';
import { maxKeptOfKind, type KeptThing } from '../../../src-main/contract/kept.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { aTask, idOf, t0 } from '../domain/builders.ts';
import { aStore, type TestStore } from '../store/support.ts';

const minute = 60_000;
const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};
const pending = {
  status: 'PENDING' as const,
  since: 0,
  held: false,
  reason: null,
  notBefore: null,
  blockedBy: [],
};
const alpha = { id: nodeId.parse('11'), name: 'alpha', state: 'offline' as const };

/** The service on a real store, with tasks and nodes that are played. */
function aService({ store }: TestStore, time: FakeTime, settings: Record<string, unknown> = {}) {
  const tasks = new Emitter<TaskChange>();
  const online = new Emitter<typeof alpha.id>();
  const offline = new Emitter<{ id: typeof alpha.id; reason: string; counted: boolean }>();
  const removed = new Emitter<typeof alpha.id>();
  const node = { ...alpha, reason: null, facts: null } as Record<string, unknown>;
  const active: Task[] = [];
  const values = {
    'notices.tasks': 'all',
    'notices.minRunSeconds': 10,
    'notices.longWaitMinutes': 60,
    'notices.nodes': true,
    ...settings,
  };
  const service = new NoticeService({
    records: store.notices,
    commit: store,
    book: { onDidChange: tasks.event, all: () => active.values() as IterableIterator<Task> },
    fleet: {
      node: () => node as never,
      onDidComeOnline: online.event,
      onDidGoOffline: offline.event,
    },
    onDidRemoveNode: removed.event,
    settings: { get: (key) => values[key as keyof typeof values] as never },
    clock: time,
    timers: time,
    log,
  });
  onTestFinished(() => service[Symbol.dispose]());
  const said: NoticeChange[] = [];
  service.onDidChange((change) => said.push(change));
  return { service, tasks, online, offline, node, active, said };
}

function ended(
  status: 'COMPLETED' | 'FAILED' | 'KILLED',
  ranMs: number,
  name = 'train',
  id = 1,
): TaskChange {
  const before = { ...aTask({ name }), id: idOf(id) };
  const state: TaskState = {
    status,
    since: t0 + ranMs,
    reason: null,
    place: null,
    assignedAt: t0,
    startedAt: t0,
    end: { exitCode: status === 'FAILED' ? 3 : 0, signal: null, oomKilled: false },
  };
  return { before, after: { ...before, state }, kind: 'ended', event: undefined };
}

test('a task that is done or fails gives a notice; one that was short or killed by hand does not', async () => {
  const { service, tasks } = aService(await aStore(), new FakeTime());
  tasks.emit(ended('COMPLETED', 3_000, 'short'));
  tasks.emit(ended('KILLED', minute, 'killed'));
  expect(service.list()).toEqual([]);
  tasks.emit(ended('COMPLETED', 3 * minute));
  tasks.emit(ended('FAILED', 100, 'broken', 2));
  expect(service.list().map(({ title, text, taskId }) => [title, text, taskId])).toEqual([
    ['broken failed', 'It ended with exit code 3.', '2'],
    ['train is done', 'It ran for 3m.', '1'],
  ]);
});

test('a burst is one notice that grows, until it is read', async () => {
  const time = new FakeTime();
  const { service, tasks, said } = aService(await aStore(), time);
  for (let n = 1; n <= 500; n += 1) tasks.emit(ended('FAILED', 100, `job-${n}`, n));
  expect(service.list()).toMatchObject([
    {
      kind: 'task-failed',
      count: 500,
      title: '500 tasks failed',
      text: 'job-1 failed, and 499 more.',
      taskId: null,
    },
  ]);
  expect(said).toHaveLength(500);
  expect(await service.markRead('all')).toEqual({ unread: 0 });
  tasks.emit(ended('FAILED', 100, 'later', 501));
  expect(service.list().map(({ count }) => count)).toEqual([1, 500]);
  time.advance(minute);
  tasks.emit(ended('FAILED', 100, 'much later', 502));
  expect(service.list().map(({ count }) => count)).toEqual([1, 1, 500]);
});

test('what is read again after a failed commit is not told again', async () => {
  const { service, tasks } = aService(await aStore(), new FakeTime());
  tasks.emit({ ...ended('FAILED', 100), kind: 'reloaded' });
  expect(service.list()).toEqual([]);
});

test('a node that goes and comes is told once each, over restarts too', async () => {
  const test = await aStore();
  const first = aService(test, new FakeTime());
  const lost = { id: alpha.id, reason: 'Nothing answers.', counted: true };
  first.offline.emit({ ...lost, counted: false });
  first.offline.emit(lost);
  first.offline.emit(lost);
  expect(first.service.list().map(({ title, text }) => [title, text])).toEqual([
    ['alpha is offline', 'Nothing answers.'],
  ]);
  first.service[Symbol.dispose]();
  await test.store.close();

  const again = aService(await aStore({ dataDir: test.dataDir }), new FakeTime());
  again.offline.emit(lost);
  expect(again.service.list()).toHaveLength(1);
  again.online.emit(alpha.id);
  again.online.emit(alpha.id);
  expect(again.service.list().map(({ kind }) => kind)).toEqual(['node-online', 'node-offline']);
});

test('a node that is removed was not lost', async () => {
  const { service, offline, node } = aService(await aStore(), new FakeTime());
  node['state'] = 'online';
  offline.emit({ id: alpha.id, reason: 'The node was removed.', counted: true });
  expect(service.list()).toEqual([]);
});

test('long waits are told once, also when the core was not there as the limit passed', async () => {
  const test = await aStore();
  const time = new FakeTime();
  const waiting = (name: string, since: number): Task => ({
    ...aTask({ name }),
    state: { ...pending, since },
  });
  const first = aService(test, time);
  const task = waiting('patient', time.now());
  first.active.push(task);
  time.advance(minute);
  expect(first.service.list()).toEqual([]);
  first.service[Symbol.dispose]();
  // Hours later: another life of the core.
  time.advance(5 * 60 * minute);
  const again = aService(test, time);
  again.active.push(task, waiting('late', time.now()));
  time.advance(minute);
  time.advance(minute);
  expect(again.service.list().map(({ title }) => title)).toEqual(['patient has waited for 1h']);
});

test('tasks on hold do not wait, and a clock that steps back tells nothing twice', () => {
  const task = aTask({ hold: true });
  const held: Task = { ...task, state: { ...pending, held: true } };
  const free: Task = { ...held, state: { ...held.state, held: false } as TaskState };
  const window = { after: 0, now: 90 * minute, limitMs: 60 * minute };
  expect(waitedTooLong([held, free], window)).toEqual([free]);
  expect(waitedTooLong([free], { ...window, after: 90 * minute })).toEqual([]);
});

test('only the wait for room counts, not the one for another task or for a time', () => {
  const task = aTask();
  const free: Task = { ...task, state: { ...pending, held: false } };
  const blocked: Task = { ...free, state: { ...pending, held: false, blockedBy: [task.id] } };
  const later: Task = { ...free, state: { ...pending, held: false, notBefore: 60 * minute } };
  const window = { after: 0, limitMs: 60 * minute };
  expect(waitedTooLong([free, blocked, later], { ...window, now: 90 * minute })).toEqual([free]);
  expect(waitedTooLong([later], { ...window, now: 120 * minute })).toEqual([later]);
});

test('names and reasons from outside are one line of bounded length', () => {
  const hostile = `<img src=x onerror=alert(1)>\u001b[2J\u202e${'x'.repeat(1_000_000)}`;
  const { title, text } = nodeNotice({ id: alpha.id, name: hostile }, t0, {
    isOnline: false,
    reason: `a\r\nb\u0000c ${hostile}`,
  });
  expect(title.length).toBeLessThan(120);
  expect(text.length).toBeLessThanOrEqual(300);
  // eslint-disable-next-line no-control-regex
  expect(`${title}${text}`).not.toMatch(/[\u0000-\u001f\u007f]/);
});

test('bursts of other kinds, of the past, or already read stand alone', () => {
  const draft = nodeNotice(alpha, t0, { isOnline: true });
  const last = { ...draft, id: 1, readAt: null };
  expect(grown(last, draft)?.count).toBe(2);
  expect(grown({ ...last, readAt: t0 }, draft)).toBeUndefined();
  expect(grown({ ...last, kind: 'node-offline' }, draft)).toBeUndefined();
  expect(grown({ ...last, at: t0 - minute }, draft)).toBeUndefined();
  expect(grown(undefined, draft)).toBeUndefined();
});

test('old notices go, and removing is for good', async () => {
  const time = new FakeTime();
  const { service, tasks } = aService(await aStore(), time);
  for (let n = 1; n <= 520; n += 1) {
    tasks.emit(ended('FAILED', 100, `job-${n}`, n));
    time.advance(16_000);
  }
  expect(service.list()).toHaveLength(500);
  const [newest] = service.list();
  expect(await service.clear([newest!.id])).toEqual({ unread: 499 });
  expect(await service.clear('all')).toEqual({ unread: 0 });
});

test('what people keep has a name of its own in its kind, and survives', async () => {
  const test = await aStore();
  const kept = new KeptService({ records: test.store.kept, commit: test.store });
  const view: KeptThing = {
    kind: 'task-view',
    value: { filter: { text: 'sweep' }, sort: 'newest' },
  };
  const item = await kept.save({ name: 'Mine', thing: view, replace: false });
  await expect(kept.save({ name: 'mine', thing: view, replace: false })).rejects.toMatchObject({
    code: 'conflict/name-taken',
  });
  const other: KeptThing = { ...view, value: { ...view.value, sort: 'name' } };
  expect((await kept.save({ name: 'mine', thing: other, replace: true })).id).toBe(item.id);
  await test.store.close();

  const { store } = await aStore({ dataDir: test.dataDir });
  const again = new KeptService({ records: store.kept, commit: store });
  expect(again.list()).toEqual([{ id: item.id, name: 'mine', thing: other }]);
  for (let n = 1; n < maxKeptOfKind; n += 1)
    await again.save({ name: `view ${n}`, thing: view, replace: false });
  await expect(again.save({ name: 'one more', thing: view, replace: false })).rejects.toMatchObject(
    {
      code: 'input/invalid',
    },
  );
  expect(await again.remove(item.id)).toBe(true);
  expect(await again.remove(item.id)).toBe(false);
});
