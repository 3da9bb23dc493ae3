// From what people ask for to tasks of the queue: checks a submission, resolves what it waits for, and
// makes one task for each target or element. Writes nothing.
import type { BatchId, TaskId } from '../../contract/ids.ts';
import { RequestError } from '../../contract/errors.ts';
import type { Dependency } from '../../contract/task-shape.ts';
import type { TaskSubmission, Vessel } from '../../contract/task.ts';
import type { Clock } from '../../domain/clock.ts';
import { standingOf } from '../../domain/dependencies.ts';
import { elementsOf } from '../../domain/elements.ts';
import { SubmissionError } from '../../domain/errors.ts';
import { newTask } from '../../domain/new-task.ts';
import type { SnowflakeFactory } from '../../domain/snowflake.ts';
import { checkShape } from '../../domain/submission-shape.ts';
import { mostTogether } from '../../domain/planner/plan.ts';
import { validateSubmission, type SubmissionPolicy } from '../../domain/submission.ts';
import { sentenceOf } from '../../domain/words.ts';
import type { Task } from '../../domain/task.ts';
import type { Fleet } from '../fleet.ts';
import { toQueued } from '../planner/dispatcher.ts';
import type { SettingsService } from '../settings.ts';
import type { TaskRecords } from './ports.ts';
import type { TaskBook } from './task-book.ts';

export interface SubmissionDeskParts {
  readonly book: TaskBook;
  readonly records: Pick<TaskRecords, 'resolveRef' | 'resolveBatch' | 'ofBatch'>;
  readonly fleet: Fleet;
  readonly settings: SettingsService;
  readonly ids: SnowflakeFactory;
  readonly clock: Clock;
}

export interface Accepted {
  taskIds: TaskId[];
  batchId: BatchId;
  warnings: string[];
}

/** Who asks: the owner of what they submit, and named in the history. */
export interface Asker {
  readonly who: string;
}

export interface Prepared {
  readonly accepted: Accepted;
  readonly tasks: readonly Task[];
  readonly secretEnv: Readonly<Record<string, string>>;
}

/** What a task waits for, and what of it is still open. */
export interface Waits {
  readonly after: readonly Dependency[];
  readonly blockedBy: readonly TaskId[];
}

/** A batch may wait for other batches whole; past this the lists grow too large to keep. */
const mostDependencies = 10_000;
/** Lists of dependencies are kept for each task of a batch. */
const mostEdges = 1_000_000;

export class SubmissionDesk {
  readonly #parts: SubmissionDeskParts;

  constructor(parts: SubmissionDeskParts) {
    this.#parts = parts;
  }

  get policy(): SubmissionPolicy {
    const { settings } = this.#parts;
    return {
      allowPrivileged: settings.get('tasks.allowPrivileged'),
      useForeignGpus: settings.get('tasks.useForeignGpus'),
    };
  }

  /** Throws what `validateSubmission` and `checkShape` throw, `not-found/task` and `task/never-runs`. */
  prepare(submission: TaskSubmission, asker: Asker): Prepared {
    const { fleet, ids, clock } = this.#parts;
    const now = clock.now();
    const vessel = this.vesselOf(submission);
    const shapeWarnings = checkShape(submission, now);
    const { targets, warnings } = validateSubmission(
      { ...submission, vessel },
      fleet.plannerNodes(),
      this.policy,
    );
    const waits = this.waitsOf(submission.after);
    const elements = elementsOf(submission) ?? [null];
    checkEdges(waits.after.length, elements.length * targets.length);
    const batchId = ids.batchId();
    const all = [...warnings, ...shapeWarnings];
    const owner = submission.owner ?? asker.who;
    const tasks = targets.flatMap((target) =>
      elements.map((element) =>
        newTask({
          id: ids.taskId(),
          ...{ batchId, submission, target, element, vessel, owner, now, warnings: all, ...waits },
        }),
      ),
    );
    if (submission.gang) this.#checkGang(tasks);
    const accepted = { taskIds: tasks.map((task) => task.id), batchId, warnings: all };
    return { accepted, tasks, secretEnv: submission.secretEnv };
  }

  /** Throws `task/never-fits` where not all of a gang could ever run at a time. */
  #checkGang(tasks: readonly Task[]): void {
    const { fleet, clock } = this.#parts;
    const queue = tasks.map((task) => toQueued(task, clock.now()));
    if (queue.some(({ held }) => held)) return;
    const together = mostTogether(queue, fleet.plannerNodes(), this.policy);
    if (together >= tasks.length) return;
    throw new SubmissionError(
      'task/never-fits',
      `These ${String(tasks.length)} tasks are to start together, and no more than ${String(together)} of them could ever run at a time on all nodes. Ask for less, leave "gang" off, or submit them on hold.`,
      { field: 'gang', value: tasks.length },
    );
  }

  /** What it runs in: as asked, or the default image, or a plain process where none is set. */
  vesselOf(submission: Pick<TaskSubmission, 'vessel'>): Vessel {
    if (submission.vessel !== null) return submission.vessel;
    const image = this.#parts.settings.get('tasks.defaultImage');
    return image === null || image === ''
      ? { kind: 'process' }
      : { kind: 'image', reference: image };
  }

  /**
   * Finds what is to be waited for. A batch stands for all of its tasks. Throws `not-found/task`, and
   * `task/never-runs` where one has already ended in the wrong way.
   */
  waitsOf(requests: TaskSubmission['after']): Waits {
    const after = new Map<TaskId, Dependency>();
    for (const { task: reference, on } of requests) {
      for (const task of this.#meant(reference)) {
        const twice = after.get(task);
        if (twice !== undefined && twice.on !== on) throw contradiction(task);
        after.set(task, { task, on });
      }
    }
    if (after.size > mostDependencies) throw tooMany(after.size);
    const blockedBy: TaskId[] = [];
    for (const dependency of after.values()) {
      const standing = standingOf(dependency, this.#parts.book.find(dependency.task)?.task);
      if (standing.kind === 'never') throw neverRuns(standing.why);
      if (standing.kind === 'open') blockedBy.push(dependency.task);
    }
    return { after: [...after.values()], blockedBy };
  }

  #meant(reference: string): readonly TaskId[] {
    const { records } = this.#parts;
    try {
      return [records.resolveRef(reference)];
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'not-found/task') throw error;
      try {
        return records.ofBatch(records.resolveBatch(reference));
      } catch {
        // A person who misspelt a task should read of tasks.
        throw error;
      }
    }
  }
}

function checkEdges(dependencies: number, tasks: number): void {
  if (dependencies * tasks > mostEdges) throw tooMany(dependencies * tasks);
}

function tooMany(count: number): SubmissionError {
  return new SubmissionError(
    'input/invalid',
    `That is ${String(count)} dependencies: put one small task between, that waits for the first lot and is waited for by the second.`,
    { field: 'after', value: count },
  );
}

function contradiction(task: TaskId): SubmissionError {
  return new SubmissionError(
    'input/invalid',
    `Task ${task} is to be waited for in two ways; give it once.`,
    { field: 'after', value: task },
  );
}

function neverRuns(why: string): SubmissionError {
  return new SubmissionError(
    'task/never-runs',
    `It could never run: ${sentenceOf(why)} Wait for another task, or for "any" end.`,
    { field: 'after' },
  );
}
