import { describe, expect, test } from 'vitest';
import { describeLack, toWaitReason } from '../../../../src-main/domain/planner/explain.ts';
import type {
  GpusLack,
  Lack,
  PlannerNode,
  QueuedTask,
} from '../../../../src-main/domain/planner/model.ts';
import { plannerOf } from '../../../../src-main/domain/planner/plan.ts';
import { plainPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { parseTarget } from '../../../../src-main/domain/target.ts';
import { aGpu, aNode, GiB, idOf, queued } from '../builders.ts';

const gpus: GpusLack = {
  kind: 'gpus',
  wanted: 2,
  model: null,
  minMemoryBytes: null,
  total: 2,
  suitable: 2,
  free: 1,
  held: 0,
  foreign: 0,
  foreignBy: [],
  unhealthy: 0,
};

test.each<[Lack, string]>([
  [{ kind: 'node-state', state: 'offline' }, 'the node is offline'],
  [{ kind: 'drained' }, 'the node is drained: it takes nothing new'],
  [{ kind: 'not-the-target', wanted: 'm' }, 'the task is for m'],
  [{ kind: 'avoided' }, 'the task avoids this node'],
  [
    { kind: 'label', key: 'rack', wanted: '1', has: null },
    'label rack=1 wanted; the node has no such label',
  ],
  [{ kind: 'label', key: 'rack', wanted: '1', has: '2' }, 'label rack=1 wanted; here it is 2'],
  [{ kind: 'runtime', runtime: 'docker' }, 'Docker cannot be used on this node'],
  [
    { kind: 'cores', wanted: 1, free: 0, total: 8, numa: null, heldByOthers: 0 },
    '1 core wanted; 0 of 8 are free',
  ],
  [
    { kind: 'cores', wanted: 1, free: 0, total: 2, numa: null, heldByOthers: 2 },
    '1 core wanted; 0 of 2 are free, 2 are held by tasks of another KohakuRiver',
  ],
  [
    { kind: 'cores', wanted: 4, free: 1, total: 8, numa: 1, heldByOthers: 0 },
    '4 cores wanted; 1 of 8 is free on NUMA node 1',
  ],
  [
    { kind: 'cores', wanted: 4, free: 0, total: 0, numa: null, heldByOthers: 0 },
    'what it has is not known yet: it was never reached',
  ],
  [
    {
      kind: 'memory',
      wantedBytes: 8 * GiB,
      freeBytes: 1.5 * GiB,
      totalBytes: 16 * GiB,
      numa: null,
    },
    '8 GiB of memory wanted; 1.5 GiB of 16 GiB is free',
  ],
  [{ kind: 'numa-absent', numa: 3 }, 'there is no NUMA node 3'],
  [{ kind: 'gpu-absent', index: 4, count: 2 }, 'there is no GPU 4; the node has 2 GPUs'],
  [{ kind: 'gpu-absent', index: 0, count: 0 }, 'there is no GPU 0; the node has none'],
  [{ kind: 'gpu-held', index: 1, by: idOf(77) }, 'GPU 1 is held by task 77'],
  [{ kind: 'gpu-held', index: 1, by: null }, 'GPU 1 is held by another core'],
  [{ kind: 'gpu-unhealthy', index: 1 }, 'GPU 1 does not answer or is faulty'],
  [{ kind: 'exclusive', holders: 1 }, 'the node is wanted for the task alone; 1 task is on it'],
  [{ kind: 'held-exclusively', by: idOf(77) }, 'task 77 has the node for itself'],
  [
    { ...gpus, foreign: 1, foreignBy: ['anna (PID 3312)'] },
    '2 GPUs wanted; 1 is free, 1 is used by anna (PID 3312) outside the queue',
  ],
  [{ ...gpus, free: 0, held: 2 }, '2 GPUs wanted; none is free, 2 are held by tasks'],
  [{ ...gpus, unhealthy: 1 }, '2 GPUs wanted; 1 is free, 1 does not answer or is faulty'],
  [{ ...gpus, total: 0, suitable: 0, free: 0 }, '2 GPUs wanted; the node has none'],
  [{ ...gpus, total: 1, suitable: 1 }, '2 GPUs wanted; the node has 1'],
  [
    { ...gpus, wanted: 1, model: 'A100', suitable: 0, free: 0, total: 4 },
    '1 GPU with "A100" in the model name wanted; none of its 4 GPUs is such',
  ],
  [
    { ...gpus, minMemoryBytes: 40 * GiB, suitable: 1, total: 4 },
    '2 GPUs with at least 40 GiB wanted; the node has 1 such',
  ],
])('%j', (lack, sentence) => {
  expect(describeLack(lack)).toBe(sentence);
});

describe('why a task waits', () => {
  function why(task: QueuedTask, nodes: readonly PlannerNode[], queue: readonly QueuedTask[] = []) {
    return toWaitReason(
      plannerOf({ queue, nodes, holdings: [], policy: plainPolicy, now: 0 }).explain(task),
    );
  }

  test('names the nearest node and what it lacks', () => {
    const busy = aNode('busy', {
      gpus: [aGpu(0), aGpu(1, { foreign: { by: 'anna (PID 3312)' } })],
    });
    const reason = why(
      queued(5, { gpus: { count: 2 } }),
      [busy, aNode('none'), aNode('away', { gpuCount: 2, state: 'offline' })],
      [queued(1)],
    );
    expect(reason.ahead).toBe(1);
    expect(reason.summary).toBe(
      'It waits for busy (one of 2 nodes that could run it): 2 GPUs wanted; 1 is free, 1 is used by anna (PID 3312) outside the queue.',
    );
    expect(reason.nodes.map(({ node, fits, possible }) => [node, fits, possible])).toEqual([
      ['away', false, true],
      ['busy', false, true],
      ['none', false, false],
    ]);
    expect(reason.nodes[0]?.lacks).toEqual(['the node is offline']);
  });

  test('a task for one node hears of that node', () => {
    const reason = why(queued(5, { target: parseTarget('b'), cores: 99 }), [
      aNode('a'),
      aNode('b'),
    ]);
    expect(reason.summary).toBe(
      'No node could ever run it. Nearest is b: 99 cores wanted; 16 of 16 are free.',
    );
    expect(reason.nodes[0]?.lacks).toEqual(['the task is for b']);
  });

  test('says so when it fits, is on hold, or there is nothing', () => {
    expect(why(queued(5), [aNode('a'), aNode('b')]).summary).toBe(
      'It fits on a and 1 other node now.',
    );
    expect(why(queued(5, { held: true }), [aNode('a')])).toMatchObject({
      summary: 'It is on hold until somebody releases it.',
      ahead: null,
    });
    expect(why(queued(5), []).summary).toBe('There are no nodes yet.');
  });

  test('a node that was never reached may have anything', () => {
    const unknown = aNode('new', {
      cores: 0,
      memoryBytes: 0,
      state: 'connecting',
      runtimes: { docker: false, process: false },
    });
    expect(why(queued(5, { gpus: { count: 8 } }), [unknown]).nodes[0]).toMatchObject({
      fits: false,
      possible: true,
    });
    expect(why(queued(5, { avoidNodes: ['new'] }), [unknown]).nodes[0]).toMatchObject({
      possible: false,
    });
  });
});
