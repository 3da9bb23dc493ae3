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
  const { spec, state } = task;
  const run = runOf(state);
  const runtime = run.place?.runtime ?? runtimeOf(spec.vessel);
  return {
    id: task.id,
    batchId: task.batchId,
    name: spec.name,
    type: task.type,
    status: state.status,
    reason: 'reason' in state ? state.reason : null,
    held: state.status === 'PENDING' && state.held,
    phase: state.status === 'ASSIGNING' ? extras.phase : null,
    killRequested: 'kill' in state && state.kill !== null,
    exitCode: run.end?.exitCode ?? null,
    signal: run.end?.signal ?? null,
    node: run.place === null ? null : (extras.nodeName(run.place.nodeId) ?? null),
    nodeId: run.place?.nodeId ?? null,
    target: spec.target === null ? null : formatTarget(spec.target),
    gpus: [...(run.place?.gpus ?? [])],
    numa: run.place === null ? (spec.target?.numa ?? null) : run.place.numa,
    runtime,
    image: imageOf(spec.vessel),
    imageDigest: task.imageDigest,
    container: runtime === 'docker' && run.place !== null ? containerName(task) : null,
    ...asked(task),
    assignedAt: run.assignedAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    stdoutBytes: extras.stdoutBytes,
    stderrBytes: extras.stderrBytes,
    warnings: [...task.warnings],
  };
}

/** What was asked for, as it was asked. */
function asked(task: Task) {
  const { spec } = task;
  return {
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
    onNodeLabels: spec.onNodeLabels,
    avoidNodes: [...spec.avoidNodes],
    labels: spec.labels,
    priority: task.priority,
    attempt: task.attempt,
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
  switch (state.status) {
    case 'PENDING_APPROVAL':
    case 'PENDING':
      return { place: null, assignedAt: null, startedAt: null, finishedAt: null, end: null };
    case 'ASSIGNING': {
      const { place, assignedAt } = state;
      return { place, assignedAt, startedAt: null, finishedAt: null, end: null };
    }
    case 'RUNNING':
    case 'PAUSED':
    case 'LOST': {
      const { place, assignedAt, startedAt } = state;
      return { place, assignedAt, startedAt, finishedAt: null, end: null };
    }
    case 'COMPLETED':
    case 'FAILED':
    case 'KILLED':
    case 'KILLED_OOM':
    case 'REJECTED':
    case 'STOPPED': {
      const { place, assignedAt, startedAt, since, end } = state;
      return { place, assignedAt, startedAt, finishedAt: since, end };
    }
  }
}

/** The place whose resources a task holds now; null when it holds none. */
export function heldPlace(task: Task): Place | null {
  return 'kill' in task.state ? task.state.place : null;
}
