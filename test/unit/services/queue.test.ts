// What tasks promise each other and the clock: dependencies, retries, limits, arrays, amendments.
import { expect, test, vi } from 'vitest';
import type { TaskId } from '../../../src-main/contract/ids.ts';
import { taskSubmission, type TaskSubmissionInput } from '../../../src-main/contract/task.ts';
import type { Task } from '../../../src-main/domain/task.ts';
import { simulatedWork } from '../../support/task-side.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const anna = { who: 'anna' };

async function aWorld() {
  return World.begin({ nodes: [{ cores: 4, gpus: 2 }] });
}

async function submit(
  world: World,
  words: string[],
  more: Partial<TaskSubmissionInput> = {},
): Promise<TaskId[]> {
  const { taskIds } = await world.core.tasks.submit(simulatedWork(words, more), anna);
  await world.settle();
  return taskIds;
}

function reasonOf({ state }: Task): string | null {
  return 'reason' in state ? state.reason : null;
}

function statuses(world: World, ids: readonly TaskId[]): string[] {
  return ids.map((id) => world.core.task(id).state.status);
}

test('a task starts when the one it waits for has ended as it had to', async () => {
  await using world = await aWorld();
  const [first = ''] = await submit(world, ['seconds=10']);
  const ids = [
    ...(await submit(world, ['seconds=1'], { after: [{ task: first }] })),
    ...(await submit(world, ['seconds=1'], { after: [{ task: first, on: 'any' }] })),
    ...(await submit(world, ['seconds=1'], { after: [{ task: first, on: 'failed' }] })),
  ];
  expect(statuses(world, ids)).toEqual(['PENDING', 'PENDING', 'PENDING']);
  await world.pass(10_500);
  expect(statuses(world, ids)).toEqual(['RUNNING', 'RUNNING', 'FAILED']);
  expect(reasonOf(world.core.task(ids[2]!))).toBe(
    `It can never run: task ${first} ended COMPLETED, and it waits for it to fail.`,
  );
});

test('what can never run is resolved through a whole chain', async () => {
  await using world = await aWorld();
  const [first = ''] = await submit(world, ['seconds=5', 'exit=1']);
  const [second = ''] = await submit(world, [], { after: [{ task: first }] });
  const [third = ''] = await submit(world, [], { after: [{ task: second }] });
  const [cleanup] = await submit(world, ['seconds=1'], { after: [{ task: third, on: 'failed' }] });
  await world.pass(7000);
  expect(statuses(world, [first, second, third, cleanup] as TaskId[])).toEqual([
    'FAILED',
    'FAILED',
    'FAILED',
    'COMPLETED',
  ]);
});

test('dependencies that cannot be met, are not there, or go round are refused', async () => {
  await using world = await aWorld();
  const [failed = ''] = await submit(world, ['seconds=1', 'exit=1']);
  await world.pass(2000);
  const refused = (more: Partial<TaskSubmissionInput>) => expect(submit(world, [], more)).rejects;
  await refused({ after: [{ task: failed }] }).toMatchObject({ code: 'task/never-runs' });
  await refused({ after: [{ task: '123456789' }] }).toMatchObject({ code: 'not-found/task' });
  const [one = '' as TaskId] = await submit(world, [], { hold: true });
  const [two = '' as TaskId] = await submit(world, [], { after: [{ task: one }] });
  const [answer] = await world.core.queue.amendments.amend([one], {
    ...anna,
    changes: { after: [{ task: two, on: 'ok' }] },
  });
  expect(answer).toMatchObject({ ok: false });
  expect(answer?.message).toContain(`${one} waits for ${two} waits for ${one}`);
});

test('a gang starts together, so none of it can wait for what waits for another of it', async () => {
  await using world = await aWorld();
  const gang = { gang: true, array: { indices: [1, 2] }, hold: true };
  const [one = '' as TaskId, two = '' as TaskId] = await submit(world, [], gang);
  const [behind = '' as TaskId] = await submit(world, [], { after: [{ task: one }] });
  const { amendments } = world.core.queue;
  const waitFor = async (task: TaskId) => {
    const changes = { after: [{ task, on: 'ok' as const }] };
    return (await amendments.amend([two], { ...anna, changes }))[0];
  };
  expect((await waitFor(behind))?.message).toContain(
    `${two} waits for ${behind} waits for ${one} waits for ${two}`,
  );
  expect(await waitFor(one)).toMatchObject({ ok: false });
  const [other = '' as TaskId] = await submit(world, ['seconds=1']);
  expect(await waitFor(other)).toMatchObject({ ok: true });
});

test('a batch can be waited for as one', async () => {
  await using world = await aWorld();
  const { batchId } = await world.core.tasks.submit(
    simulatedWork(['seconds=3'], { array: { indices: [4, 7] } }),
    anna,
  );
  const ids = await submit(world, ['seconds=1'], { after: [{ task: batchId }] });
  expect(world.core.task(ids[0]!).spec.after).toHaveLength(2);
  await world.pass(3500);
  expect(statuses(world, ids)).toEqual(['RUNNING']);
});

test('failures are tried again after a wait that doubles, and dependents wait for the last one', async () => {
  await using world = await aWorld();
  const [id = '' as TaskId] = await submit(world, ['seconds=1', 'exit=3'], {
    retries: { count: 2, on: ['exit'], backoffSeconds: 10 },
  });
  const [after = '' as TaskId] = await submit(world, ['seconds=1'], {
    after: [{ task: id, on: 'failed' }],
  });
  await world.pass(1500);
  expect(world.core.task(id).state).toMatchObject({
    status: 'PENDING',
    reason: 'retry 1 of 2 in 10 s: exit code 3',
  });
  await world.pass(8000);
  expect(statuses(world, [id, after])).toEqual(['PENDING', 'PENDING']);
  await world.pass(2000);
  expect(world.core.task(id)).toMatchObject({ attempt: 2, state: { status: 'RUNNING' } });
  await world.pass(20_000);
  expect(statuses(world, [id, after])).toEqual(['PENDING', 'PENDING']);
  await world.pass(5000);
  expect(world.core.task(id)).toMatchObject({ attempt: 3, state: { status: 'FAILED' } });
  expect(statuses(world, [after])).toEqual(['COMPLETED']);
});

test('what went down with its node is lost, and tried again where that is wanted', async () => {
  await using world = await aWorld();
  const retries = { count: 1, backoffSeconds: 1 };
  const [again] = await submit(world, ['seconds=50'], { retries: { ...retries, on: ['lost'] } });
  const [over] = await submit(world, ['seconds=50'], { retries: { ...retries, on: ['exit'] } });
  world.machine().reboot();
  await world.pass(2000);
  expect(statuses(world, [again!, over!])).toEqual(['RUNNING', 'FAILED']);
  expect(world.core.task(again!).attempt).toBe(2);
});

test('memory is a cause of its own, and a kill is none', async () => {
  await using world = await aWorld();
  const retries = { count: 1, on: ['exit' as const], backoffSeconds: 0 };
  const [oom = '' as TaskId] = await submit(world, ['seconds=1', 'oom'], { retries });
  const [killed = '' as TaskId] = await submit(world, ['seconds=60'], { retries });
  await world.core.tasks.kill([killed], { ...anna, signal: 'SIGTERM' });
  await world.pass(3000);
  expect(statuses(world, [oom, killed])).toEqual(['KILLED_OOM', 'KILLED']);
});

test('a time limit ends a task, also when the clock is set and the core starts again', async () => {
  await using world = await aWorld();
  const ids = await submit(world, ['seconds=600'], { timeLimitSeconds: 60 });
  await world.pass(30_000);
  world.time.setWallClock(world.time.now() + 1_000_000);
  await world.pass(20_000);
  expect(statuses(world, ids)).toEqual(['RUNNING']);
  world.time.setWallClock(world.time.now() - 1_000_000);
  world.crash();
  await world.restart();
  world.core.connectAll();
  await world.pass(5000);
  expect(statuses(world, ids)).toEqual(['RUNNING']);
  await world.pass(7000);
  expect(statuses(world, ids)).toEqual(['KILLED']);
  expect(reasonOf(world.core.task(ids[0]!))).toBe('killed by its time limit of 1m');
});

test('on a full disk a time limit is tried again after a while, and not without a pause', async () => {
  await using world = await aWorld();
  const [id] = await submit(world, ['seconds=100'], { timeLimitSeconds: 5 });
  await world.pass(4000);
  using database = world.sabotagedDisk();
  database.refuse('commit');
  // Without a pause it would never come to rest here.
  await world.pass(3000);
  expect(statuses(world, [id!])).toEqual(['RUNNING']);
  database.repair();
  expect(reasonOf(await world.reaches(id!, 'KILLED'))).toBe('killed by its time limit of 5s');
});

test('nothing starts before its time', async () => {
  await using world = await aWorld();
  const ids = await submit(world, ['seconds=1'], { notBefore: world.time.now() + 60_000 });
  await world.pass(59_000);
  expect(statuses(world, ids)).toEqual(['PENDING']);
  await world.pass(1500);
  expect(statuses(world, ids)).toEqual(['RUNNING']);
});

test('an array is a batch of its own: counted, tried again, ended', async () => {
  await using world = await aWorld();
  const { batches } = world.core.queue;
  const ids = await submit(world, ['seconds=2', 'exit=1'], { array: { indices: [1, 5] } });
  expect(world.machine().works.get(`${ids[1]!}/1`)?.spec.env).toMatchObject({
    KOHAKURIVER_ARRAY_INDEX: '5',
  });
  const batch = world.core.task(ids[0]!).batchId;
  await world.pass(3000);
  expect(await batches.get(batch)).toMatchObject({
    kind: 'array',
    total: 2,
    counts: { FAILED: 2 },
  });
  const again = await batches.resubmitFailed(batch, anna);
  await world.settle();
  expect(again.taskIds.map((id) => world.core.task(id).spec.arrayIndex)).toEqual([1, 5]);
  expect(
    await batches.list({ activeOnly: true, leastTasks: 2, offset: 0, limit: 10 }),
  ).toMatchObject({
    total: 1,
    rows: [{ id: again.batchId }],
  });
  await batches.kill(again.batchId, { ...anna, signal: 'SIGKILL' });
  await world.pass(1000);
  expect(statuses(world, again.taskIds)).toEqual(['KILLED', 'KILLED']);
});

test('of a capped array no more run at a time, and the others follow', async () => {
  await using world = await aWorld();
  const array = { indices: [0, 1, 2, 3, 4], maxRunning: 2 };
  const ids = await submit(world, ['seconds=10'], { array });
  const running = () => statuses(world, ids).filter((status) => status === 'RUNNING').length;
  expect(running()).toBe(2);
  expect((await world.core.tasks.why(ids[2]!)).summary).toBe(
    'Of its array at most 2 run at a time.',
  );
  await world.core.tasks.hold([ids[2]!], anna);
  await world.pass(10_500);
  expect(statuses(world, ids)).toEqual(['COMPLETED', 'COMPLETED', 'PENDING', 'RUNNING', 'RUNNING']);
  await world.core.tasks.kill([ids[3]!], { ...anna, signal: 'SIGKILL' });
  await world.core.tasks.release([ids[2]!], anna);
  await world.pass(1000);
  expect(running()).toBe(2);
  await world.pass(20_000);
  expect(statuses(world, ids)).toEqual([
    'COMPLETED',
    'COMPLETED',
    'COMPLETED',
    'KILLED',
    'COMPLETED',
  ]);
});

test('an end that could not be written does not give the turn in a capped array away', async () => {
  await using world = await aWorld();
  const ids = await submit(world, ['seconds=5'], { array: { indices: [1, 2, 3], maxRunning: 1 } });
  const most = { holding: 0 };
  const goOn = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await world.pass(100);
      const holding = ids.filter((id) => 'kill' in world.core.task(id).state).length;
      most.holding = Math.max(most.holding, holding);
    }
  };
  for (let round = 0; round < 2; round += 1) {
    await goOn(4900);
    using database = world.sabotagedDisk();
    database.refuse('commit');
    await goOn(300);
    database.repair();
    await goOn(2000);
  }
  // What failed is tried again after a while.
  await goOn(90_000);
  expect(statuses(world, ids)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
  expect(most.holding).toBe(1);
});

test('a core that starts again keeps a capped array to its number', async () => {
  await using world = await aWorld();
  const array = { indices: [0, 1, 2], maxRunning: 2 };
  const ids = await submit(world, ['seconds=60'], { array, hold: true });
  await world.core.tasks.release(ids.slice(1), anna);
  await world.pass(1000);
  await world.core.tasks.release(ids.slice(0, 1), anna);
  await world.pass(1000);
  expect(statuses(world, ids)).toEqual(['PENDING', 'RUNNING', 'RUNNING']);
  world.crash();
  await world.restart();
  world.core.connectAll();
  await world.pass(2000);
  expect(statuses(world, ids)).toEqual(['PENDING', 'RUNNING', 'RUNNING']);
});

test('for a list, only what waits says why; what is gone or never was is left out', async () => {
  await using world = await aWorld();
  const [first] = await submit(world, ['seconds=10']);
  const [second] = await submit(world, [], { after: [{ task: first! }] });
  const [held] = await submit(world, [], { hold: true });
  expect(await world.core.tasks.waits([held!, first!, '77' as TaskId, second!])).toEqual([
    { id: held, summary: 'It is on hold until somebody releases it.' },
    { id: second, summary: `It waits for task ${first!} to end.` },
  ]);
});

test('what keeps a task from starting is said', async () => {
  await using world = await aWorld();
  const [first = ''] = await submit(world, ['seconds=10']);
  const [id = ''] = await submit(world, [], { after: [{ task: first }] });
  expect((await world.core.tasks.why(id)).summary).toBe(`It waits for task ${first} to end.`);
});

test('a gang starts together or not at all', async () => {
  await using world = await aWorld();
  const [blocker] = await submit(world, ['seconds=10'], { cores: 2 });
  const gang = { gang: true, array: { indices: [1, 2, 3] } };
  const ids = await submit(world, ['seconds=5'], gang);
  const alone = await submit(world, ['seconds=60']);
  expect(statuses(world, ids)).toEqual(['PENDING', 'PENDING', 'PENDING']);
  expect(statuses(world, alone)).toEqual(['RUNNING']);
  const why = await world.core.tasks.why(ids[0]!);
  expect(why.summary).toBe('Its gang of 3 starts together, and there is room for 1 of it.');
  await world.core.tasks.hold([ids[1]!], anna);
  await world.pass(11_000);
  expect(statuses(world, [blocker!, ...ids])).toEqual([
    'COMPLETED',
    'PENDING',
    'PENDING',
    'PENDING',
  ]);
  expect((await world.core.tasks.why(ids[0]!)).summary).toContain('1 of it is not ready to start');
  await world.core.tasks.release([ids[1]!], anna);
  await world.pass(1000);
  expect(statuses(world, ids)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
  const refused = (more: Partial<TaskSubmissionInput>) =>
    expect(submit(world, [], { gang: true, ...more })).rejects;
  const five = Array.from({ length: 5 }, (_, index) => index);
  await refused({ array: { indices: five } }).toThrow('no more than 4 of them could ever run');
  await refused({ array: { indices: five, maxRunning: 2 } }).toThrow('at most 2 may run at a time');
  const many = Array.from({ length: 1001 }, (_, index) => index);
  await refused({ array: { indices: many } }).toThrow('At most 1000 tasks can start together');
});

test('of a gang a killed one is no more, and one that failed runs again alone', async () => {
  await using world = await aWorld();
  await submit(world, ['seconds=10'], { cores: 2 });
  const ids = await submit(world, ['seconds=1', 'exit=1'], {
    gang: true,
    array: { indices: [1, 2, 3] },
    retries: { count: 1, on: ['exit'], backoffSeconds: 1 },
  });
  await world.core.tasks.kill([ids[2]!], { ...anna, signal: 'SIGKILL' });
  await world.pass(500);
  expect(statuses(world, ids)).toEqual(['RUNNING', 'RUNNING', 'KILLED']);
  await world.pass(20_000);
  expect(statuses(world, ids)).toEqual(['FAILED', 'FAILED', 'KILLED']);
  expect(ids.map((id) => world.core.task(id).attempt)).toEqual([2, 2, 0]);
});

test('a sweep makes one task for each combination', async () => {
  await using world = await aWorld();
  const ids = await submit(world, ['lr={LR}', '{other}'], {
    hold: true,
    sweep: { parameters: { LR: ['1', '2'], SEED: ['a'] } },
  });
  expect(ids.map((id) => world.core.task(id).spec)).toMatchObject([
    { work: { argv: ['sim', 'lr=1', '{other}'] }, env: { LR: '1', SEED: 'a' }, arrayIndex: 0 },
    { work: { argv: ['sim', 'lr=2', '{other}'] }, env: { LR: '2', SEED: 'a' }, arrayIndex: 1 },
  ]);
});

test('an amended task asks for something else, and keeps it', async () => {
  await using world = await aWorld();
  const [blocker = '' as TaskId] = await submit(world, ['seconds=1000'], { gpus: { count: 1 } });
  const [id = '' as TaskId] = await submit(world, ['seconds=1000'], { gpus: { count: 2 } });
  const { amendments } = world.core.queue;
  const changes = { gpus: { count: 1 }, priority: 7, timeLimitSeconds: 90 };
  expect(await amendments.amend([id, blocker], { ...anna, changes })).toMatchObject([
    { ok: true },
    { ok: false, message: 'Only a task that waits can be changed; it is RUNNING.' },
  ]);
  const impossible = { gpus: { count: 9 } };
  const [held = '' as TaskId] = await submit(world, [], { priority: -5, hold: true });
  await amendments
    .amend([held], { ...anna, changes: { hold: false, ...impossible } })
    .then(([answer]) => expect(answer?.message).toContain('No node could ever run this'));
  await world.settle();
  expect(statuses(world, [id])).toEqual(['RUNNING']);
  world.crash();
  await world.restart();
  expect(world.core.task(id)).toMatchObject({ priority: 7, spec: { gpus: { count: 1 } } });
});

test('shapes that make no sense are refused with words', () => {
  const issuesOf = (more: object) =>
    taskSubmission
      .safeParse({ work: { kind: 'command', argv: ['true'] }, ...more })
      .error?.issues.map(({ message }) => message);
  const indices = Array.from({ length: 1_000_000 }, (_, index) => index);
  expect(issuesOf({ array: { indices } })).toEqual([
    expect.stringContaining('at most 10000 elements'),
  ]);
  expect(issuesOf({ array: { indices: [1, 1] } })).toEqual(['an index may be given only once']);
  expect(issuesOf({ timeLimitSeconds: 0 })?.[0]).toContain('at least one second');
  expect(issuesOf({ priority: 101 })).toHaveLength(1);
  const values = Array.from({ length: 500 }, String);
  expect(issuesOf({ sweep: { parameters: { A: values, B: values } } })).toEqual([
    expect.stringContaining('combinations are more than 10000'),
  ]);
});
