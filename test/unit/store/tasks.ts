// Tasks to put into a store.
import type { BatchId, NodeId, TaskId } from '../../../src-main/contract/ids.ts';
import type { Place, Task, TaskSpec, TaskState } from '../../../src-main/domain/task.ts';
import type { NewTask } from '../../../src-main/store/task-repository.ts';

export const start = Date.UTC(2025, 0, 1);

export const nodeOne = '7000000000000000001' as NodeId;
export const nodeTwo = '7000000000000000002' as NodeId;

/** IDs as snowflakes are: beyond what a JavaScript number can hold exactly. */
export function taskIdOf(index: number): TaskId {
  return (7_100_000_000_000_000_001n + BigInt(index)).toString() as TaskId;
}

export const aPlace: Place = {
  nodeId: nodeOne,
  runtime: 'docker',
  gpus: [{ uuid: 'GPU-1', index: 0 }],
  cores: 2,
  memoryBytes: 1024,
  numa: 0,
  exclusive: false,
};

/** Waits for no time and no other task. */
const unbound = { notBefore: null, blockedBy: [] };

export function aSpec(changes: Partial<TaskSpec> = {}): TaskSpec {
  return {
    target: { node: 'n1', numa: null, gpus: [0] },
    vessel: { kind: 'image', reference: 'debian:12' },
    secretEnvNames: ['TOKEN'],
    cores: 2,
    memoryBytes: 1024,
    gpus: null,
    work: { kind: 'command', argv: ['python', 'train.py'] },
    env: { A: '1' },
    mounts: [{ source: '/data', destination: '/data', readOnly: true }],
    workdir: null,
    user: null,
    privileged: false,
    name: null,
    labels: {},
    exclusive: false,
    onNodeLabels: {},
    avoidNodes: [],
    keepFailed: false,
    after: [],
    arrayIndex: null,
    arrayMaxRunning: null,
    timeLimitSeconds: null,
    retries: null,
    notBefore: null,
    gang: false,
    sync: [],
    fetch: [],
    ...changes,
  };
}

export interface TaskChanges extends Partial<Omit<Task, 'spec' | 'id'>> {
  readonly spec?: Partial<TaskSpec>;
}

export function aTask(index: number, { spec, ...changes }: TaskChanges = {}): Task {
  return {
    id: taskIdOf(index),
    batchId: '7050000000000000001' as BatchId,
    type: 'command',
    spec: aSpec(spec),
    owner: 'anna',
    priority: 0,
    submittedAt: start,
    attempt: 0,
    imageDigest: null,
    disk: null,
    warnings: [],
    state: { status: 'PENDING', since: start, held: false, reason: null, ...unbound },
    ...changes,
  };
}

export const submitted = { kind: 'submitted', why: null, who: 'anna' };

export function asNew(task: Task): NewTask {
  return { task, record: submitted };
}

const kill = { at: start + 5, by: 'bob', signal: 'SIGTERM', graceMs: 10_000, deliveredAt: null };
const active = { since: start + 3, place: aPlace, assignedAt: start + 1, kill };
const ended = {
  since: start + 9,
  reason: 'exit code 3',
  place: aPlace,
  assignedAt: start + 1,
  startedAt: start + 2,
  end: { exitCode: 3, signal: null, oomKilled: false },
};

/** One state of each status and shape. */
export const everyState: readonly TaskState[] = [
  { status: 'PENDING_APPROVAL', since: start },
  { status: 'PENDING', since: start, held: true, reason: 'held by anna', ...unbound },
  {
    status: 'PENDING',
    since: start,
    held: false,
    reason: null,
    notBefore: start + 60_000,
    blockedBy: [taskIdOf(1)],
  },
  { status: 'ASSIGNING', ...active },
  { status: 'RUNNING', ...active, kill: null, startedAt: start + 2 },
  { status: 'PAUSED', ...active, startedAt: start + 2 },
  { status: 'LOST', ...active, reason: 'n1 is offline', was: 'ASSIGNING', startedAt: null },
  { status: 'LOST', ...active, reason: 'n1 is offline', was: 'PAUSED', startedAt: start + 2 },
  { status: 'COMPLETED', ...ended, reason: null },
  { status: 'FAILED', ...ended },
  { status: 'FAILED', ...ended, place: null, assignedAt: null, startedAt: null, end: null },
  { status: 'KILLED', ...ended, end: { exitCode: null, signal: 'SIGTERM', oomKilled: false } },
  { status: 'KILLED_OOM', ...ended, end: { exitCode: 137, signal: null, oomKilled: true } },
  { status: 'REJECTED', ...ended, place: null, assignedAt: null, startedAt: null, end: null },
  {
    status: 'FAILED',
    ...ended,
    missedKill: { at: start, by: 'bert', signal: 'SIGTERM', graceMs: 1000, deliveredAt: null },
  },
  { status: 'STOPPED', ...ended },
];
