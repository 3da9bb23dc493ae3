import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../../src-main/contract/ids.ts';
import type {
  Holding,
  PlannerNode,
  QueuedTask,
} from '../../../../src-main/domain/planner/model.ts';
import { plan, plannerOf, type PlanInput } from '../../../../src-main/domain/planner/plan.ts';
import type { Planner } from '../../../../src-main/domain/planner/planner.ts';
import { plainPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { parseTarget } from '../../../../src-main/domain/target.ts';
import { aGpu, aNode, GiB, idOf, queued } from '../builders.ts';

const policy = plainPolicy;

function planned(input: Partial<PlanInput>): string[] {
  return placements(input).map(
    ({ taskId, node, gpus }) => `${taskId} ${node}${gpus.length > 0 ? ` ${gpus.join(',')}` : ''}`,
  );
}

function placements(input: Partial<PlanInput>) {
  const all = { queue: [], nodes: [], holdings: [], policy, now: 0, ...input };
  const names = new Map(all.nodes.map(({ id, name }) => [id, name]));
  return plan(all).map(({ taskId, place, why }) => ({
    taskId,
    node: names.get(place.nodeId) ?? '?',
    gpus: place.gpus.map(({ index }) => index),
    place,
    why,
  }));
}

function holding(
  task: number,
  node: PlannerNode,
  changes: Partial<Holding['place']> = {},
): Holding {
  return {
    taskId: idOf(task),
    attempt: 1,
    place: {
      nodeId: node.id,
      runtime: 'docker',
      gpus: [],
      cores: 1,
      memoryBytes: 0,
      numa: null,
      exclusive: false,
      ...changes,
    },
  };
}

function gpusOf(node: PlannerNode, ...indices: number[]) {
  return indices.map((index) => ({ uuid: node.gpus[index]?.uuid ?? '', index }));
}

describe('order', () => {
  const node = aNode('n', { cores: 1 });

  test('priority first, then submission', () => {
    const queue = [queued(1, { priority: -1 }), queued(3), queued(2), queued(9, { priority: 5 })];
    expect(planned({ queue, nodes: [aNode('n', { cores: 3 })] })).toEqual(['9 n', '2 n', '3 n']);
  });

  test('IDs of different length keep their order', () => {
    expect(planned({ queue: [queued(10), queued(9)], nodes: [node] })).toEqual(['9 n']);
  });

  test('what fits overtakes a head that does not', () => {
    const queue = [queued(1, { cores: 8, priority: 9 }), queued(2)];
    expect(planned({ queue, nodes: [node] })).toEqual(['2 n']);
  });

  test('what is on hold stays', () => {
    expect(planned({ queue: [queued(1, { held: true })], nodes: [node] })).toEqual([]);
  });
});

describe('what keeps a task from a node', () => {
  const free = aNode('n', { gpuCount: 4 });
  const one = { count: 1 };
  test.each<[string, Partial<QueuedTask>, PlannerNode, Holding[]]>([
    ['offline', {}, { ...free, state: 'offline' }, []],
    ['connecting', {}, { ...free, state: 'connecting' }, []],
    ['disabled', {}, { ...free, state: 'disabled' }, []],
    ['drained', {}, { ...free, drained: true }, []],
    ['another target', { target: parseTarget('m') }, free, []],
    ['avoided', { avoidNodes: ['n'] }, free, []],
    ['label', { onNodeLabels: { rack: '1' } }, { ...free, labels: { rack: '2' } }, []],
    ['runtime', {}, { ...free, runtimes: { docker: false, process: true } }, []],
    ['cores', { cores: 16 }, free, [holding(9, free)]],
    [
      'cores of others',
      { cores: 16 },
      { ...free, foreignUse: { cores: 1, memoryBytes: 0, gpuUuids: [] } },
      [],
    ],
    ['no limit counts as one core', { cores: 0 }, free, [holding(9, free, { cores: 16 })]],
    ['memory', { memoryBytes: 64 * GiB }, free, [holding(9, free, { memoryBytes: 1 })]],
    [
      'memory of others',
      { memoryBytes: 64 * GiB },
      { ...free, foreignUse: { cores: 0, memoryBytes: 1, gpuUuids: [] } },
      [],
    ],
    ['NUMA node', { target: parseTarget('n:1') }, free, []],
    ['GPU index', { target: parseTarget('n::4') }, free, []],
    [
      'named GPU held',
      { target: parseTarget('n::1') },
      free,
      [holding(9, free, { gpus: gpusOf(free, 1) })],
    ],
    [
      'named GPU of another core',
      { target: parseTarget('n::1') },
      { ...free, foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: ['GPU-n-1'] } },
      [],
    ],
    [
      'named GPU faulty',
      { target: parseTarget('n::0') },
      { ...free, gpus: [aGpu(0, { healthy: false })] },
      [],
    ],
    ['GPUs held', { gpus: { count: 4 } }, free, [holding(9, free, { gpus: gpusOf(free, 0) })]],
    [
      'GPU of another core',
      { gpus: { count: 4 } },
      { ...free, foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: ['GPU-n-1'] } },
      [],
    ],
    ['foreign GPU', { gpus: one }, { ...free, gpus: [aGpu(0, { foreign: { by: 'anna' } })] }, []],
    ['faulty GPU', { gpus: one }, { ...free, gpus: [aGpu(0, { healthy: false })] }, []],
    ['GPU model', { gpus: { count: 1, model: 'A100' } }, free, []],
    ['GPU memory', { gpus: { count: 1, minMemoryBytes: 25 * GiB } }, free, []],
    ['exclusive on a used node', { exclusive: true }, free, [holding(9, free)]],
    [
      'exclusive beside other cores',
      { exclusive: true },
      { ...free, foreignUse: { cores: 1, memoryBytes: 0, gpuUuids: [] } },
      [],
    ],
    ['held exclusively', {}, free, [holding(9, free, { exclusive: true })]],
  ])('%s', (...[, wish, node, holdings]) => {
    const task = queued(1, wish);
    expect(planned({ queue: [task], nodes: [node], holdings })).toEqual([]);
    const [answer] = plannerOf({ queue: [], nodes: [node], holdings, policy, now: 0 }).explain(
      task,
    ).nodes;
    expect(answer?.fits).toBe(false);
    expect(answer?.lacks.length).toBeGreaterThan(0);
  });

  test('a plain process needs no Docker, an exclusive task takes an empty node', () => {
    const node = aNode('n', { runtimes: { docker: false, process: true } });
    const queue = [
      queued(1, { vessel: { kind: 'process' }, exclusive: true }),
      queued(2, { vessel: { kind: 'process' } }),
    ];
    expect(planned({ queue, nodes: [node] })).toEqual(['1 n']);
  });

  test('a NUMA node is full when those pinned to it fill it, though the node is not', () => {
    const numa = [0, 1].map((id) => ({ id, cores: 8, memoryBytes: 32 * GiB }));
    const node = aNode('n', { numa });
    const holdings = [holding(9, node, { numa: 0, cores: 8 })];
    const queue = [
      queued(1, { target: parseTarget('n:0') }),
      queued(2, { target: parseTarget('n:1') }),
    ];
    expect(
      placements({ queue, nodes: [node], holdings }).map(({ taskId, place }) => [
        taskId,
        place.numa,
      ]),
    ).toEqual([['2', 1]]);
  });

  test('holdings on a node that is not registered hold nothing elsewhere', () => {
    const gone = aNode('gone');
    expect(
      planned({
        queue: [queued(1)],
        nodes: [aNode('n', { cores: 1 })],
        holdings: [holding(9, gone)],
      }),
    ).toEqual(['1 n']);
  });
});

describe('which node', () => {
  test('one NUMA node for the task and its GPUs comes before a tighter fit', () => {
    const numa = [0, 1].map((id) => ({ id, cores: 8, memoryBytes: 32 * GiB }));
    const split = aNode('split', {
      numa,
      gpus: [aGpu(0, { uuid: 's0', numa: 0 }), aGpu(1, { uuid: 's1', numa: 1 })],
    });
    const near = aNode('together', {
      numa,
      gpus: [0, 0, 1, 1].map((part, index) =>
        aGpu(index, { uuid: `t${String(index)}`, numa: part }),
      ),
    });
    expect(planned({ queue: [queued(1, { gpus: { count: 2 } })], nodes: [split, near] })).toEqual([
      '1 together 0,1',
    ]);
  });

  test('a NUMA node without cores or memory to spare takes nothing, whatever GPUs it has', () => {
    const numa = [0, 1].map((id) => ({ id, cores: 8, memoryBytes: 32 * GiB }));
    const gpus = [0, 1, 1].map((part, index) => aGpu(index, { numa: part }));
    const node = aNode('n', { numa, gpus });
    const queue = [queued(1, { gpus: { count: 1 }, cores: 2, memoryBytes: 2 * GiB })];
    const noCores = [holding(9, node, { numa: 0, cores: 7 })];
    expect(planned({ queue, nodes: [node] })).toEqual(['1 n 0']);
    expect(planned({ queue, nodes: [node], holdings: noCores })).toEqual(['1 n 1']);
    const noMemory = [holding(9, node, { numa: 0, memoryBytes: 31 * GiB })];
    expect(planned({ queue, nodes: [node], holdings: noMemory })).toEqual(['1 n 1']);
  });

  test('fewest GPUs stranded, then cores, then memory left', () => {
    const nodes = [aNode('a', { gpuCount: 4 }), aNode('b', { gpuCount: 2 }), aNode('c')];
    expect(planned({ queue: [queued(1, { gpus: { count: 1 } })], nodes })).toEqual(['1 b 0']);
    expect(planned({ queue: [queued(1)], nodes })).toEqual(['1 c']);
    expect(
      planned({ queue: [queued(1)], nodes: [aNode('a', { cores: 8 }), aNode('b', { cores: 4 })] }),
    ).toEqual(['1 b']);
    const memory = [aNode('a', { memoryBytes: 8 * GiB }), aNode('b', { memoryBytes: 4 * GiB })];
    expect(planned({ queue: [queued(1)], nodes: memory })).toEqual(['1 b']);
  });

  test('then where the image is, then the less loaded, then by name', () => {
    const image = new Set(['debian:12']);
    expect(
      planned({ queue: [queued(1)], nodes: [aNode('a'), aNode('b', { images: image, load: 1 })] }),
    ).toEqual(['1 b']);
    expect(
      planned({
        queue: [queued(1)],
        nodes: [aNode('a', { load: 0.5 }), aNode('b', { load: 0.1 })],
      }),
    ).toEqual(['1 b']);
    expect(planned({ queue: [queued(1)], nodes: [aNode('b'), aNode('a')] })).toEqual(['1 a']);
  });

  test('says why', () => {
    const node = aNode('n', { gpuCount: 2, images: new Set(['debian:12']) });
    expect(placements({ queue: [queued(1, { gpus: { count: 1 } })], nodes: [node] })[0]?.why).toBe(
      'best fit: n; leaves 1 of its GPUs free; has the image',
    );
    expect(
      placements({ queue: [queued(1, { target: parseTarget('n') })], nodes: [node] })[0]?.why,
    ).toContain('its target: n');
  });
});

describe('which GPUs', () => {
  const foreign = { by: 'anna (PID 3312)' };

  test('named ones, in the order named, also where others use them', () => {
    const node = aNode('n', { gpus: [aGpu(0, { foreign }), aGpu(1), aGpu(2)] });
    expect(
      planned({ queue: [queued(1, { target: parseTarget('n::2,0') })], nodes: [node] }),
    ).toEqual(['1 n 2,0']);
    const busy = aNode('n', { gpus: [aGpu(0, { foreign })] });
    expect(planned({ queue: [queued(1, { target: parseTarget('n::0') })], nodes: [busy] })).toEqual(
      ['1 n 0'],
    );
  });

  test('free ones before foreign ones, and those only where the policy allows', () => {
    const node = aNode('n', { gpus: [aGpu(0, { foreign }), aGpu(1)] });
    const queue = [queued(1, { gpus: { count: 1 } }), queued(2, { gpus: { count: 1 } })];
    expect(planned({ queue, nodes: [node] })).toEqual(['1 n 1']);
    expect(
      planned({ queue, nodes: [node], policy: { ...plainPolicy, useForeignGpus: true } }),
    ).toEqual(['1 n 1', '2 n 0']);
  });

  test('the smallest that suffice, of the wanted model', () => {
    const gpus = [
      aGpu(0, { model: 'NVIDIA A100-SXM4-80GB', memoryBytes: 80 * GiB }),
      aGpu(1, { model: 'NVIDIA A100-SXM4-40GB', memoryBytes: 40 * GiB }),
      aGpu(2),
    ];
    const nodes = [aNode('n', { gpus })];
    expect(planned({ queue: [queued(1, { gpus: { count: 1 } })], nodes })).toEqual(['1 n 2']);
    expect(planned({ queue: [queued(1, { gpus: { count: 1, model: 'a100' } })], nodes })).toEqual([
      '1 n 1',
    ]);
    expect(
      planned({ queue: [queued(1, { gpus: { count: 1, minMemoryBytes: 64 * GiB } })], nodes }),
    ).toEqual(['1 n 0']);
  });

  test('the NUMA node with fewest to spare; that of the target where one is named', () => {
    const numa = [0, 1].map((id) => ({ id, cores: 8, memoryBytes: 32 * GiB }));
    const gpus = [0, 0, 0, 1, 1].map((part, index) => aGpu(index, { numa: part }));
    const nodes = [aNode('n', { numa, gpus })];
    expect(planned({ queue: [queued(1, { gpus: { count: 2 } })], nodes })).toEqual(['1 n 3,4']);
    expect(
      planned({ queue: [queued(1, { gpus: { count: 2 }, target: parseTarget('n:0') })], nodes }),
    ).toEqual(['1 n 0,1']);
  });
});

describe('the mirror', () => {
  const node = aNode('n', { cores: 2 });

  function filled(): Planner {
    return plannerOf({
      queue: [queued(1), queued(2), queued(3)],
      nodes: [node],
      holdings: [],
      policy,
      now: 0,
    });
  }

  const ids = (planner: Planner) => planner.pass(0).map(({ taskId }) => taskId);

  test('counts what it placed, and places more when something frees', () => {
    const planner = filled();
    expect(ids(planner)).toEqual(['1', '2']);
    expect(ids(planner)).toEqual([]);
    planner.release(idOf(1));
    expect(ids(planner)).toEqual(['3']);
    expect(planner.queueLength).toBe(0);
  });

  test('takes a placement back when the task returns to the queue or is forgotten', () => {
    const planner = filled();
    planner.pass(0);
    planner.upsertTask(queued(1, { held: true }));
    expect(ids(planner)).toEqual(['3']);
    planner.upsertTask(queued(1));
    planner.forget(idOf(2));
    expect(ids(planner)).toEqual(['1']);
  });

  test('a holding told again, with its attempt, is held once', () => {
    const planner = filled();
    const [first] = planner.pass(0);
    if (first === undefined) throw new Error('nothing was placed');
    planner.hold({ taskId: first.taskId, attempt: 1, place: first.place });
    planner.release(first.taskId);
    expect(ids(planner)).toEqual(['3']);
  });

  test('a node that goes and comes back has its holdings; a renamed one is found by its new name', () => {
    const planner = filled();
    planner.pass(0);
    planner.removeNode(node.id);
    planner.upsertNode({ ...node, name: 'm' });
    planner.upsertTask(queued(4, { target: parseTarget('m') }));
    expect(ids(planner)).toEqual([]);
    planner.release(idOf(2));
    planner.removeTask(idOf(3));
    expect(ids(planner)).toEqual(['4']);
  });

  test('two nodes may swap their names', () => {
    const [a, b] = [
      aNode('a', { id: nodeId.parse('1') }),
      aNode('b', { id: nodeId.parse('2'), cores: 4 }),
    ];
    const planner = plannerOf({ queue: [], nodes: [a, b], holdings: [], policy, now: 0 });
    planner.upsertNode({ ...a, name: 'b' });
    planner.upsertNode({ ...b, name: 'a' });
    planner.upsertTask(queued(1, { target: parseTarget('a') }));
    planner.upsertTask(queued(2, { target: parseTarget('b') }));
    expect(planner.pass(0).map(({ place }) => place.nodeId)).toEqual(['2', '1']);
  });

  test('knows how many are ahead, whether the task is queued or not', () => {
    const planner = plannerOf({
      queue: [
        queued(5),
        queued(6, { cores: 3 }),
        queued(7, { priority: 1 }),
        queued(8, { held: true }),
      ],
      nodes: [],
      holdings: [],
      policy,
      now: 0,
    });
    expect(
      [5, 6, 7, 100].map((id) => planner.aheadOf(queued(id, { priority: id === 7 ? 1 : 0 }))),
    ).toEqual([1, 2, 0, 3]);
    planner.removeTask(idOf(5));
    expect(planner.aheadOf(queued(6))).toBe(1);
  });

  test('a new policy is applied to what waits', () => {
    const one = { gpus: { count: 1 } };
    const planner = plannerOf({
      queue: [queued(1, one), queued(2, one)],
      nodes: [
        aNode('m', { gpuCount: 1 }),
        aNode('n', { gpus: [aGpu(0, { foreign: { by: 'x' } })] }),
      ],
      holdings: [],
      policy,
      now: 0,
    });
    expect(ids(planner)).toEqual(['1']);
    planner.setPolicy({ ...plainPolicy, useForeignGpus: true });
    expect(ids(planner)).toEqual(['2']);
    planner.release(idOf(2));
    planner.setPolicy(policy);
    planner.upsertTask(queued(3, one));
    expect(ids(planner)).toEqual([]);
  });
});
