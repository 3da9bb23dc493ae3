// A task as clients see it: one flat shape made from the state that has exactly its true fields.
import type { NodeId } from '../contract/ids.ts';
import type { TaskView } from '../contract/task.ts';
import { containerName, imageOf, runtimeOf } from './names.ts';
import { formatTarget } from './target.ts';
import type { AttemptEnd, Place, Task, TaskState } from './task.ts';

/** What a view shows beyond the task itself. */
export interface TaskViewExtras {
  /** Undefined when the node is no longer registered. */
  readonly nodeName: (id: NodeId) => string | undefined;
  /** What a start is doing; shown while ASSIGNING only. */
  readonly phase: string | null;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** Flattens a task. The node of an ended task that is no longer registered shows as null, with its ID kept. */
export function toTaskView(task: Task, extras: TaskViewExtras): TaskView {
  return {
    id: task.id,
    batchId: task.batchId,
    type: task.type,
    ...asked(task),
    ...condition(task.state, extras),
    ...placement(task, runOf(task.state), extras),
    stdoutBytes: extras.stdoutBytes,
    stderrBytes: extras.stderrBytes,
    warnings: [...task.warnings],
  };
}

function condition(state: TaskState, extras: TaskViewExtras) {
  return {
    status: state.status,
    reason: 'reason' in state ? state.reason : null,
    held: state.status === 'PENDING' && state.held,
    notBefore: state.status === 'PENDING' ? state.notBefore : null,
    blockedBy: state.status === 'PENDING' ? [...state.blockedBy] : [],
    phase: state.status === 'ASSIGNING' ? extras.phase : null,
    killRequested: 'kill' in state && state.kill !== null,
  };
}

/** Where it runs or ran, and how that went. */
function placement(task: Task, run: Run, extras: TaskViewExtras) {
  const { place, end, ...times } = run;
  return {
    ...times,
    exitCode: end === null ? null : end.exitCode,
    signal: end === null ? null : end.signal,
    attempt: task.attempt,
    isBackfilled: place?.isBackfilled === true,
    image: imageOf(task.spec.vessel),
    imageDigest: task.imageDigest,
    ...(place === null ? wished(task) : taken(task, place, extras)),
  };
}

function taken(task: Task, place: Place, extras: TaskViewExtras) {
  return {
    node: extras.nodeName(place.nodeId) ?? null,
    nodeId: place.nodeId,
    gpus: [...place.gpus],
    numa: place.numa,
    runtime: place.runtime,
    container: place.runtime === 'docker' ? containerName(task) : null,
  };
}

/** Before there is a place. */
function wished({ spec }: Task) {
  return {
    node: null,
    nodeId: null,
    gpus: [],
    numa: spec.target?.numa ?? null,
    runtime: runtimeOf(spec.vessel),
    container: null,
  };
}

/** What was asked for, as it was asked. */
function asked(task: Task) {
  const { spec } = task;
  return {
    name: spec.name,
    target: spec.target === null ? null : formatTarget(spec.target),
    gpuRequest: spec.gpus,
    cores: spec.cores,
    memoryBytes: spec.memoryBytes,
    work: spec.work,
    env: spec.env,
    secretEnvNames: [...spec.secretEnvNames],
    mounts: [...spec.mounts],
    workdir: spec.workdir,
    user: spec.user,
    privileged: spec.privileged,
    exclusive: spec.exclusive,
    keepFailed: spec.keepFailed,
    after: [...spec.after],
    arrayIndex: spec.arrayIndex,
    arrayMaxRunning: spec.arrayMaxRunning,
    timeLimitSeconds: spec.timeLimitSeconds,
    retries: spec.retries,
    gang: spec.gang,
    sync: [...spec.sync],
    fetch: [...spec.fetch],
    onNodeLabels: spec.onNodeLabels,
    avoidNodes: [...spec.avoidNodes],
    labels: spec.labels,
    priority: task.priority,
    owner: task.owner,
    submittedAt: task.submittedAt,
  };
}

interface Run {
  readonly place: Place | null;
  readonly assignedAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly end: AttemptEnd | null;
}

/** Where and when it ran, as far as that is true of its state. */
function runOf(state: TaskState): Run {
  if (state.status === 'PENDING_APPROVAL' || state.status === 'PENDING') {
    return { place: null, assignedAt: null, startedAt: null, finishedAt: null, end: null };
  }
  const { place, assignedAt } = state;
  if ('kill' in state) {
    const startedAt = state.status === 'ASSIGNING' ? null : state.startedAt;
    return { place, assignedAt, startedAt, finishedAt: null, end: null };
  }
  return { place, assignedAt, startedAt: state.startedAt, finishedAt: state.since, end: state.end };
}

/** The place whose resources a task holds now; null when it holds none. */
export function heldPlace(task: Task): Place | null {
  return 'kill' in task.state ? task.state.place : null;
}
