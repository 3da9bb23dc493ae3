import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { BatchId } from '../../../src-main/contract/ids.ts';
import { taskWindowQuery, type TaskWindowQuery } from '../../../src-main/contract/task.ts';
import type { Task, Transition } from '../../../src-main/domain/task.ts';
import { Connection } from '../../../src-main/store/connection.ts';
import { TaskWindows } from '../../../src-main/store/task-window.ts';
import {
  clock,
  aPlace,
  aStore,
  aTask,
  asNew,
  everyState,
  nodeOne,
  nodeTwo,
  start,
  taskIdOf,
} from './support.ts';

const placed: Transition = {
  task: aTask(1, {
    attempt: 1,
    state: {
      status: 'ASSIGNING',
      since: start + 1,
      place: aPlace,
      assignedAt: start + 1,
      kill: null,
    },
  }),
  effects: [{ kind: 'start-attempt', nodeId: nodeOne, attempt: 1 }],
  record: { kind: 'placed', why: 'n1 has room', who: 'scheduler' },
};

describe('a stored task', () => {
  test.each(everyState.map((state) => [state.status, state] as const))(
    'comes back as it was: %s',
    async (_status, state) => {
      const { store } = await aStore();
      const task = aTask(1, { state, attempt: 2, imageDigest: 'sha256:1', warnings: ['no limit'] });
      store.tasks.insertMany([asNew(task)]);
      expect(store.tasks.get(task.id)).toEqual({ task, stdoutBytes: 0, stderrBytes: 0 });
    },
  );

  test('is among the active ones unless it is final', async () => {
    const { store } = await aStore();
    const tasks = everyState.map((state, index) => aTask(index, { state }));
    store.tasks.insertMany(tasks.map(asNew));
    const statuses = store.tasks.active().tasks.map(({ task }) => task.state.status);
    expect(statuses).toEqual([
      'PENDING_APPROVAL',
      'PENDING',
      'PENDING',
      'ASSIGNING',
      'RUNNING',
      'PAUSED',
      'LOST',
      'LOST',
      'STOPPED',
    ]);
  });

  test('keeps how much it printed', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1))]);
    store.tasks.setLogBytes(taskIdOf(1), { stdout: 2 ** 40, stderr: 7 });
    expect(store.tasks.get(taskIdOf(1))).toMatchObject({ stdoutBytes: 2 ** 40, stderrBytes: 7 });
  });
});

describe('a transition', () => {
  test('is stored with its event and its effects', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1))]);
    const saved = store.tasks.save(placed, aTask(1), start + 1);
    expect(store.tasks.get(taskIdOf(1))?.task).toEqual(placed.task);
    expect(store.tasks.events(taskIdOf(1))).toEqual([
      {
        seq: 1,
        at: start,
        from: null,
        to: 'PENDING',
        kind: 'submitted',
        why: null,
        attempt: 0,
        who: 'anna',
      },
      saved.event,
    ]);
    expect(saved.event).toEqual({
      seq: 2,
      at: start + 1,
      from: 'PENDING',
      to: 'ASSIGNING',
      kind: 'placed',
      why: 'n1 has room',
      attempt: 1,
      who: 'scheduler',
    });
    expect(store.effects.all()).toEqual(saved.effects);
    expect(store.effects.forNode(nodeTwo)).toEqual([]);
    store.write(() => store.effects.done(saved.effects[0]!.id));
    expect(store.effects.forNode(nodeOne)).toEqual([]);
  });

  test('from a state that is no longer stored changes nothing', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1))]);
    store.tasks.save(placed, aTask(1), start + 1);
    expect(() => store.tasks.save(placed, aTask(1), start + 2)).toThrow(
      expect.objectContaining({ code: 'conflict/state' }),
    );
    expect(store.tasks.events(taskIdOf(1))).toHaveLength(2);
    expect(store.effects.all()).toHaveLength(1);
  });

  test('may be followed by events that are none', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1))]);
    const phase = {
      at: start,
      from: null,
      to: 'PENDING',
      kind: 'phase',
      why: 'pulling',
      attempt: 1,
      who: 'node',
    } as const;
    expect(store.tasks.appendEvent(taskIdOf(1), phase)).toEqual({ ...phase, seq: 2 });
  });
});

describe('a name people give to a task', () => {
  const named = async () => {
    const { store } = await aStore();
    store.tasks.insertMany([
      asNew(aTask(1, { spec: { name: 'train' } })),
      asNew(aTask(2, { spec: { name: 'twice' } })),
      asNew(aTask(3, { spec: { name: 'twice' } })),
      asNew(aTask(1_000_001, { spec: { name: '000009' } })),
    ]);
    return store.tasks;
  };

  test('is a whole ID, its name, or an ending', async () => {
    const tasks = await named();
    expect(tasks.resolveRef(taskIdOf(1))).toBe(taskIdOf(1));
    expect(tasks.resolveRef('train')).toBe(taskIdOf(1));
    expect(tasks.resolveRef(taskIdOf(3).slice(-6))).toBe(taskIdOf(3));
    expect(tasks.resolveRef(taskIdOf(1_000_001).slice(-12))).toBe(taskIdOf(1_000_001));
    expect(tasks.resolveRef('000009')).toBe(taskIdOf(1_000_001));
  });

  test.each([
    ['nothing', 'not-found/task'],
    ['12345', 'not-found/task'],
    ['999999', 'not-found/task'],
    ['9999999999999999999', 'not-found/task'],
    ['twice', 'ambiguous/id'],
    [taskIdOf(1).slice(-6), 'ambiguous/id'],
  ])('is refused when it is not clear: %s', async (text, code) => {
    const tasks = await named();
    expect(() => tasks.resolveRef(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a window into the list', () => {
  const filled = async () => {
    const opened = await aStore();
    const tasks: Task[] = [
      aTask(1, { priority: 5, spec: { name: 'Beta', labels: { team: 'vision', x: '1' } } }),
      aTask(2, { owner: 'bob', spec: { name: 'alpha', labels: { team: 'text' } } }),
      aTask(3, { batchId: '7050000000000000002' as BatchId, state: everyState[4]! }),
      aTask(4, {
        state: everyState[9]!,
        spec: { name: '[x]', work: { kind: 'script', text: 'echo ÄPFEL 100%' } },
      }),
      aTask(5, { priority: 9, state: everyState[8]! }),
    ];
    opened.store.tasks.insertMany(tasks.map(asNew));
    return opened;
  };
  // On this thread: that the worker answers the same is shown below and in open.test.ts.
  const ask = async (query: Partial<TaskWindowQuery>) => {
    const { store } = await filled();
    await store.flushed();
    const log = { warn: () => undefined };
    const connection = new Connection({ file: store.paths.database, readOnly: true, clock, log });
    const window = new TaskWindows(connection).window(taskWindowQuery.parse(query));
    connection.close();
    return { ...window, rows: window.rows.map(({ task }) => Number(task.id.slice(-6)) - 1) };
  };

  test('is answered by the worker', async () => {
    const { store } = await filled();
    const window = await store.tasks.window(taskWindowQuery.parse({ limit: 1 }));
    expect(window.rows).toEqual([
      { task: aTask(5, { priority: 9, state: everyState[8]! }), stdoutBytes: 0, stderrBytes: 0 },
    ]);
  });

  test('has the rows, how many there are, and how many of each status', async () => {
    expect(
      await ask({ filter: { statuses: ['PENDING', 'RUNNING'] }, limit: 2, offset: 1 }),
    ).toEqual({
      total: 3,
      counts: { PENDING: 2, RUNNING: 1, FAILED: 1, COMPLETED: 1 },
      offset: 1,
      rows: [2, 1],
      unreadable: [],
    });
  });

  test.each([
    ['newest', [5, 4, 3, 2, 1]],
    ['oldest', [1, 2, 3, 4, 5]],
    ['queue', [5, 1, 2, 3, 4]],
    ['name', [4, 2, 1, 3, 5]],
    ['finished', [5, 4, 3, 2, 1]],
  ] as const)('sorts by %s', async (sort, rows) => {
    expect((await ask({ sort })).rows).toEqual(rows);
  });

  test.each([
    [{ owner: 'bob' }, [2]],
    [{ nodeId: nodeOne }, [5, 4, 3]],
    [{ batchId: '7050000000000000002' as BatchId }, [3]],
    [{ label: { key: 'team', value: 'vision' } }, [1]],
    [{ text: 'TRAIN.py' }, [5, 3, 2, 1]],
    [{ text: 'äpfel 100%' }, [4]],
    [{ text: taskIdOf(2).slice(-5) }, [2]],
    [{ nameGlob: '?lph*' }, [2]],
    [{ nameGlob: '[x]' }, [4]],
    [{ statuses: [] }, []],
  ])('filters by %j', async (filter, rows) => {
    expect((await ask({ filter })).rows).toEqual(rows);
  });
});

describe('a task that cannot be read', () => {
  const damage = (dataDir: string, sql: string) => {
    const database = new Sqlite(`${dataDir}/kohakuriver.db`);
    database.exec(sql);
    database.close();
  };

  test.each([
    ['no JSON', `UPDATE task_specs SET spec_json = 'x' WHERE task_id % 10 = 1`],
    [
      'a request that lost a field',
      `UPDATE task_specs SET spec_json = json_remove(spec_json, '$.gpus') WHERE task_id % 10 = 1`,
    ],
    ['a holding of another shape', `UPDATE tasks SET place_json = '{}' WHERE id % 10 = 1`],
  ])('is set aside and reported: %s', async (_what, sql) => {
    const { store, dataDir, logged } = await aStore();
    store.tasks.insertMany(
      [1, 2].map((n) => asNew(aTask(n - 1, { state: everyState[4]!, attempt: 1 }))),
    );
    await store.flushed();
    damage(dataDir, sql);
    const active = store.tasks.active();
    expect(active.tasks.map(({ task }) => task.id)).toEqual([taskIdOf(1)]);
    expect(active.unreadable).toEqual([
      {
        id: taskIdOf(0),
        status: 'RUNNING',
        nodeId: nodeOne,
        attempt: 1,
        problem: expect.stringMatching(/_json cannot be read/) as unknown,
      },
    ]);
    expect(logged.map(({ message }) => message)).toEqual(['unreadable task set aside']);
    expect(() => store.tasks.get(taskIdOf(0))).toThrow(
      expect.objectContaining({ code: 'store/corrupt' }),
    );
    const window = await store.tasks.window(taskWindowQuery.parse({}));
    expect(window).toMatchObject({ total: 2, unreadable: [{ id: taskIdOf(0) }] });
  });
});

describe('removing', () => {
  test('takes an ended task with all that belongs to it, but not what is still to be done', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([asNew(aTask(1, { spec: { labels: { a: 'b' } } }))]);
    store.tasks.save(
      { ...placed, task: { ...placed.task, state: everyState[9]! } },
      aTask(1),
      start + 9,
    );
    store.tasks.remove([taskIdOf(1)]);
    expect(store.tasks.get(taskIdOf(1))).toBeUndefined();
    expect(store.tasks.events(taskIdOf(1))).toEqual([]);
    expect(store.effects.all()).toHaveLength(1);
  });

  test('refuses all when one has not ended', async () => {
    const { store } = await aStore();
    store.tasks.insertMany([aTask(1, { state: everyState[9]! }), aTask(2)].map(asNew));
    expect(() => store.tasks.remove([taskIdOf(1), taskIdOf(2)])).toThrow(
      expect.objectContaining({ code: 'task/not-ended', details: { taskId: taskIdOf(2) } }),
    );
    expect(store.tasks.get(taskIdOf(1))).toBeDefined();
  });
});
