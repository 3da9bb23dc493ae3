// What must hold for every plan, on random worlds and random changes of them.
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { taskId } from '../../../../src-main/contract/ids.ts';
import type { Placement, QueuedTask } from '../../../../src-main/domain/planner/model.ts';
import { needHash, needOf, needsSame } from '../../../../src-main/domain/planner/need.ts';
import { plan, plannerOf } from '../../../../src-main/domain/planner/plan.ts';
import { Planner } from '../../../../src-main/domain/planner/planner.ts';
import { plainPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { compareIds } from '../../../../src-main/domain/snowflake.ts';
import { aNode, queued } from '../builders.ts';
import { deltas, fleet, tasks, tell, Truth, world } from './worlds.ts';

/** Of one owner, before anything has aged. */
function compareQueued(a: QueuedTask, b: QueuedTask): number {
  return b.priority - a.priority || compareIds(a.id, b.id);
}

test('a planner fed by changes says the same as one that starts from scratch', () => {
  fc.assert(
    fc.property(fleet, deltas, (some, changes) => {
      const truth = new Truth();
      const planner = new Planner(truth.policy);
      for (const node of some) tell({ kind: 'node', node }, truth, planner);
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
        const input = {
          queue,
          nodes: some,
          holdings: [],
          policy: { ...plainPolicy, useForeignGpus },
          now: 0,
        };
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
        policy: { ...plainPolicy, useForeignGpus },
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
        policy: { ...plainPolicy, useForeignGpus },
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
      const input = {
        queue,
        nodes: some,
        holdings: [],
        policy: { ...plainPolicy, useForeignGpus },
        now: 0,
      };
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
        policy: plainPolicy,
        now: 0,
      });
      const before = queue.filter((other) => !other.held && compareQueued(other, task) < 0);
      expect(planner.aheadOf({ ...task, id: taskId.parse(task.id) })).toBe(before.length);
    }),
  );
});

test('tasks of one shape need the same, and hash the same', () => {
  const keys = fc.constantFrom<(keyof QueuedTask)[]>(
    'target',
    'cores',
    'memoryBytes',
    'gpus',
    'exclusive',
    'onNodeLabels',
    'avoidNodes',
    'vessel',
  );
  fc.assert(
    fc.property(tasks, tasks, keys, (a, other, key) => {
      // Unlike in one thing at most; of targets, in one part.
      const b = { ...a, id: other.id, owner: 'else', [key]: other[key] };
      const target = a.target === null ? null : { ...a.target, numa: (a.target.numa ?? 0) + 1 };
      for (const like of [b, { ...a, target }]) {
        const isSame = JSON.stringify(plain(a)) === JSON.stringify(plain(like));
        expect(needsSame(a, like)).toBe(isSame);
        if (isSame) expect(needHash(a)).toBe(needHash(like));
      }
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
