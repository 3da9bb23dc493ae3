// What must hold for every plan, on random worlds and random changes of them.
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { nodeId, taskId, type NodeId, type TaskId } from '../../../../src-main/contract/ids.ts';
import type {
  Holding,
  Placement,
  PlannerNode,
  QueuedTask,
} from '../../../../src-main/domain/planner/model.ts';
import { plan, Planner, plannerOf } from '../../../../src-main/domain/planner/planner.ts';
import { needHash, needOf, needsSame } from '../../../../src-main/domain/planner/need.ts';
import { compareQueued } from '../../../../src-main/domain/planner/task-queue.ts';
import { aGpu, aNode, GiB, queued } from '../builders.ts';

const names = ['a', 'b', 'c', 'd'];

const nodes = fc
  .record({
    name: fc.constantFrom(...names),
    cores: fc.integer({ min: 1, max: 8 }),
    memory: fc.integer({ min: 1, max: 8 }),
    gpus: fc.array(
      fc.record({
        big: fc.boolean(),
        foreign: fc.integer({ max: 5, min: 0 }),
        healthy: fc.integer({ min: 0, max: 8 }),
      }),
      { maxLength: 4 },
    ),
    parts: fc.integer({ min: 0, max: 2 }),
    state: fc.constantFrom('online', 'online', 'online', 'offline', 'disabled'),
    drained: fc.integer({ min: 0, max: 6 }),
    others: fc.integer({ min: 0, max: 6 }),
    load: fc.integer({ min: 0, max: 2 }),
    hasImage: fc.boolean(),
  })
  .map((seed): PlannerNode => {
    const uuid = (index: number) => `${seed.name}${String(index)}`;
    const half = Math.ceil(seed.cores / 2);
    return aNode(seed.name, {
      id: nodeId.parse(String(names.indexOf(seed.name) + 1)),
      cores: seed.cores,
      memoryBytes: seed.memory * GiB,
      state: seed.state as PlannerNode['state'],
      drained: seed.drained === 0,
      load: seed.load / 2,
      images: new Set(seed.hasImage ? ['debian:12'] : []),
      labels: { rack: String(seed.load) },
      numa: Array.from({ length: seed.parts }, (_, id) => ({
        id,
        cores: half,
        memoryBytes: (seed.memory * GiB) / 2,
      })),
      gpus: seed.gpus.map((gpu, index) =>
        aGpu(index, {
          uuid: uuid(index),
          memoryBytes: (gpu.big ? 80 : 24) * GiB,
          model: gpu.big ? 'A100' : 'RTX 4090',
          foreign: gpu.foreign === 0 ? { by: 'x' } : null,
          healthy: gpu.healthy > 0,
          numa: seed.parts === 0 ? null : index % seed.parts,
        }),
      ),
      foreignUse:
        seed.others === 0
          ? { cores: 1, memoryBytes: GiB, gpuUuids: [uuid(0)] }
          : { cores: 0, memoryBytes: 0, gpuUuids: [] },
    });
  });

const tasks = fc
  .record({
    id: fc.integer({ min: 1, max: 60 }),
    priority: fc.integer({ min: -1, max: 1 }),
    held: fc.integer({ min: 0, max: 9 }),
    cores: fc.integer({ min: 0, max: 4 }),
    memory: fc.integer({ min: 0, max: 3 }),
    gpus: fc.option(
      fc.record({
        count: fc.integer({ min: 1, max: 3 }),
        model: fc.constantFrom(undefined, 'a100'),
      }),
    ),
    target: fc.option(
      fc.record({
        node: fc.constantFrom(...names),
        numa: fc.option(fc.integer({ min: 0, max: 1 })),
        gpus: fc.option(
          fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 2 }),
        ),
      }),
      { freq: 3 },
    ),
    exclusive: fc.integer({ min: 0, max: 9 }),
    avoid: fc.option(fc.constantFrom(...names), { freq: 2 }),
    rack: fc.option(fc.constantFrom('0', '1'), { freq: 2 }),
  })
  .map((seed): QueuedTask =>
    queued(seed.id, {
      priority: seed.priority,
      held: seed.held === 0,
      cores: seed.cores,
      memoryBytes: seed.memory * GiB,
      gpus:
        seed.gpus === null
          ? null
          : {
              count: seed.gpus.count,
              ...(seed.gpus.model === undefined ? {} : { model: seed.gpus.model }),
            },
      target: seed.target,
      exclusive: seed.exclusive === 0,
      avoidNodes: seed.avoid === null ? [] : [seed.avoid],
      onNodeLabels: seed.rack === null ? {} : { rack: seed.rack },
    }),
  );

const world = fc.record({
  nodes: fc.uniqueArray(nodes, { selector: ({ name }) => name, maxLength: 4 }),
  queue: fc.uniqueArray(tasks, { selector: ({ id }) => id, maxLength: 25 }),
  useForeignGpus: fc.boolean(),
});

type Delta =
  | { kind: 'task'; task: QueuedTask }
  | { kind: 'end'; at: number }
  | { kind: 'kill'; at: number }
  | { kind: 'node'; node: PlannerNode }
  | { kind: 'node-gone'; name: number }
  | { kind: 'policy'; useForeignGpus: boolean }
  | { kind: 'pass' };

const at = fc.integer({ min: 0, max: 40 });
const deltas: fc.Arbitrary<Delta[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: tasks.map((task): Delta => ({ kind: 'task', task })) },
    { weight: 4, arbitrary: at.map((index): Delta => ({ kind: 'end', at: index })) },
    { weight: 2, arbitrary: at.map((index): Delta => ({ kind: 'kill', at: index })) },
    { weight: 3, arbitrary: nodes.map((node): Delta => ({ kind: 'node', node })) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 3 }).map((name): Delta => ({ kind: 'node-gone', name })),
    },
    {
      weight: 1,
      arbitrary: fc.boolean().map((useForeignGpus): Delta => ({ kind: 'policy', useForeignGpus })),
    },
    { weight: 5, arbitrary: fc.constant<Delta>({ kind: 'pass' }) },
  ),
  { maxLength: 60 },
);

/** The plain truth beside the planner's mirror. */
class Truth {
  readonly queue = new Map<TaskId, QueuedTask>();
  readonly nodes = new Map<NodeId, PlannerNode>();
  readonly holdings = new Map<TaskId, Holding>();
  policy = { useForeignGpus: false };

  input() {
    return {
      queue: [...this.queue.values()],
      nodes: [...this.nodes.values()],
      holdings: [...this.holdings.values()],
      policy: this.policy,
      now: 0,
    };
  }

  place(placements: readonly Placement[]): void {
    for (const { taskId: id, place } of placements) {
      this.queue.delete(id);
      this.holdings.set(id, { taskId: id, attempt: 1, place });
    }
  }
}

function pick<T>(items: Iterable<T>, index: number): T | undefined {
  const all = [...items];
  return all[index % Math.max(1, all.length)];
}

/** Tells the truth and the planner the same; passes are the caller's. */
function tell(delta: Exclude<Delta, { kind: 'pass' }>, truth: Truth, planner: Planner): void {
  switch (delta.kind) {
    case 'task':
      truth.holdings.delete(delta.task.id);
      truth.queue.set(delta.task.id, delta.task);
      planner.upsertTask(delta.task);
      return;
    case 'end': {
      const id = pick(truth.holdings.keys(), delta.at);
      if (id === undefined) return;
      truth.holdings.delete(id);
      planner.release(id);
      return;
    }
    case 'kill': {
      const id = pick(truth.queue.keys(), delta.at);
      if (id === undefined) return;
      truth.queue.delete(id);
      planner.removeTask(id);
      return;
    }
    case 'node':
      truth.nodes.set(delta.node.id, delta.node);
      planner.upsertNode(delta.node);
      return;
    case 'node-gone': {
      const id = nodeId.parse(String(delta.name + 1));
      truth.nodes.delete(id);
      planner.removeNode(id);
      return;
    }
    case 'policy':
      truth.policy = { useForeignGpus: delta.useForeignGpus };
      planner.setPolicy(truth.policy);
  }
}

test('a planner fed by changes says the same as one that starts from scratch', () => {
  fc.assert(
    fc.property(deltas, (changes) => {
      const truth = new Truth();
      const planner = new Planner(truth.policy);
      for (const change of [...changes, { kind: 'pass' } as const]) {
        if (change.kind === 'pass') {
          const expected = plan(truth.input());
          expect(planner.pass(0)).toEqual(expected);
          truth.place(expected);
          expect(planner.pass(0)).toEqual([]);
        } else {
          tell(change, truth, planner);
        }
      }
      for (const task of truth.queue.values()) {
        const fresh = plannerOf(truth.input());
        expect(planner.explain(task)).toEqual(fresh.explain(task));
      }
    }),
    { numRuns: 300 },
  );
});

test('the order in which queue, nodes and holdings are told does not matter', () => {
  fc.assert(
    fc.property(
      world,
      fc.infiniteStream(fc.nat({ max: 1_000_000 })),
      ({ nodes: some, queue, useForeignGpus }, keys) => {
        const input = { queue, nodes: some, holdings: [], policy: { useForeignGpus }, now: 0 };
        expect(
          plan({ ...input, queue: shuffled(queue, keys), nodes: shuffled(some, keys) }),
        ).toEqual(plan(input));
      },
    ),
  );
});

function shuffled<T>(items: readonly T[], keys: Iterator<number>): T[] {
  return items
    .map((item) => ({ item, key: Number(keys.next().value) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

test('nothing is promised twice or beyond what is there', () => {
  fc.assert(
    fc.property(world, ({ nodes: some, queue, useForeignGpus }) => {
      const placements = plan({
        queue,
        nodes: some,
        holdings: [],
        policy: { useForeignGpus },
        now: 0,
      });
      const uuids = placements.flatMap(({ place }) => place.gpus.map(({ uuid }) => uuid));
      expect(new Set(uuids).size).toBe(uuids.length);
      for (const node of some) {
        const here = placements
          .filter(({ place }) => place.nodeId === node.id)
          .map(({ place }) => place);
        if (here.length === 0) continue;
        const sum = (of: (place: Placement['place']) => number) =>
          here.reduce((total, place) => total + of(place), 0);
        expect(node.state).toBe('online');
        expect(node.drained).toBe(false);
        expect(sum(({ cores }) => cores)).toBeLessThanOrEqual(node.cores - node.foreignUse.cores);
        expect(sum(({ memoryBytes }) => memoryBytes)).toBeLessThanOrEqual(
          node.memoryBytes - node.foreignUse.memoryBytes,
        );
        if (here.some(({ exclusive }) => exclusive)) expect(here).toHaveLength(1);
        for (const part of node.numa) {
          const pinned = here.filter(({ numa }) => numa === part.id);
          expect(pinned.reduce((total, { cores }) => total + cores, 0)).toBeLessThanOrEqual(
            part.cores,
          );
        }
        for (const { uuid, index } of here.flatMap(({ gpus }) => gpus)) {
          expect(node.gpus[index]).toMatchObject({ uuid, healthy: true });
          expect(node.foreignUse.gpuUuids).not.toContain(uuid);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('each task gets what it asked for', () => {
  fc.assert(
    fc.property(world, ({ nodes: some, queue, useForeignGpus }) => {
      for (const { taskId: id, place } of plan({
        queue,
        nodes: some,
        holdings: [],
        policy: { useForeignGpus },
        now: 0,
      })) {
        const task = queue.find((one) => one.id === id);
        if (task === undefined) throw new Error('placed what was not queued');
        expect(place.cores).toBe(Math.max(1, task.cores));
        expect(place.numa).toBe(task.target?.numa ?? null);
        const named = task.target?.gpus;
        if (named != null) expect(place.gpus.map(({ index }) => index)).toEqual(named);
        else expect(place.gpus).toHaveLength(task.gpus?.count ?? 0);
      }
    }),
  );
});

test('the first task that fits anywhere starts first, and what still waits fits nowhere', () => {
  fc.assert(
    fc.property(world, ({ nodes: some, queue, useForeignGpus }) => {
      const input = { queue, nodes: some, holdings: [], policy: { useForeignGpus } };
      const before = plannerOf(input);
      const waiting = queue.filter(({ held }) => !held).sort(compareQueued);
      const first = waiting.find((task) => before.explain(task).nodes.some(({ fits }) => fits));
      const after = plannerOf(input);
      const placements = after.pass(0);
      expect(placements[0]?.taskId).toBe(first?.id);
      const isPlaced = new Set(placements.map(({ taskId: id }) => id));
      for (const task of waiting.filter(({ id }) => !isPlaced.has(id))) {
        for (const answer of after.explain(task).nodes) expect(answer.fits).toBe(false);
      }
      expect(placements.map(({ taskId: id }) => id)).toEqual(
        waiting.filter(({ id }) => isPlaced.has(id)).map(({ id }) => id),
      );
    }),
    { numRuns: 300 },
  );
});

test('who is ahead is who would be asked first', () => {
  fc.assert(
    fc.property(world, tasks, ({ queue }, task) => {
      const planner = plannerOf({
        queue,
        nodes: [],
        holdings: [],
        policy: { useForeignGpus: false },
      });
      const before = queue.filter((other) => !other.held && compareQueued(other, task) < 0);
      expect(planner.aheadOf({ ...task, id: taskId.parse(task.id) })).toBe(before.length);
    }),
  );
});

test('tasks of one shape need the same, and hash the same', () => {
  fc.assert(
    fc.property(tasks, tasks, (a, b) => {
      const isSame = JSON.stringify(plain(a)) === JSON.stringify(plain(b));
      expect(needsSame(a, b)).toBe(isSame);
      expect(needsSame(a, { ...a, id: b.id, priority: b.priority, owner: 'else' })).toBe(true);
      if (isSame) expect(needHash(a)).toBe(needHash(b));
    }),
    { numRuns: 1000 },
  );
});

/** A need without what JSON cannot show. */
function plain(task: QueuedTask) {
  const need = needOf(task);
  return { ...need, avoid: [...need.avoid] };
}

test('a planner that has seen many changes still says the same', () => {
  const busy = Array.from({ length: 40 }, (_, index) =>
    aNode(`n${String(index)}`, { cores: 2, gpuCount: 2 }),
  );
  const truth = new Truth();
  const planner = new Planner(truth.policy);
  for (const node of busy) tell({ kind: 'node', node }, truth, planner);
  for (let round = 0; round < 3000; round += 1) {
    const gpus = round % 3 === 0 ? { count: 1 + (round % 2) } : null;
    // A shape that is seldom asked for falls far behind the log of changes.
    const target = round % 501 === 0 ? { node: 'n7', numa: null, gpus: null } : null;
    tell(
      { kind: 'task', task: queued(round + 1, { gpus, target, cores: 1 + (round % 2) }) },
      truth,
      planner,
    );
    if (round % 3 === 0) tell({ kind: 'end', at: round * 7 }, truth, planner);
    const load = (round % 10) / 10;
    const node = { ...(busy[(round * 13) % 40] ?? aNode('x')), load };
    tell({ kind: 'node', node }, truth, planner);
    const placements = planner.pass(0);
    if (round % 50 === 0) expect(placements).toEqual(plan(truth.input()));
    truth.place(placements);
  }
  expect(truth.holdings.size).toBeGreaterThan(20);
});
