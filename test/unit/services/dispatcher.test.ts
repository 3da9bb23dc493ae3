import { expect, test, vi } from 'vitest';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import type { QueuedTask } from '../../../src-main/domain/planner/model.ts';
import type {
  News,
  Pass,
  PlannerDelta,
  PlannerPort,
} from '../../../src-main/services/planner/planner-port.ts';
import { PlannerMirror } from '../../../src-main/services/planner/planner-mirror.ts';
import { deltaOf } from '../../../src-main/services/planner/dispatcher.ts';
import { aTask, told, aPlace, t0 } from '../domain/builders.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

/** A planner that can be made to think, to fail, and to lose its mirror. */
class MoodyPlanner implements PlannerPort {
  readonly #reset = new Emitter<void>();
  readonly onDidReset = this.#reset.event;
  #mirror = new PlannerMirror();
  readonly passes: (readonly PlannerDelta[])[] = [];
  thinks: Promise<void> = Promise.resolve();
  fails = 0;

  async pass(news: News): Promise<Pass> {
    this.passes.push(news.deltas);
    if (this.fails > 0) {
      this.fails -= 1;
      throw new Error('the planner is in a bad mood');
    }
    const pass = this.#mirror.pass(news);
    await this.thinks;
    return pass;
  }

  explain(news: News, task: QueuedTask) {
    return Promise.resolve(this.#mirror.explain(news, task));
  }

  lose(): void {
    this.#mirror = new PlannerMirror();
    this.#reset.emit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }
}

async function aWorld() {
  const planner = new MoodyPlanner();
  const world = await World.begin({ planner, nodes: [{ cores: 2, gpus: 1 }] });
  return { planner, world };
}

test('what a task means to the planner', () => {
  const waiting = aTask();
  const placed = told(waiting, { kind: 'placed', place: aPlace, why: null });
  expect(deltaOf({ before: undefined, after: waiting }, t0)).toMatchObject([
    { kind: 'upsert-task' },
  ]);
  expect(deltaOf({ before: waiting, after: placed }, t0)).toMatchObject([
    { kind: 'hold', holding: { taskId: waiting.id, attempt: 1, place: aPlace } },
  ]);
  expect(deltaOf({ before: placed, after: undefined }, t0)).toEqual([
    { kind: 'forget-task', id: waiting.id },
  ]);
});

test('what waits starts when there is room, and not before', async () => {
  const { world } = await aWorld();
  await using _ = world;
  const { core } = world;
  const first = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  const second = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  await world.settle();
  expect([first, second].map((id) => core.task(id).state.status)).toEqual(['RUNNING', 'PENDING']);
  await world.pass(10_000);
  expect([first, second].map((id) => core.task(id).state.status)).toEqual(['COMPLETED', 'RUNNING']);
});

test('a node that went between plan and write takes nothing', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  const thought = Promise.withResolvers<undefined>();
  planner.thinks = thought.promise;
  const id = await core.submit(['seconds=10']);
  await world.settle();
  core.fleet.disconnect(world.nodeId(), false);
  thought.resolve(undefined);
  await world.settle();
  expect(core.task(id).state.status).toBe('PENDING');
  core.fleet.connect(world.nodeId());
  await world.settle();
  expect(core.task(id).state.status).toBe('RUNNING');
});

test('a task that was killed between plan and write stays so, and what it was to have is free', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  const thought = Promise.withResolvers<undefined>();
  planner.thinks = thought.promise;
  const first = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  await world.settle();
  await core.tasks.kill([first], { who: 'anna', signal: 'SIGTERM' });
  thought.resolve(undefined);
  planner.thinks = Promise.resolve();
  const second = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  await world.settle();
  expect(core.task(first).state.status).toBe('KILLED');
  expect(core.task(second).state.status).toBe('RUNNING');
});

test('a planner that lost everything is told everything', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  const held = await core.submit(['seconds=1000'], { gpus: { count: 1 } });
  const waiting = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  await world.settle();
  planner.lose();
  await world.pass(2000);
  expect(
    planner.passes
      .at(-1)
      ?.map(({ kind }) => kind)
      .sort(),
  ).toEqual(['hold', 'rules', 'upsert-node', 'upsert-task']);
  expect(core.task(waiting).state.status).toBe('PENDING');
  await core.tasks.kill([held], { who: 'anna', signal: 'SIGKILL' });
  await world.settle();
  expect(core.task(waiting).state.status).toBe('RUNNING');
});

test('a pass that fails is tried again after a while, with nothing forgotten', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  planner.fails = 3;
  const id = await core.submit(['seconds=10']);
  const before = planner.passes.length;
  await world.pass(2500);
  expect(planner.passes.length - before).toBe(3);
  expect(core.task(id).state.status).toBe('PENDING');
  await world.pass(1000);
  expect(core.task(id).state.status).toBe('RUNNING');
  expect(core.said.map(({ message }) => message)).toEqual(
    Array.from({ length: 3 }, () => 'a planning pass failed; it will be tried again'),
  );
});

test.each(['commit', 'write'] as const)('a full disk (%s) does not make it race', async (mode) => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  core.fleet.change(world.nodeId(), { drained: true });
  const ids = [await core.submit(['seconds=100']), await core.submit(['seconds=100'])];
  await world.settle();
  using disk = world.sabotagedDisk();
  disk.refuse(mode);
  const before = planner.passes.length;
  core.fleet.change(world.nodeId(), { drained: false });
  await world.pass(10_000);
  expect(planner.passes.length - before).toBeLessThan(15);
  expect(world.machine().history.size).toBe(0);
  disk.repair();
  await world.pass(2000);
  expect(ids.map((id) => core.task(id).state.status)).toEqual(['RUNNING', 'RUNNING']);
});

test('why it waits is answered from the same predicates', async () => {
  const { world } = await aWorld();
  await using _ = world;
  const { core } = world;
  await core.submit(['seconds=1000'], { gpus: { count: 1 } });
  const id = await core.submit(['seconds=10'], { gpus: { count: 1 } });
  await world.settle();
  const reason = await core.tasks.why(id);
  expect(reason.nodes).toMatchObject([{ node: 'n1', fits: false, possible: true }]);
});

test('room is kept for what has waited although nothing else happens, and others are told for whom', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  await core.submit(['seconds=100000'], { gpus: { count: 1 } });
  const big = await core.submit(['seconds=10'], { gpus: { count: 1 }, name: 'train' });
  const small = await core.submit(['seconds=10'], { hold: true });
  await world.settle();
  expect((await core.tasks.why(small)).nodes[0]?.lacks).toEqual([]);
  const before = planner.passes.length;
  await world.pass(11 * 60_000);
  expect(planner.passes.length - before).toBeLessThan(10);
  expect((await core.tasks.why(small)).nodes[0]?.lacks).toEqual([
    `what is free is kept for task "train" (${big}), which comes first and has waited longer`,
  ]);
});

test('what a pass placed is no reason for another, nor that it began, unless its end is known by that', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  await world.settle();
  const before = planner.passes.length;
  await core.submit(['seconds=1000']);
  await world.settle();
  expect(planner.passes.length - before).toBe(1);
  await core.submit(['seconds=1000'], { timeLimitSeconds: 2000 });
  await world.settle();
  expect(planner.passes.length - before).toBe(3);
});

test('what is asked while a pass is under way takes no news from the next one', async () => {
  const { world, planner } = await aWorld();
  await using _ = world;
  const { core } = world;
  const thought = Promise.withResolvers<undefined>();
  planner.thinks = thought.promise;
  await core.submit(['seconds=1000'], { cores: 1 });
  await world.settle();
  const second = await core.submit(['seconds=1000'], { cores: 1 });
  await core.tasks.why(second);
  planner.thinks = Promise.resolve();
  thought.resolve(undefined);
  await world.settle();
  expect(core.task(second).state.status).toBe('RUNNING');
});
