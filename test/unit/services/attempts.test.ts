// Attempts from placement to their end, through faults one at a time.
import { expect, test, vi } from 'vitest';
import { StartUnknownError } from '../../../src-main/runtimes/docker/errors.ts';
import { ProcessCreationError } from '../../../src-main/runtimes/process/errors.ts';
import type { Order } from '../../support/simulated-machine.ts';
import { keyOf } from '../../support/simulated-machine.ts';
import { otherCore, World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

/** Does something the first time an order is given. */
function at(name: string, when: Order['when'], action: () => 'lost' | 'hang' | undefined) {
  let isOver = false;
  return (order: Order) => {
    if (isOver || order.name !== name || order.when !== when) return undefined;
    isOver = true;
    return action();
  };
}

const kill = { who: 'anna', signal: 'SIGTERM', graceSeconds: 10 };

test('runs to its end without waiting for any timer, and nothing of it is left', async () => {
  await using world = await World.begin();
  const { core } = world;
  const id = await core.submit(['print=hello', 'seconds=3', 'ticks=3']);
  await world.settle();
  expect(core.task(id).state.status).toBe('RUNNING');
  expect(world.time.monotonic()).toBe(0);
  await world.reaches(id, 'COMPLETED');
  expect(core.task(id).state).toMatchObject({ end: { exitCode: 0 } });
  expect(await core.logOf(id)).toMatch(/^hello\ntick 0 .*\ntick 2 .*\n$/);
  expect(world.worksOf(id)).toEqual([]);
  await world.pass(100);
  expect(core.store.effects.all()).toEqual([]);
  expect(core.said).toEqual([]);
  expect(core.store.tasks.events(id).map(({ kind }) => kind)).toEqual([
    'submitted',
    'placed',
    'started',
    'ended',
  ]);
});

test.each(['prepare', 'create'])('a kill during %s wins over the start', async (order) => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at(order, 'before', () => {
    const [task] = core.book.all();
    void core.tasks.kill([task?.id ?? ''], kill);
    return undefined;
  });
  const id = await core.submit(['seconds=5']);
  await world.settle();
  expect(core.task(id).state).toMatchObject({
    status: 'KILLED',
    reason: 'killed by anna before it started',
  });
  expect(world.machine().starts.size).toBe(0);
  expect(world.worksOf(id)).toEqual([]);
});

test('a kill while the start is on its way is told as what happened: it ran, and was killed', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at('start', 'before', () => {
    const [task] = core.book.all();
    void core.tasks.kill([task?.id ?? ''], kill);
    return undefined;
  });
  const id = await core.submit(['seconds=500', 'print=began']);
  await world.settle();
  expect(core.task(id).state).toMatchObject({ status: 'KILLED', end: { signal: 'SIGTERM' } });
  expect(await core.logOf(id)).toBe('began\n');
});

test('a wish stored before a crash is acted on after it', async () => {
  await using world = await World.begin();
  const id = await world.core.submit(['seconds=500', 'ignore-term']);
  await world.settle();
  world.core.fleet.disconnect(world.nodeId(), false);
  await world.core.tasks.kill([id], kill);
  world.crash();
  await world.restart();
  world.core.connectAll();
  await world.settle();
  expect(world.core.task(id).state.status).toBe('RUNNING');
  await world.pass(10_000);
  expect(world.core.task(id).state).toMatchObject({
    status: 'KILLED',
    reason: 'killed by anna',
    end: { signal: 'SIGKILL' },
  });
});

test('a crash between the signal and the note that it arrived still ends as KILLED', async () => {
  await using world = await World.begin();
  const id = await world.core.submit(['seconds=500']);
  await world.settle();
  world.machine().fault = at('stop', 'after', () => {
    world.crash();
    return undefined;
  });
  void world.core.tasks.kill([id], kill);
  await world.settle();
  expect(world.isUp).toBe(false);
  await world.restart();
  world.core.connectAll();
  await world.settle();
  expect(world.core.task(id).state).toMatchObject({ status: 'KILLED', reason: 'killed by anna' });
});

test('one wish sends one signal, however often it comes to mind', async () => {
  await using world = await World.begin();
  const { core } = world;
  const id = await core.submit(['seconds=500', 'ignore-term']);
  await world.settle();
  let stops = 0;
  world.machine().fault = ({ name, when }) => {
    if (name === 'stop' && when === 'before') stops += 1;
    return undefined;
  };
  await core.tasks.kill([id], { ...kill, graceSeconds: 100 });
  await world.pass(95_000);
  expect(stops).toBe(1);
  await world.pass(10_000);
  expect(core.task(id).state.status).toBe('KILLED');
});

test('what vanished from its node has failed, and says so', async () => {
  await using world = await World.begin();
  const id = await world.core.submit(['seconds=500']);
  await world.settle();
  const machine = world.machine();
  for (const work of machine.works.values()) machine.vanish(work);
  await world.pass(10_000);
  expect(world.core.task(id).state).toMatchObject({
    status: 'FAILED',
    reason: 'Its process and its directory are not on the node any more.',
  });
});

test.each(['prepare', 'create', 'start'])(
  'a node that refuses to %s fails the task',
  async (order) => {
    await using world = await World.begin();
    world.machine().refuse = (name) =>
      name === order ? new ProcessCreationError('No such directory.') : undefined;
    const id = await world.core.submit(['seconds=5']);
    await world.settle();
    expect(world.core.task(id).state).toMatchObject({
      status: 'FAILED',
      reason: 'No such directory.',
    });
    expect(world.worksOf(id)).toEqual([]);
  },
);

test('a start that failed is kept for a look where that was asked', async () => {
  await using world = await World.begin();
  world.machine().refuse = (name) =>
    name === 'start' ? new ProcessCreationError('No such command.') : undefined;
  const id = await world.core.submit(['seconds=5'], { keepFailed: true });
  await world.settle();
  expect(world.core.task(id).state.status).toBe('FAILED');
  expect(world.worksOf(id)).toEqual([`${id}/1`]);
});

test('a node out of reach keeps a start waiting, which goes on by itself', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at('create', 'after', () => 'lost');
  const id = await core.submit(['seconds=5']);
  await world.settle();
  expect(core.task(id).state.status).toBe('ASSIGNING');
  await world.pass(30_000);
  expect(core.task(id).state.status).toBe('RUNNING');
  await world.reaches(id, 'COMPLETED');
  expect(world.machine().starts.get(`${id}/1`)).toBe(1);
});

test('a start cut short is LOST with its node, and killed when the node is back', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at('create', 'after', () => 'hang');
  const id = await core.submit(['seconds=5']);
  await world.settle();
  core.fleet.disconnect(world.nodeId(), true);
  expect(core.task(id).state).toMatchObject({ status: 'LOST', was: 'ASSIGNING' });
  await core.tasks.kill([id], kill);
  expect(core.task(id).state.status).toBe('LOST');
  core.fleet.connect(world.nodeId());
  await world.settle();
  expect(core.task(id).state.status).toBe('KILLED');
  expect(world.machine().starts.size).toBe(0);
  expect(world.worksOf(id)).toEqual([]);
  await world.pass(100);
  expect(core.store.effects.all()).toEqual([]);
});

test('a node that is back before the old drive let go is driven anew', async () => {
  await using world = await World.begin();
  const { core } = world;
  const id = await core.submit(['seconds=20', 'ticks=10']);
  await world.pass(5000);
  for (let flap = 0; flap < 5; flap += 1) {
    core.fleet.disconnect(world.nodeId(), false);
    core.fleet.connect(world.nodeId());
  }
  await world.settle();
  expect(core.said).toEqual([]);
  await world.pass(15_000);
  expect(core.task(id).state.status).toBe('COMPLETED');
  expect((await core.logOf(id)).split('\n')).toHaveLength(6);
});

test('one part of following that fails lets the others go before the next try', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at('wait', 'after', () => 'lost');
  const id = await core.submit(['seconds=40', 'ticks=4']);
  await world.pass(35_000);
  expect(core.task(id).state.status).toBe('RUNNING');
  await world.pass(10_000);
  expect(core.task(id).state.status).toBe('COMPLETED');
  expect(core.said).toEqual([]);
});

test('what others freeze and thaw on the node is noticed', async () => {
  await using world = await World.begin();
  const { core } = world;
  const machine = world.machine();
  const id = await core.submit(['seconds=100']);
  await world.settle();
  for (const work of machine.works.values()) machine.pause(work);
  await world.pass(31_000);
  expect(core.task(id).state.status).toBe('PAUSED');
  for (const work of machine.works.values()) machine.resume(work);
  await world.pass(31_000);
  expect(core.task(id).state.status).toBe('RUNNING');
});

test('a frozen task that was thawed and ended while nobody looked has completed', async () => {
  await using world = await World.begin();
  const { core } = world;
  const machine = world.machine();
  const id = await core.submit(['seconds=10']);
  await world.settle();
  expect(await core.tasks.pause([id], { who: 'anna' })).toMatchObject([{ ok: true }]);
  core.fleet.disconnect(world.nodeId(), false);
  for (const work of machine.works.values()) machine.resume(work);
  await world.pass(11_000);
  core.fleet.connect(world.nodeId());
  await world.settle();
  expect(core.task(id).state).toMatchObject({ status: 'COMPLETED', end: { exitCode: 0 } });
});

test('what began and ended between two looks is told with its beginning', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().fault = at('start', 'after', () => 'lost');
  const id = await core.submit(['seconds=1', 'exit=3']);
  await world.pass(2000);
  core.fleet.disconnect(world.nodeId(), true);
  core.fleet.connect(world.nodeId());
  await world.settle();
  const { state } = core.task(id);
  expect(state).toMatchObject({ status: 'FAILED', end: { exitCode: 3 } });
  expect('startedAt' in state && state.startedAt).not.toBeNull();
});

test('leftovers of ended tasks go; unknown ones and those of others stay', async () => {
  await using world = await World.begin();
  const { core } = world;
  const machine = world.machine();
  const id = await core.submit(['seconds=1']);
  await world.reaches(id, 'COMPLETED');
  const [old] = machine.history.values();
  if (old === undefined) throw new Error('it never ran');
  const { core: us } = old;
  const make = (attempt: number, taskId: string, owner = us) => {
    const ref = { taskId: taskId as typeof id, attempt };
    const work = machine.create({ ...old.spec, ...ref }, owner);
    machine.start(work);
    return keyOf(ref);
  };
  machine.history.clear();
  make(1, id);
  const kept = [make(2, id), make(1, '77'), make(1, '78', otherCore)];
  core.fleet.disconnect(world.nodeId(), false);
  core.fleet.connect(world.nodeId());
  await world.settle();
  expect([...machine.works.keys()]).toEqual(kept);
  expect(
    core.said.filter(({ level }) => level === 'warn').map(({ facts }) => facts['taskId']),
  ).toEqual(expect.arrayContaining([id, '77']));
});

test('nothing is removed from a node before the end is on disk here', async () => {
  await using world = await World.begin();
  const id = await world.core.submit(['seconds=5', 'exit=4']);
  await world.settle();
  // The commit of the end never happens; a settling comes in between.
  world.onCommit = (moment) => {
    if (moment === 'before-commit' && world.core.book.active(id) === undefined) world.crash();
  };
  await world.pass(5000).catch(() => undefined);
  expect(world.isUp).toBe(false);
  expect(world.worksOf(id)).toEqual([`${id}/1`]);
  world.onCommit = () => undefined;
  await world.restart();
  world.core.connectAll();
  await world.settle();
  expect(world.core.task(id).state).toMatchObject({ status: 'FAILED', end: { exitCode: 4 } });
});

test('a list that comes late takes nothing for a leftover that ended meanwhile', async () => {
  await using world = await World.begin();
  world.machine().fault = ({ name, when }) =>
    name === 'list' && when === 'after' ? { lateMs: 20_000, whenLost: 'dropped' } : undefined;
  const id = await world.core.submit(['seconds=40', 'exit=1'], { keepFailed: true });
  // Asked for at 30 s, told at 50 s what was true at 30 s.
  await world.pass(55_000);
  expect(world.core.task(id).state.status).toBe('FAILED');
  expect(world.worksOf(id)).toEqual([`${id}/1`]);
  expect(world.core.said.filter(({ level }) => level !== 'info')).toEqual([]);
});

test('a node that is removed leaves no work and no orders behind', async () => {
  await using world = await World.begin();
  const { core } = world;
  const running = await core.submit(['seconds=500']);
  const ended = await core.submit(['seconds=1']);
  await world.settle();
  world.machine().fault = at('remove', 'before', () => 'lost');
  await world.reaches(ended, 'COMPLETED');
  await world.pass(100);
  expect(core.store.effects.all()).toHaveLength(1);
  core.fleet.remove(world.nodeId());
  core.attempts.forgetNode(world.nodeId(), 'Its node was removed.');
  await world.settle();
  expect(core.task(running).state).toMatchObject({
    status: 'FAILED',
    reason: 'Its node was removed.',
  });
  expect(core.store.effects.all()).toEqual([]);
});

test('an order for what is not the newest attempt any more is off the list', async () => {
  await using world = await World.begin();
  const { core } = world;
  const id = await core.submit(['seconds=500']);
  await world.settle();
  const { id: nodeId } = { id: world.nodeId() };
  core.store.write(() => {
    core.store.effects.insert(id, { kind: 'start-attempt', nodeId, attempt: 9 }, 0);
    core.store.effects.insert(
      '4242' as typeof id,
      { kind: 'stop-attempt', nodeId, attempt: 1, signal: 'SIGTERM', graceMs: 0 },
      0,
    );
  });
  await world.pass(31_000);
  expect(core.store.effects.all()).toEqual([]);
  expect(core.task(id).state.status).toBe('RUNNING');
});

test('a disk that is full for a while loses nothing and starts nothing twice', async () => {
  await using world = await World.begin();
  const { core } = world;
  const first = await core.submit(['seconds=20', 'exit=2']);
  await world.settle();
  using disk = world.sabotagedDisk();
  disk.refuse('commit');
  await world.pass(40_000);
  expect(core.task(first).state.status).toBe('RUNNING');
  expect(world.worksOf(first)).toEqual([`${first}/1`]);
  disk.repair();
  await world.pass(31_000);
  expect(core.task(first).state).toMatchObject({ status: 'FAILED', end: { exitCode: 2 } });
  expect(world.machine().starts.get(`${first}/1`)).toBe(1);
});

test('a link that drops while the disk is full is written when there is room again', async () => {
  await using world = await World.begin();
  const { core } = world;
  const id = await core.submit(['seconds=500']);
  await world.settle();
  using disk = world.sabotagedDisk();
  disk.refuse('write');
  core.fleet.disconnect(world.nodeId(), true);
  await world.settle();
  expect(core.task(id).state.status).toBe('RUNNING');
  disk.repair();
  await world.pass(31_000);
  expect(core.task(id).state.status).toBe('LOST');
});

test('what may have begun, with nobody to tell, is lost: done again only where that is wanted', async () => {
  await using world = await World.begin();
  const { core } = world;
  world.machine().refuse = (order, { attempt }) =>
    order === 'start' && attempt === 1 ? new StartUnknownError() : undefined;
  const once = await core.submit(['seconds=5']);
  const retries = { count: 1, on: ['lost' as const], backoffSeconds: 1 };
  const again = await core.submit(['seconds=5'], { retries });
  await world.reaches(again, 'COMPLETED');
  expect(core.task(again).attempt).toBe(2);
  expect(core.task(once)).toMatchObject({
    attempt: 1,
    state: { status: 'FAILED', end: null, reason: expect.stringContaining('broke off') as string },
  });
  expect(world.worksOf(once)).toEqual([]);
});
