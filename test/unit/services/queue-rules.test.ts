// The rules of the queue as the core keeps them: shares that survive, reservations, settings that wake.
import { expect, test, vi } from 'vitest';
import type { TaskId } from '../../../src-main/contract/ids.ts';
import type { ReservationRequest } from '../../../src-main/contract/queue.ts';
import type { TaskSubmissionInput } from '../../../src-main/contract/task.ts';
import { simulatedWork } from '../../support/task-side.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const hour = 3_600_000;

async function aWorld(flags = {}) {
  return World.begin({ nodes: [{ cores: 2, gpus: 2 }], flags });
}

async function submit(
  world: World,
  words: string[],
  { who = 'anna', ...more }: Partial<TaskSubmissionInput> & { who?: string } = {},
): Promise<TaskId> {
  const { taskIds } = await world.core.tasks.submit(simulatedWork(words, more), { who });
  await world.settle();
  return taskIds[0]!;
}

const isRunning = (world: World, id: TaskId) => world.core.task(id).state.status === 'RUNNING';

function sharesOf(world: World) {
  const { owners } = world.core.queue.view.shares();
  return owners.map(({ owner, gpuSeconds, coreSeconds, running, waiting }) => ({
    owner,
    gpuSeconds: Math.round(gpuSeconds / 60),
    coreSeconds: Math.round(coreSeconds / 60),
    running,
    waiting,
  }));
}

test('use is counted while something runs and after it ended, fades, and survives a crash', async () => {
  await using world = await aWorld({ 'queue.halfLifeHours': 1 });
  await submit(world, ['seconds=60'], { gpus: { count: 2 }, cores: 2 });
  await world.pass(30_000);
  // In minutes: half a minute of two.
  const half = { owner: 'anna', gpuSeconds: 1, coreSeconds: 1, running: 1, waiting: 0 };
  expect(sharesOf(world)).toEqual([half]);
  await world.pass(31_000);
  const whole = { owner: 'anna', gpuSeconds: 2, coreSeconds: 2, running: 0, waiting: 0 };
  expect(sharesOf(world)).toEqual([whole]);
  world.crash();
  await world.restart();
  expect(sharesOf(world)).toEqual([whole]);
  await world.pass(hour);
  expect(sharesOf(world)).toEqual([{ ...whole, gpuSeconds: 1, coreSeconds: 1 }]);
});

test('what could not be written was not used', async () => {
  await using world = await aWorld();
  await submit(world, ['seconds=60'], { cores: 2 });
  await world.pass(59_000);
  const before = world.core.store.queue.usage();
  {
    using disk = world.sabotagedDisk();
    disk.refuse('commit');
    await world.pass(10_000);
    expect(world.core.store.queue.usage()).toEqual(before);
    disk.repair();
  }
  await world.pass(120_000);
  const [stored] = world.core.store.queue.usage();
  expect(stored?.coreSeconds).toBeGreaterThan(119);
  expect(stored?.coreSeconds).toBeLessThan(240);
});

test('whoever used less comes first', async () => {
  await using world = await aWorld();
  const first = await submit(world, ['seconds=60'], { cores: 2 });
  const mine = await submit(world, ['seconds=60'], { cores: 2 });
  const theirs = await submit(world, ['seconds=60'], { cores: 2, who: 'bert' });
  await world.pass(61_000);
  expect([first, mine, theirs].map((id) => isRunning(world, id))).toEqual([false, false, true]);
});

test('a cap holds back until it is raised', async () => {
  await using world = await aWorld({ 'queue.maxRunningPerOwner': 1 });
  await submit(world, ['seconds=60']);
  const second = await submit(world, ['seconds=60']);
  expect(isRunning(world, second)).toBe(false);
  const why = await world.core.tasks.why(second);
  expect(why.summary).toBe('1 task of anna is running, and at most 1 of one owner run at a time.');
  await world.pass(61_000);
  expect(isRunning(world, second)).toBe(true);
});

test('a released task, or one whose turn came, has waited since then', async () => {
  await using world = await aWorld();
  const blocker = await submit(world, ['seconds=30'], { cores: 2 });
  const held = await submit(world, [], { hold: true });
  const after = await submit(world, [], { cores: 2, after: [{ task: blocker }], hold: true });
  await world.pass(20_000);
  await world.core.tasks.release([held], { who: 'anna' });
  await world.pass(11_000);
  await world.core.tasks.release([after], { who: 'anna' });
  const since = (id: TaskId) => world.core.task(id).state.since - world.core.task(id).submittedAt;
  expect(world.core.task(held).state.status).not.toBe('PENDING');
  expect(since(after)).toBeGreaterThanOrEqual(31_000);
});

test('reservations keep others off for their time, and survive a crash', async () => {
  await using world = await aWorld();
  const now = world.time.now();
  const request: ReservationRequest = {
    node: world.nodes[0]!.plan.name,
    gpus: null,
    from: now,
    to: now + hour,
    note: null,
  };
  const { reservations } = world.core.rules;
  const made = await reservations.add(request, 'bert');
  expect(made).toMatchObject({ owners: ['bert'], gpus: null, by: 'bert' });
  const mine = await submit(world, ['seconds=60']);
  const theirs = await submit(world, ['seconds=60'], { who: 'bert' });
  expect([mine, theirs].map((id) => isRunning(world, id))).toEqual([false, true]);
  expect((await world.core.tasks.why(mine)).summary).toContain('it is reserved for bert from');
  world.crash();
  await world.restart();
  world.core.connectAll();
  await world.settle();
  expect(world.core.rules.reservations.list()).toEqual([made]);
  expect(isRunning(world, mine)).toBe(false);
  // Nothing else happens at its end: that alone has to wake the queue.
  await world.pass(hour + 1000);
  expect(world.core.task(mine).state.status).not.toBe('PENDING');
  expect(world.core.store.queue.reservations()).toEqual([]);
});

test('reservations that cannot be are refused with a sentence', async () => {
  await using world = await aWorld();
  const now = world.time.now();
  const { reservations } = world.core.rules;
  const wish = { node: world.nodes[0]!.plan.name, gpus: null, note: null };
  const day = 24 * hour;
  const refused = (changes: Partial<ReservationRequest>) =>
    expect(reservations.add({ ...wish, from: now + hour, to: now + 2 * hour, ...changes }, 'anna'))
      .rejects;
  await refused({ to: now }).toMatchObject({ code: 'input/invalid' });
  await refused({ from: now - 2 * hour, to: now - hour }).toThrow('passed already');
  await refused({ to: now + 40 * day }).toThrow('at most 31 days');
  await refused({ from: now + 400 * day, to: now + 401 * day }).toThrow('next 366 days');
  await refused({ node: 'nowhere' }).toMatchObject({ code: 'target/unknown-node' });
  await refused({ gpus: [0, 7] }).toMatchObject({ code: 'target/unknown-gpu' });
  const made = await reservations.add(
    { ...wish, gpus: [0], from: now + hour, to: now + 2 * hour },
    'anna',
  );
  await refused({}).toMatchObject({ code: 'conflict/reserved' });
  await refused({ gpus: [0, 1] }).toThrow(`reservation ${made.id}`);
  await reservations.add({ ...wish, gpus: [1], from: now + hour, to: now + 2 * hour }, 'anna');
  await reservations.add({ ...wish, from: now + 2 * hour, to: now + 3 * hour }, 'anna');
  expect(reservations.list()).toHaveLength(3);
  await expect(reservations.remove('999')).rejects.toMatchObject({
    code: 'not-found/reservation',
  });
  expect(await reservations.remove(made.id.slice(-8))).toEqual({ id: made.id });
  expect(reservations.list()).toHaveLength(2);
});

test('the outlook is told when room is kept, and when it is not any more', async () => {
  await using world = await aWorld();
  const blocker = await submit(world, ['seconds=600'], {
    gpus: { count: 1 },
    timeLimitSeconds: 900,
  });
  const abort = new AbortController();
  const feed = world.core.queue.view.watch(abort.signal);
  const next = async () => {
    const item = feed.next();
    await world.pass(3000);
    const { value } = await item;
    return value?.value.kept;
  };
  expect(await next()).toEqual([]);
  const big = await submit(world, ['seconds=1'], { gpus: { count: 2 } });
  expect(await next()).toMatchObject([{ taskId: big, gpus: [0, 1] }]);
  const why = await world.core.tasks.why(big);
  expect(why.expected).toMatchObject({ isPromise: true });
  expect(why.expected?.at).toBe(world.core.task(blocker).submittedAt + 900_000);
  await world.core.tasks.kill([blocker], { who: 'anna', signal: 'SIGKILL' });
  await world.settle();
  expect(await next()).toEqual([]);
  abort.abort();
});
