// Making a task from a checked submission.
import type { BatchId, Instant, TaskId } from '../contract/ids.ts';
import type { Dependency } from '../contract/task-shape.ts';
import type { TaskFetch } from '../contract/task-files.ts';
import type { TaskSubmission, Vessel, Work } from '../contract/task.ts';
import type { Element } from './elements.ts';
import type { Task } from './task.ts';
import type { Target } from './target.ts';

export interface NewTask {
  readonly id: TaskId;
  /** Default: a command. */
  readonly type?: Task['type'];
  readonly batchId: BatchId;
  readonly submission: TaskSubmission;
  /** The one of the submission's targets that this task is for; null where the scheduler chooses. */
  readonly target: Target | null;
  /** The submission's vessel, or the default that stands for it. */
  readonly vessel: Vessel;
  readonly owner: string;
  readonly now: Instant;
  readonly warnings: readonly string[];
  /** Which element of an array it is. */
  readonly element?: Element | null;
  readonly after?: readonly Dependency[];
  /** Those of `after` that have not ended. */
  readonly blockedBy?: readonly TaskId[];
}

/**
 * A task in the queue, for one target of a submission that `validateSubmission` let through. Values
 * of secret variables are left out: only their names stay.
 */
export function newTask(args: NewTask): Task {
  const { submission, now, element = null } = args;
  return {
    id: args.id,
    batchId: args.batchId,
    type: args.type ?? 'command',
    spec: {
      target: args.target,
      cores: submission.cores,
      memoryBytes: submission.memoryBytes,
      gpus: submission.gpus,
      work: workOf(submission.work, element),
      vessel: args.vessel,
      env: { ...submission.env, ...element?.parameters },
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
      after: args.after ?? [],
      arrayIndex: element === null ? null : element.index,
      arrayMaxRunning: (submission.array ?? submission.sweep)?.maxRunning ?? null,
      timeLimitSeconds: submission.timeLimitSeconds,
      retries: submission.retries,
      notBefore: submission.notBefore,
      gang: submission.gang,
      sync: submission.sync,
      fetch: submission.fetch.map((one) => fetchOf(one, args.id, element)),
    },
    owner: args.owner,
    priority: submission.priority,
    submittedAt: now,
    attempt: 0,
    imageDigest: null,
    warnings: args.warnings,
    disk: null,
    state: {
      status: 'PENDING',
      since: now,
      held: submission.hold,
      reason: null,
      notBefore: submission.notBefore,
      blockedBy: args.blockedBy ?? [],
    },
  };
}

/** Each task of an array brings its results to a place of its own. */
function fetchOf({ from, to }: TaskFetch, id: TaskId, element: Element | null): TaskFetch {
  const named = (path: string) =>
    path.replaceAll('{id}', id).replaceAll('{index}', String(element?.index ?? 0));
  return { from: named(from), to: named(to) };
}

/** In a command, `{NAME}` of a sweep's parameter stands for its value; a script reads the variable. */
function workOf(work: Work, element: Element | null): Work {
  if (work.kind === 'script' || element === null) return work;
  const { parameters } = element;
  const replaced = (word: string) =>
    word.replace(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) =>
      Object.hasOwn(parameters, name) ? (parameters[name] ?? whole) : whole,
    );
  return { kind: 'command', argv: work.argv.map(replaced) };
}
