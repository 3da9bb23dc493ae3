// Random worlds for the planner, random changes of them, and the plain truth to compare with.
import fc from 'fast-check';
import { nodeId, type NodeId, type TaskId } from '../../../../src-main/contract/ids.ts';
import type {
  Holding,
  Placement,
  PlannerNode,
  QueuedTask,
} from '../../../../src-main/domain/planner/model.ts';
import type { Planner } from '../../../../src-main/domain/planner/planner.ts';
import { plainPolicy, type PlannerPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { aGpu, aNode, GiB, queued } from '../builders.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];

/** Nodes with few of everything, so that they collide. */
export const nodes = fc
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

/** Tasks of all kinds; IDs repeat, so that one may change. */
export const tasks = fc
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

/** Nodes of different names. */
export const fleet = fc.uniqueArray(nodes, { selector: ({ name }) => name, maxLength: 12 });

/** A queue and nodes to start from. */
export const world = fc.record({
  nodes: fc.uniqueArray(nodes, { selector: ({ name }) => name, maxLength: 5 }),
  queue: fc.uniqueArray(tasks, { selector: ({ id }) => id, maxLength: 25 }),
  useForeignGpus: fc.boolean(),
});

/** Something that changes. */
export type Delta =
  | { kind: 'task'; task: QueuedTask }
  | { kind: 'end'; at: number }
  | { kind: 'kill'; at: number }
  | { kind: 'node'; node: PlannerNode }
  | { kind: 'node-gone'; name: number }
  | { kind: 'policy'; useForeignGpus: boolean }
  | { kind: 'pass' };

const at = fc.integer({ min: 0, max: 40 });
/** A course of events. */
export const deltas: fc.Arbitrary<Delta[]> = fc.array(
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
export class Truth {
  readonly queue = new Map<TaskId, QueuedTask>();
  readonly nodes = new Map<NodeId, PlannerNode>();
  readonly holdings = new Map<TaskId, Holding>();
  policy: PlannerPolicy = plainPolicy;

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
export function tell(
  delta: Exclude<Delta, { kind: 'pass' }>,
  truth: Truth,
  planner: Planner,
): void {
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
      truth.policy = { ...plainPolicy, useForeignGpus: delta.useForeignGpus };
      planner.setPolicy(truth.policy);
  }
}
