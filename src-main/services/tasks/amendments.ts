// Changing what waiting tasks ask for.
import type { BatchId, Instant, TaskId } from '../../contract/ids.ts';
import { isAppError } from '../../contract/errors.ts';
import type { TaskAmendment } from '../../contract/task.ts';
import { cycleOf } from '../../domain/dependencies.ts';
import { describeAmendment } from '../../domain/describe-amendment.ts';
import { SubmissionError } from '../../domain/errors.ts';
import { validateSubmission } from '../../domain/submission.ts';
import { submissionOf } from '../../domain/submission-of.ts';
import { parseTarget } from '../../domain/target.ts';
import { gangOf, type Task, type TaskEvent, type TaskSpec } from '../../domain/task.ts';
import type { Fleet } from '../fleet.ts';
import type { Asker, SubmissionDesk, Waits } from './submission-desk.ts';
import type { TaskBook } from './task-book.ts';
import type { OrderResult } from './task-service.ts';

export interface AmendmentParts {
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly desk: SubmissionDesk;
}

type Waiting = Task & { readonly state: { readonly status: 'PENDING' } };

export class Amendments {
  readonly #parts: AmendmentParts;

  constructor(parts: AmendmentParts) {
    this.#parts = parts;
  }

  /**
   * Changes each of these tasks, or says why not; durable when it resolves. What could never run so
   * is refused, unless it is on hold.
   */
  async amend(
    ids: readonly TaskId[],
    { who, changes }: Asker & { changes: TaskAmendment },
  ): Promise<OrderResult[]> {
    const { book } = this.#parts;
    const results = ids.map((id) => this.#amendOne(id, { who, changes }));
    await book.flushed();
    return results;
  }

  #amendOne(id: TaskId, options: Asker & { changes: TaskAmendment }): OrderResult {
    const { book } = this.#parts;
    const task = book.find(id)?.task;
    const status = task?.state.status ?? 'KILLED';
    if (task?.state.status !== 'PENDING') {
      const message = `Only a task that waits can be changed; it is ${status}.`;
      return { id, ok: false, status, message };
    }
    try {
      const outcome = book.apply(id, this.#event(task as Waiting, options));
      return 'refused' in outcome
        ? { id, ok: false, status: outcome.from, message: outcome.why }
        : { id, ok: true, status: outcome.task.state.status, message: null };
    } catch (error) {
      if (!isAppError(error) || error.code.startsWith('store/')) throw error;
      return { id, ok: false, status, message: error.message };
    }
  }

  /** Throws what `submit` would throw. */
  #event(task: Waiting, { who, changes }: Asker & { changes: TaskAmendment }): TaskEvent {
    const { fleet, desk } = this.#parts;
    const { target, after, hold, priority, notBefore, ...asked } = changes;
    const held = hold ?? task.state.held;
    const spec: TaskSpec = {
      ...task.spec,
      ...present(asked),
      ...(target === undefined ? {} : { target: target === null ? null : parseTarget(target) }),
      ...(notBefore === undefined ? {} : { notBefore }),
    };
    const waits = this.#waitsOf(task, after);
    const amended = { ...task, spec: { ...spec, after: waits.after } };
    validateSubmission(
      { ...submissionOf(amended), vessel: spec.vessel, hold: held },
      fleet.plannerNodes(),
      desk.policy,
    );
    return {
      kind: 'amended',
      by: who,
      spec: amended.spec,
      priority: priority ?? task.priority,
      held,
      notBefore: notBeforeOf(task, notBefore),
      blockedBy: waits.blockedBy,
      words: describeAmendment(changes),
    };
  }

  #waitsOf(task: Waiting, after: TaskAmendment['after']): Waits {
    if (after === undefined) return { after: task.spec.after, blockedBy: task.state.blockedBy };
    const waits = this.#parts.desk.waitsOf(after);
    const cycle = cycleOf(task.id, waits.blockedBy, this.#waitingFor());
    if (cycle === undefined) return waits;
    throw new SubmissionError(
      'task/cycle',
      `Then it would wait for itself: ${cycle.join(' waits for ')}.`,
      { field: 'after' },
    );
  }

  /** What each waiting task waits for: who starts together with others, for them too. */
  #waitingFor(): (id: TaskId) => readonly TaskId[] {
    const { book } = this.#parts;
    let gangs: ReadonlyMap<BatchId | null, Task[]> | undefined;
    return (id) => {
      const task = book.active(id);
      if (task?.state.status !== 'PENDING') return [];
      const gang = gangOf(task);
      if (gang === null) return task.state.blockedBy;
      gangs ??= Map.groupBy(book.all(), gangOf);
      const others = (gangs.get(gang) ?? []).filter((one) => one.id !== id);
      return [...task.state.blockedBy, ...others.map((one) => one.id)];
    };
  }
}

function notBeforeOf(task: Waiting, changed: Instant | null | undefined): Instant | null {
  return changed === undefined ? task.state.notBefore : changed;
}

/** Only what was really given. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
