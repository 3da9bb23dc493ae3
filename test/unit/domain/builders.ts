// Builders for tasks, nodes and queue entries of the domain's tests.
import {
  batchId,
  coreId,
  nodeId,
  taskId,
  type NodeId,
  type TaskId,
} from '../../../src-main/contract/ids.ts';
import { taskSubmission, type TaskSubmissionInput } from '../../../src-main/contract/task.ts';
import { newTask } from '../../../src-main/domain/new-task.ts';
import type {
  PlannerGpu,
  PlannerNode,
  QueuedTask,
} from '../../../src-main/domain/planner/model.ts';
import type {
  Place,
  Refusal,
  Task,
  TaskEvent,
  TaskState,
  Transition,
} from '../../../src-main/domain/task.ts';
import { isRefusal } from '../../../src-main/domain/task.ts';
import { transition } from '../../../src-main/domain/task-machine.ts';
import { parseTarget } from '../../../src-main/domain/target.ts';

export const GiB = 2 ** 30;
export const aNodeId: NodeId = nodeId.parse('11');
export const aCoreId = coreId.parse('99');
export const t0 = 1_700_000_000_000;

export const aPlace: Place = {
  nodeId: aNodeId,
  runtime: 'docker',
  gpus: [{ uuid: 'GPU-a', index: 0 }],
  cores: 1,
  memoryBytes: GiB,
  numa: null,
  exclusive: false,
};

export function idOf(number: number): TaskId {
  return taskId.parse(String(number));
}

export function aTask(changes: Partial<TaskSubmissionInput> = {}): Task {
  const submission = taskSubmission.parse({
    work: { kind: 'command', argv: ['true'] },
    ...changes,
  });
  return newTask({
    id: idOf(1000),
    batchId: batchId.parse('500'),
    submission,
    target: submission.targets[0] === undefined ? null : parseTarget(submission.targets[0]),
    vessel: submission.vessel ?? { kind: 'image', reference: 'debian:12' },
    owner: 'anna',
    now: t0,
    warnings: [],
  });
}

/** Tells a task events, one second apart; throws at a refusal. */
export function told(task: Task, ...events: readonly TaskEvent[]): Task {
  let now = task.state.since;
  return events.reduce((current, event) => {
    now += 1000;
    const outcome = transition(current, event, now);
    if (isRefusal(outcome)) throw new Error(`${outcome.refused}: ${outcome.why}`);
    return outcome.task;
  }, task);
}

/** One event, a minute later; throws at a refusal. */
export function step(task: Task, event: TaskEvent): Transition {
  const outcome = transition(task, event, t0 + 60_000);
  if (isRefusal(outcome)) throw new Error(outcome.why);
  return outcome;
}

/** One event that must be refused. */
export function refused(task: Task, event: TaskEvent): Refusal {
  const outcome = transition(task, event, t0 + 60_000);
  if (!isRefusal(outcome)) throw new Error(`${event.kind} was taken`);
  return outcome;
}

export const placed: TaskEvent = { kind: 'placed', place: aPlace, why: null };
export const started: TaskEvent = {
  kind: 'started',
  attempt: 1,
  at: t0 + 1500,
  imageDigest: 'sha256:1',
};
export const paused: TaskEvent = { kind: 'paused', attempt: 1, by: 'anna' };
export const lost: TaskEvent = { kind: 'node-lost', attempt: 1, why: 'no answer for 30 s' };
export const killed: TaskEvent = {
  kind: 'kill-requested',
  by: 'bert',
  signal: 'SIGTERM',
  graceMs: 10_000,
};
export const delivered: TaskEvent = { kind: 'kill-delivered', attempt: 1 };

/** An end as the node tells it. */
export function ended(
  end: Partial<Extract<TaskEvent, { kind: 'ended' }>['end']>,
  why: string | null = null,
): TaskEvent {
  return {
    kind: 'ended',
    attempt: 1,
    end: { exitCode: null, signal: null, oomKilled: false, ...end },
    why,
  };
}

export function withState(task: Task, state: TaskState, attempt = 1): Task {
  return { ...task, state, attempt };
}

export function aGpu(index: number, changes: Partial<PlannerGpu> = {}): PlannerGpu {
  return {
    uuid: `GPU-${String(index)}`,
    index,
    model: 'NVIDIA GeForce RTX 4090',
    memoryBytes: 24 * GiB,
    numa: null,
    foreign: null,
    healthy: true,
    ...changes,
  };
}

/** A node with 16 cores and 64 GiB; its GPUs get UUIDs of their own. */
export function aNode(
  name: string,
  changes: Partial<PlannerNode> & { readonly gpuCount?: number } = {},
): PlannerNode {
  const { gpuCount = 0, ...rest } = changes;
  return {
    id: nodeId.parse(String(Number.parseInt(Buffer.from(name).toString('hex'), 16) % 1e15)),
    name,
    state: 'online',
    drained: false,
    labels: {},
    cores: 16,
    memoryBytes: 64 * GiB,
    numa: [],
    gpus: Array.from({ length: gpuCount }, (_, index) =>
      aGpu(index, { uuid: `GPU-${name}-${String(index)}` }),
    ),
    runtimes: { docker: true, process: true },
    foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: [] },
    load: 0,
    images: new Set(),
    ...rest,
  };
}

export function queued(id: number, changes: Partial<QueuedTask> = {}): QueuedTask {
  return {
    id: idOf(id),
    owner: 'anna',
    priority: 0,
    submittedAt: t0 + id,
    held: false,
    target: null,
    cores: 1,
    memoryBytes: 0,
    gpus: null,
    vessel: { kind: 'image', reference: 'debian:12' },
    exclusive: false,
    onNodeLabels: {},
    avoidNodes: [],
    labels: {},
    timeLimitMs: null,
    waitingSince: t0 + id,
    gang: null,
    ...changes,
  };
}
