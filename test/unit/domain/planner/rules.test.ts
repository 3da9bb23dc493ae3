// The rules of the queue by example: shares, aging, caps, backfill, reservations, and what «why» says.
import { describe, expect, test } from 'vitest';
import type { BatchId } from '../../../../src-main/contract/ids.ts';
import type { Reservation } from '../../../../src-main/domain/planner/guards.ts';
import { toWaitReason } from '../../../../src-main/domain/planner/explain.ts';
import type {
  Holding,
  PlannerNode,
  QueuedTask,
} from '../../../../src-main/domain/planner/model.ts';
import { plan, plannerOf, type PlanInput } from '../../../../src-main/domain/planner/plan.ts';
import { plainPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { parseTarget } from '../../../../src-main/domain/target.ts';
import { aNode, GiB, idOf, queued, t0 } from '../builders.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = t0 + hour;
const node = aNode('n', { cores: 4, gpuCount: 4 });

function input(changes: Partial<PlanInput>): PlanInput {
  return { queue: [], nodes: [node], holdings: [], policy: plainPolicy, now, ...changes };
}

function started(changes: Partial<PlanInput>): string[] {
  return plan(input(changes)).map(({ taskId }) => taskId);
}

/** Holds so many GPUs and cores of a node from the first on. */
function holding(id: number, on: PlannerNode, changes: HoldingChanges = {}): Holding {
  const { gpus = [], cores = 1, endsAt = null, owner = 'anna', labels = {} } = changes;
  return {
    taskId: idOf(id),
    attempt: 1,
    place: {
      nodeId: on.id,
      runtime: 'docker',
      gpus: gpus.map((index) => ({ uuid: on.gpus[index]?.uuid ?? '', index })),
      cores,
      memoryBytes: 0,
      numa: null,
      exclusive: false,
    },
    counted: { owner, labels },
    endsAt,
  };
}
interface HoldingChanges {
  gpus?: number[];
  cores?: number;
  endsAt?: number | null;
  owner?: string;
  labels?: Record<string, string>;
}

/** Waits since just now, unless said otherwise. */
function waiting(id: number, changes: Partial<QueuedTask> = {}): QueuedTask {
  return queued(id, { waitingSince: now, ...changes });
}

describe('between owners', () => {
  const one = aNode('n', { cores: 1 });
  const queue = [waiting(1), waiting(2, { owner: 'bert' })];

  test('who used less comes first; a single owner has first come, first served', () => {
    const usage = new Map([['anna', 10]]);
    expect(started({ queue, nodes: [one], usage })).toEqual(['2']);
    expect(started({ queue, nodes: [one] })).toEqual(['1']);
    const mine = [waiting(2), waiting(1), waiting(3)];
    expect(started({ queue: mine, usage })).toEqual(['1', '2', '3']);
  });

  test('priority goes before shares; without fair share only submission counts', () => {
    const usage = new Map([['anna', 10]]);
    const first = [waiting(1, { priority: 1 }), waiting(2, { owner: 'bert' })];
    expect(started({ queue: first, nodes: [one], usage })).toEqual(['1']);
    const policy = { ...plainPolicy, fairShare: false };
    expect(started({ queue, nodes: [one], usage, policy })).toEqual(['1']);
  });

  test('what is placed in a pass counts at once: owners take turns', () => {
    const crowd = [1, 2, 3, 4].map((id) => waiting(id));
    const others = [5, 6].map((id) => waiting(id, { owner: 'bert' }));
    expect(started({ queue: [...crowd, ...others] })).toEqual(['1', '5', '2', '6']);
  });

  test('waiting counts as priority in time', () => {
    const policy = { ...plainPolicy, agingMs: 10 * minute };
    const queue = [
      waiting(9, { priority: 2 }),
      waiting(8, { waitingSince: now - 29 * minute }),
      waiting(7, { waitingSince: now - 30 * minute }),
    ];
    expect(started({ queue, policy })).toEqual(
      ['7', '8', '9'].sort((a, b) => (a === '7' ? -1 : Number(a) - Number(b))),
    );
    const planner = plannerOf({ ...input({ queue, policy, nodes: [] }), now: now - 30 * minute });
    planner.pass(now - 30 * minute);
    expect(planner.aheadOf(queue[2] as QueuedTask)).toBe(1);
    planner.pass(now);
    expect(planner.aheadOf(queue[2] as QueuedTask)).toBe(0);
  });
});

describe('caps', () => {
  test.each<[string, Partial<typeof plainPolicy>, string[]]>([
    ['tasks of an owner', { maxRunningPerOwner: 2 }, ['1', '3']],
    ['GPUs of an owner', { maxGpusPerOwner: 2 }, ['1', '3']],
    ['tasks with a label', { labelCaps: [{ key: 'team', value: 'vision', most: 2 }] }, ['1', '2']],
  ])('%s', (_what, rules, expected) => {
    const labels = { team: 'vision' };
    const gpus = { count: 1 };
    const queue = [
      waiting(1, { gpus, labels }),
      waiting(2, { gpus }),
      waiting(3, { gpus, owner: 'bert', labels }),
    ];
    const held = holding(9, node, { gpus: [0], labels });
    const policy = { ...plainPolicy, fairShare: false, ...rules };
    expect(started({ queue, holdings: [held], policy })).toEqual(expected);
    const planner = plannerOf(input({ queue, holdings: [held], policy }));
    planner.pass(now);
    const kept = queue.find(({ id }) => !expected.includes(id)) as QueuedTask;
    const { summary, suggestions } = toWaitReason(planner.explain(kept));
    expect(summary).toMatch(/at most|2 at most/);
    expect(suggestions).toEqual([]);
  });

  test('a wish beyond the cap is said to be hopeless', () => {
    const policy = { ...plainPolicy, maxGpusPerOwner: 2 };
    const task = waiting(1, { gpus: { count: 3 } });
    const reason = toWaitReason(plannerOf(input({ policy })).explain(task));
    expect(reason.summary).toBe(
      '3 GPUs wanted; one owner may hold 2 at most, so it can never start.',
    );
    expect(reason.suggestions.map(({ words }) => words)).toEqual(['Ask for 2 GPUs']);
  });
});

describe('backfill', () => {
  const four = { count: 4 };
  const two = { count: 2 };
  /** Two GPUs come free in an hour at the latest. */
  const limited = [holding(90, node, { gpus: [0, 1], endsAt: now + hour })];
  const unlimited = [holding(90, node, { gpus: [0, 1] })];
  const head = waiting(1, { gpus: four });

  test('where limits tell when the first can start, those that are over by then overtake it', () => {
    const behind = (timeLimitMs: number | null) => [head, waiting(2, { gpus: two, timeLimitMs })];
    expect(started({ queue: behind(hour), holdings: limited })).toEqual(['2']);
    expect(started({ queue: behind(hour + 1), holdings: limited })).toEqual([]);
    expect(started({ queue: behind(null), holdings: limited })).toEqual([]);
    const [placed] = plan(input({ queue: behind(hour), holdings: limited }));
    expect(placed?.place.isBackfilled).toBe(true);
  });

  test('what the first will not need is for everybody', () => {
    const three = [holding(90, node, { gpus: [0, 1], cores: 2, endsAt: now + hour })];
    const queue = [waiting(1, { gpus: { count: 3 } }), waiting(2, { gpus: { count: 1 } })];
    expect(started({ queue, holdings: three })).toEqual(['2']);
    const cores = [waiting(1, { cores: 4 }), waiting(2)];
    expect(started({ queue: cores, holdings: limited })).toEqual([]);
    expect(started({ queue: [waiting(1, { cores: 4 }), waiting(2)], holdings: three })).toEqual([]);
  });

  test('where nobody knows, all may overtake for a while; then what it needs is kept', () => {
    const queue = [head, waiting(2, { gpus: two, timeLimitMs: 1000 })];
    expect(started({ queue, holdings: unlimited })).toEqual(['2']);
    const late = [{ ...head, waitingSince: now - 10 * minute }, ...queue.slice(1)];
    expect(started({ queue: late, holdings: unlimited })).toEqual([]);
  });

  test('what is kept is the room where least is missing; elsewhere others go on', () => {
    const other = aNode('m', { cores: 4, gpuCount: 4 });
    const holdings = [...unlimited, holding(91, other, { gpus: [0, 1, 2] })];
    const queue = [{ ...head, waitingSince: now - hour }, waiting(2, { gpus: { count: 1 } })];
    const [placed, ...rest] = plan(input({ queue, holdings, nodes: [node, other] }));
    expect(rest).toEqual([]);
    expect(placed?.place.nodeId).toBe(other.id);
    const planner = plannerOf(input({ queue, holdings, nodes: [node, other] }));
    planner.pass(now);
    expect(planner.claims).toMatchObject([
      { by: { kind: 'task', id: '1', at: null }, place: { nodeId: node.id } },
    ]);
  });

  test('an exclusive task gets its node empty', () => {
    const queue = [waiting(1, { exclusive: true, waitingSince: now - hour }), waiting(2)];
    expect(started({ queue, holdings: unlimited })).toEqual([]);
    expect(started({ queue })).toEqual(['1']);
  });

  test('nothing is kept for what can run nowhere now, nor for what a cap holds back', () => {
    const away = waiting(1, { target: parseTarget('gone'), waitingSince: now - hour });
    const large = waiting(1, { cores: 99, waitingSince: now - hour });
    expect(started({ queue: [away, waiting(2)] })).toEqual(['2']);
    expect(started({ queue: [large, waiting(2)] })).toEqual(['2']);
    const policy = { ...plainPolicy, maxGpusPerOwner: 2 };
    const capped = { ...head, waitingSince: now - hour };
    const queue = [capped, waiting(2, { gpus: two, owner: 'bert' })];
    expect(started({ queue, holdings: unlimited, policy })).toEqual(['2']);
  });

  test('a claim is given up with its task', () => {
    const queue = [{ ...head, waitingSince: now - hour }, waiting(2, { gpus: two })];
    const planner = plannerOf(input({ queue, holdings: unlimited }));
    expect(planner.pass(now)).toEqual([]);
    planner.removeTask(idOf(1));
    expect(planner.explain(queue[1] as QueuedTask).nodes[0]?.fits).toBe(true);
    expect(planner.pass(now).map(({ taskId }) => taskId)).toEqual(['2']);
  });
});

describe('gangs', () => {
  const gang = '500' as BatchId;
  const member = (id: number, changes: Partial<QueuedTask> = {}) =>
    waiting(id, { gang, gpus: { count: 2 }, ...changes });

  test('all start, or none does and others go on', () => {
    const queue = [member(1), member(2), waiting(3, { gpus: { count: 1 } })];
    expect(started({ queue })).toEqual(['1', '2']);
    const held = [holding(90, node, { gpus: [0] })];
    expect(started({ queue, holdings: held })).toEqual(['3']);
    const planner = plannerOf(input({ queue, holdings: held }));
    expect(planner.pass(now).map(({ taskId }) => taskId)).toEqual(['3']);
    expect(planner.queueLength).toBe(2);
    planner.release(idOf(90));
    planner.release(idOf(3));
    expect(planner.pass(now).map(({ taskId, gang: of }) => [taskId, of])).toEqual([
      ['1', gang],
      ['2', gang],
    ]);
  });

  test('one that is not ready keeps all from starting, until it is gone', () => {
    const queue = [member(1), member(2, { held: true })];
    const planner = plannerOf(input({ queue }));
    expect(planner.pass(now)).toEqual([]);
    expect(planner.explain(queue[0] as QueuedTask).caps).toEqual([
      { kind: 'gang', size: 2, fitting: 1, unready: 1 },
    ]);
    planner.forget(idOf(2));
    expect(planner.pass(now).map(({ taskId }) => taskId)).toEqual(['1']);
  });

  test('once it has waited, what found room keeps it and the next gets its as it frees up', () => {
    const waitingSince = now - hour;
    const queue = [
      member(1, { waitingSince }),
      member(2, { waitingSince }),
      waiting(3, { gpus: { count: 1 } }),
      waiting(4),
    ];
    const holdings = [holding(90, node, { gpus: [3] })];
    expect(started({ queue, holdings })).toEqual(['4']);
    const planner = plannerOf(input({ queue, holdings }));
    planner.pass(now);
    expect(planner.claims.map(({ by, place }) => [by.id, place.gpus.length])).toEqual([
      ['1', 2],
      ['2', 1],
    ]);
    planner.release(idOf(90));
    expect(planner.pass(now).map(({ taskId }) => taskId)).toEqual(['1', '2']);
  });

  test('its room is kept where all of it can be, and none on a node that can take one of it', () => {
    const waitingSince = now - hour;
    const nodes = ['a', 'b'].map((name) => aNode(name, { cores: 8, gpuCount: 4 }));
    const [a, b] = nodes as [PlannerNode, PlannerNode];
    const held = [0, 1, 2, 3].map((gpu) => holding(90 + gpu, b, { gpus: [gpu] }));
    const queue = [1, 2].map((id) => member(id, { gpus: { count: 3 }, waitingSince }));
    const small = [10, 11, 12, 13].map((id) => waiting(id, { gpus: { count: 1 } }));
    const planner = plannerOf(
      input({
        queue: [...queue, ...small],
        nodes,
        holdings: [holding(80, a, { gpus: [0] }), ...held],
      }),
    );
    const kept = () =>
      planner.claims.map(({ by, place }) => [by.id, place.nodeId, place.gpus.length]);
    planner.pass(now);
    // On a, where one GPU lacks, there never is room for both.
    expect(kept()).toEqual([
      ['1', a.id, 3],
      ['2', b.id, 0],
    ]);
    for (const { taskId } of held.slice(0, 2)) {
      planner.release(taskId);
      expect(planner.pass(now)).toEqual([]);
    }
    expect(kept()[1]).toEqual(['2', b.id, 2]);
    planner.release(idOf(92));
    expect(planner.pass(now).map(({ taskId, place }) => [taskId, place.nodeId])).toEqual([
      ['1', a.id],
      ['2', b.id],
    ]);
  });

  test('a small member leaves the only node of a large one to it', () => {
    const waitingSince = now - hour;
    const [large, small] = [aNode('a', { cores: 6 }), aNode('b', { cores: 3 })];
    const queue = [
      member(1, { gpus: null, cores: 3, waitingSince }),
      member(2, { gpus: null, cores: 6, waitingSince }),
    ];
    const planner = plannerOf(
      input({ queue, nodes: [large, small], holdings: [holding(90, small)] }),
    );
    expect(planner.pass(now)).toEqual([]);
    expect(planner.claims.map(({ place }) => place.nodeId)).toEqual([small.id, large.id]);
    planner.release(idOf(90));
    expect(planner.pass(now).map(({ place }) => place.nodeId)).toEqual([small.id, large.id]);
  });

  test('it waits in its place in the queue', () => {
    const queue = [waiting(1), member(2), member(3), waiting(4)];
    const planner = plannerOf(input({ queue, nodes: [] }));
    planner.pass(now);
    expect(queue.map((task) => planner.aheadOf(task))).toEqual([0, 1, 2, 3]);
  });
});

describe('reservations', () => {
  const reserved = (changes: Partial<Reservation> = {}): Reservation => ({
    id: '700',
    nodeId: node.id,
    gpus: null,
    from: now + hour,
    to: now + 2 * hour,
    owners: ['bert'],
    ...changes,
  });

  test('keep others off, unless they are over by then', () => {
    const reservations = [reserved()];
    const queue = [
      waiting(1),
      waiting(2, { timeLimitMs: hour }),
      waiting(3, { timeLimitMs: hour + 1 }),
      waiting(4, { owner: 'bert' }),
    ];
    expect(started({ queue, reservations }).sort()).toEqual(['2', '4']);
    const policy = { ...plainPolicy, assumedRunMs: hour };
    expect(started({ queue: [waiting(1)], reservations, policy })).toEqual(['1']);
    expect(started({ queue, reservations, now: now + 2 * hour })).toHaveLength(4);
  });

  test('of GPUs leave the rest of the node', () => {
    const gpus = [0, 1, 2].map((index) => node.gpus[index]?.uuid ?? '');
    const reservations = [reserved({ gpus, from: now })];
    const queue = [
      waiting(1, { gpus: { count: 2 } }),
      waiting(2, { gpus: { count: 1 } }),
      waiting(3, { target: parseTarget('n::0') }),
      waiting(4),
    ];
    const placed = plan(input({ queue, reservations }));
    expect(placed.map(({ taskId }) => taskId)).toEqual(['2', '4']);
    expect(placed[0]?.place.gpus).toMatchObject([{ index: 3 }]);
  });

  test('are what a task waits for, in words, and when it can start', () => {
    const task = waiting(1);
    const planner = plannerOf(input({ queue: [task], reservations: [reserved({ from: now })] }));
    planner.pass(now);
    const reason = toWaitReason(planner.explain(task));
    expect(reason.nodes[0]?.lacks).toEqual([
      'it is reserved for bert from 2023-11-14 23:13 UTC to 2023-11-15 01:13 UTC',
    ]);
    expect(reason.expected).toMatchObject({ at: now + 2 * hour, isPromise: true });
  });
});

describe('why', () => {
  const asking = (task: QueuedTask, changes: Partial<PlanInput>) => {
    const planner = plannerOf(input({ queue: [task], ...changes }));
    planner.pass(now);
    return toWaitReason(planner.explain(task));
  };

  test('says when it is to start, and what that rests on', () => {
    const task = waiting(1, { gpus: { count: 4 } });
    const endsAt = now + hour;
    const promised = asking(task, { holdings: [holding(90, node, { gpus: [0], endsAt })] });
    expect(promised.expected).toEqual({
      at: endsAt,
      isPromise: true,
      why: 'Room is kept for it on n; task 90 is over by its time limit by then at the latest.',
    });
    const unknown = { holdings: [holding(90, node, { gpus: [0] })] };
    expect(asking(task, unknown).expected).toMatchObject({ at: null, isPromise: false });
    const old = { ...task, waitingSince: now - hour };
    expect(asking(old, unknown).expected).toMatchObject({ at: null, isPromise: true });
    expect(asking(waiting(1, { cores: 99 }), {}).expected).toBeNull();
  });

  test('another one’s room is told as such', () => {
    const head = waiting(1, { gpus: { count: 4 }, waitingSince: now - hour });
    const task = waiting(2, { gpus: { count: 1 } });
    const holdings = [holding(90, node, { gpus: [0] })];
    const planner = plannerOf(input({ queue: [head, task], holdings }));
    planner.pass(now);
    const reason = toWaitReason(planner.explain(task));
    expect(reason.summary).toBe(
      'It waits for n: what is free is kept for task 1, which comes first and has waited longer.',
    );
    expect(reason.ahead).toBe(1);
  });

  test.each<[string, Partial<QueuedTask>, string, object]>([
    ['fewer GPUs', { gpus: { count: 4 } }, 'Ask for 2 GPUs', { gpus: { count: 2 } }],
    [
      'another model',
      { gpus: { count: 1, model: 'A100' } },
      'Take any model of GPU',
      { gpus: { count: 1 } },
    ],
    [
      'smaller GPUs',
      { gpus: { count: 1, minMemoryBytes: 80 * GiB } },
      'Take GPUs with less memory',
      { gpus: { count: 1 } },
    ],
    [
      'other GPUs',
      { target: parseTarget('n::0') },
      'Take other GPUs of n',
      { target: 'n', gpus: { count: 1 } },
    ],
    ['another node', { target: parseTarget('busy') }, 'Let it go to any node', { target: null }],
    [
      'less memory',
      { memoryBytes: 99 * GiB },
      'Ask for 64 GiB of memory',
      { memoryBytes: 64 * GiB },
    ],
    ['fewer cores', { cores: 4 }, 'Ask for 3 cores', { cores: 3 }],
    ['company', { exclusive: true }, 'Share the node', { exclusive: false }],
    ['no labels', { onNodeLabels: { a: 'b' } }, 'Drop the node labels', { onNodeLabels: {} }],
    ['no dislikes', { avoidNodes: ['n'] }, 'Avoid no node', { avoidNodes: [] }],
  ])('%s would let it start now', (_what, wish, words, changes) => {
    const busy = aNode('busy', { cores: 1 });
    const holdings = [holding(90, node, { gpus: [0, 1] }), holding(91, busy)];
    const { suggestions } = asking(waiting(1, wish), { holdings, nodes: [node, busy] });
    expect(suggestions).toContainEqual({ words, node: 'n', changes });
  });

  test('a time limit would let it overtake', () => {
    const head = waiting(1, { gpus: { count: 4 } });
    const holdings = [holding(90, node, { gpus: [0], endsAt: now + 5 * hour })];
    const task = waiting(2, { gpus: { count: 1 } });
    const planner = plannerOf(input({ queue: [head, task], holdings }));
    planner.pass(now);
    expect(planner.explain(task).suggestions).toEqual([
      {
        words: 'Give it a time limit of 4h',
        node: 'n',
        changes: { timeLimitSeconds: 4 * 3600 },
      },
    ]);
  });
});
