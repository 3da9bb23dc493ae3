// Making a task from a checked submission.
import type { BatchId, Instant, TaskId } from '../contract/ids.ts';
import type { TaskSubmission, Vessel } from '../contract/task.ts';
import type { Task } from './task.ts';
import type { Target } from './target.ts';

export interface NewTask {
  readonly id: TaskId;
  readonly batchId: BatchId;
  readonly submission: TaskSubmission;
  /** The one of the submission's targets that this task is for; null where the scheduler chooses. */
  readonly target: Target | null;
  /** The submission's vessel, or the default that stands for it. */
  readonly vessel: Vessel;
  readonly owner: string;
  readonly now: Instant;
  readonly warnings: readonly string[];
}

/**
 * A task in the queue, for one target of a submission that `validateSubmission` let through. Values
 * of secret variables are left out: only their names stay.
 */
export function newTask(args: NewTask): Task {
  const { submission, now } = args;
  return {
    id: args.id,
    batchId: args.batchId,
    type: 'command',
    spec: {
      target: args.target,
      cores: submission.cores,
      memoryBytes: submission.memoryBytes,
      gpus: submission.gpus,
      work: submission.work,
      vessel: args.vessel,
      env: submission.env,
      secretEnvNames: Object.keys(submission.secretEnv).sort(),
      mounts: submission.mounts,
      workdir: submission.workdir,
      user: submission.user,
      privileged: submission.privileged,
      name: submission.name,
      labels: submission.labels,
      exclusive: submission.exclusive,
      onNodeLabels: submission.onNodeLabels,
      avoidNodes: submission.avoidNodes,
      keepFailed: submission.keepFailed,
    },
    owner: args.owner,
    priority: submission.priority,
    submittedAt: now,
    attempt: 0,
    imageDigest: null,
    warnings: args.warnings,
    state: { status: 'PENDING', since: now, held: submission.hold, reason: null },
  };
}
