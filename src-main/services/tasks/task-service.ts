// What people do with tasks: submit, look, and give orders. Decisions are the domain's; this writes
// them down and answers only what is on disk.
import type { TaskId } from '../../contract/ids.ts';
import { RequestError } from '../../contract/errors.ts';
import {
  isFinal,
  type TaskSubmission,
  type TaskView,
  type WaitReason,
} from '../../contract/task.ts';
import { notReady } from '../../domain/not-ready.ts';
import { capitalized } from '../../domain/words.ts';
import { submissionOf } from '../../domain/submission-of.ts';
import type { Task, TaskEvent } from '../../domain/task.ts';
import { toTaskView } from '../../domain/task-view.ts';
import { attemptRef } from '../attempts/attempt-ref.ts';
import { toQueued, type Dispatcher } from '../planner/dispatcher.ts';
import type { Fleet } from '../fleet.ts';
import type { SettingsService } from '../settings.ts';
import type { Accepted, Asker, SubmissionDesk } from './submission-desk.ts';
import type { TaskSecrets } from './task-secrets.ts';
import type { StoredTask, TaskRecords } from './ports.ts';
import type { TaskBook } from './task-book.ts';

export type { Accepted, Asker } from './submission-desk.ts';

export interface TaskServiceParts {
  readonly book: TaskBook;
  readonly records: TaskRecords;
  readonly fleet: Fleet;
  readonly dispatcher: Dispatcher;
  readonly settings: SettingsService;
  readonly secrets: TaskSecrets;
  readonly desk: SubmissionDesk;
  /** Removes the stored logs of tasks. */
  readonly removeLogs: (ids: readonly TaskId[]) => Promise<void>;
}

/** The outcome of an order for one task. */
export interface OrderResult {
  id: TaskId;
  ok: boolean;
  status: string;
  message: string | null;
}

export class TaskService {
  readonly #parts: TaskServiceParts;

  constructor(parts: TaskServiceParts) {
    this.#parts = parts;
  }

  /** Accepts a submission: one task per target, or one for the scheduler to place. Durable when it resolves. */
  async submit(submission: TaskSubmission, asker: Asker): Promise<Accepted> {
    const [accepted] = await this.submitMany([submission], asker);
    if (accepted === undefined) throw new Error('a submission was accepted without an answer');
    return accepted;
  }

  /** Accepts several submissions in one durable step, all or none. */
  async submitMany(submissions: readonly TaskSubmission[], asker: Asker): Promise<Accepted[]> {
    const prepared = submissions.map((submission) => this.#parts.desk.prepare(submission, asker));
    const { book, secrets } = this.#parts;
    book.add(
      prepared.flatMap(({ tasks }) => tasks),
      asker.who,
      () => {
        for (const { accepted, secretEnv } of prepared) secrets.keep(accepted.batchId, secretEnv);
      },
    );
    await book.flushed();
    return prepared.map(({ accepted }) => accepted);
  }

  /** A task as clients see it, with what is newer in memory than in the store. */
  view(stored: StoredTask): TaskView {
    const { fleet, book } = this.#parts;
    const { id } = stored.task;
    const { task, stdoutBytes, stderrBytes } =
      book.active(id) === undefined ? stored : (book.find(id) ?? stored);
    return toTaskView(task, {
      nodeName: (nodeId) => fleet.node(nodeId)?.name,
      phase: book.phase(id),
      stdoutBytes,
      stderrBytes,
    });
  }

  /** Throws `not-found/task` or `ambiguous/id`. */
  resolve(reference: string): TaskId {
    return this.#parts.records.resolveRef(reference);
  }

  find(reference: string): StoredTask {
    const id = this.resolve(reference);
    const found = this.#parts.book.find(id);
    if (found === undefined)
      throw new RequestError('not-found/task', `There is no task ${reference}.`);
    return found;
  }

  get(reference: string): TaskView {
    return this.view(this.find(reference));
  }

  /** Why it does not run yet; for one that does not wait, that. */
  async why(reference: string): Promise<WaitReason> {
    const { task } = this.find(reference);
    const { status } = task.state;
    if (status !== 'PENDING')
      return {
        summary: `It does not wait: it is ${status}.`,
        ahead: null,
        expected: null,
        suggestions: [],
        nodes: [],
      };
    const { dispatcher, book } = this.#parts;
    const own = notReady(task, book.now());
    if (dispatcher.isWaitingForTurn(task))
      own.push(`of its array at most ${String(task.spec.arrayMaxRunning)} run at a time`);
    const found = await dispatcher.explain(toQueued(task, book.now()));
    // What a VPS asks for is changed in words of its own.
    const reason = task.type === 'vps' ? { ...found, suggestions: [] } : found;
    if (own.length === 0) return reason;
    // What room there is does not matter yet.
    return {
      ...reason,
      summary: `${capitalized(own.join('; '))}.`,
      expected: null,
      suggestions: [],
    };
  }

  /**
   * Why each of some tasks waits, in a sentence; those that do not (any more) are left out. One after
   * another: many answers at once would hold the main thread.
   */
  async waits(ids: readonly TaskId[]): Promise<{ id: TaskId; summary: string }[]> {
    const answers: { id: TaskId; summary: string }[] = [];
    for (const id of ids) {
      if (this.#parts.book.find(id)?.task.state.status !== 'PENDING') continue;
      const { summary } = await this.why(id);
      answers.push({ id, summary });
    }
    return answers;
  }

  /** What a submission would meet now; stores nothing. Throws what `submit` would throw. */
  async explain(submission: TaskSubmission, asker: Asker): Promise<WaitReason> {
    const [task] = this.#parts.desk.prepare({ ...submission, hold: false }, asker).tasks;
    if (task === undefined) throw new Error('a submission without a task');
    return this.#parts.dispatcher.explain(toQueued(task, this.#parts.book.now()));
  }

  async kill(
    references: readonly string[],
    options: Asker & { signal: string; graceSeconds?: number | undefined },
  ): Promise<OrderResult[]> {
    return this.#order(references, (task) => this.killEvent(options, task));
  }

  /**
   * The wish to end something, with the grace of the settings where none is given. The disk of a VPS
   * goes only where somebody removes the VPS by that word: here it is stopped.
   */
  killEvent(
    { who, signal, graceSeconds }: Asker & { signal: string; graceSeconds?: number | undefined },
    { type }: Pick<Task, 'type'> = { type: 'command' },
  ): TaskEvent {
    const seconds = graceSeconds ?? this.#parts.settings.get('tasks.killGraceSeconds');
    const graceMs = seconds * 1000;
    if (type === 'vps') return { kind: 'stop-requested', by: who, graceMs, then: 'rest' };
    return { kind: 'kill-requested', by: who, signal, graceMs };
  }

  async hold(references: readonly string[], { who }: Asker): Promise<OrderResult[]> {
    return this.#order(references, () => ({ kind: 'held', by: who }));
  }

  async release(references: readonly string[], { who }: Asker): Promise<OrderResult[]> {
    return this.#order(references, () => ({ kind: 'released', by: who }));
  }

  async setPriority(
    references: readonly string[],
    options: Asker & { priority: number },
  ): Promise<OrderResult[]> {
    return this.#order(references, () => ({
      kind: 'reprioritized',
      by: options.who,
      priority: options.priority,
    }));
  }

  /** Freezes what runs. The node is told first: PAUSED is written when it is true. */
  async pause(references: readonly string[], { who }: Asker): Promise<OrderResult[]> {
    return this.#orderOnNode(references, { who, kind: 'paused' });
  }

  async resume(references: readonly string[], { who }: Asker): Promise<OrderResult[]> {
    return this.#orderOnNode(references, { who, kind: 'resumed' });
  }

  /** Forgets ended tasks, with their logs. */
  async remove(references: readonly string[]): Promise<OrderResult[]> {
    const found = references.map((reference) => this.find(reference).task);
    const ended = found.filter(isOver);
    this.#parts.book.remove(ended);
    await this.#parts.book.flushed();
    await this.#parts.removeLogs(ended.map((task) => task.id));
    return found.map((task) => {
      const ok = isOver(task);
      return {
        id: task.id,
        ok,
        status: task.state.status,
        message: ok ? null : whyNotOver(task),
      };
    });
  }

  /** The submission a task came from, without its secret values. */
  submission(reference: string): TaskSubmission {
    return submissionOf(this.find(reference).task);
  }

  /** Submits again what a task was, with changes; secret values are taken over unless given anew. */
  async resubmit(
    reference: string,
    options: Asker & { changes: Partial<TaskSubmission> },
  ): Promise<Accepted> {
    const { task } = this.find(reference);
    if (task.type === 'vps')
      throw new RequestError('conflict/state', 'It is a VPS: clone it instead (vps clone).');
    const kept = this.#parts.secrets.values(task);
    const submission = { ...this.submission(reference), ...options.changes };
    const secretEnv = { ...kept, ...submission.secretEnv };
    return this.submit({ ...submission, secretEnv }, options);
  }

  async #order(references: readonly string[], event: EventFor): Promise<OrderResult[]> {
    return this.orderAll(
      references.map((reference) => this.resolve(reference)),
      event,
    );
  }

  /** Tells each of these tasks an event; durable when it resolves. Those it does not apply to say why. */
  async orderAll(ids: readonly TaskId[], event: EventFor): Promise<OrderResult[]> {
    const { book } = this.#parts;
    const results = ids.map((id) => {
      const outcome = book.apply(id, event(book.find(id)?.task ?? { type: 'command' }));
      if (isRefused(outcome)) return { id, ok: false, status: outcome.from, message: outcome.why };
      return { id, ok: true, status: outcome.task.state.status, message: null };
    });
    await book.flushed();
    return results;
  }

  async #orderOnNode(
    references: readonly string[],
    order: { who: string; kind: 'paused' | 'resumed' },
  ): Promise<OrderResult[]> {
    const ids = references.map((reference) => this.resolve(reference));
    return Promise.all(ids.map((id) => this.#freezeOrThaw(id, order)));
  }

  async #freezeOrThaw(
    id: TaskId,
    { who, kind }: { who: string; kind: 'paused' | 'resumed' },
  ): Promise<OrderResult> {
    const { book, fleet } = this.#parts;
    const task = book.active(id);
    const needed = kind === 'paused' ? 'RUNNING' : 'PAUSED';
    if (task?.state.status !== needed) {
      const status = (task ?? book.find(id)?.task)?.state.status ?? 'KILLED';
      return {
        id,
        ok: false,
        status,
        message: `Only a task that is ${needed} can be ${kind}; it is ${status}.`,
      };
    }
    const { place } = task.state;
    const runtime = fleet.runtime(place.nodeId, place.runtime);
    if (runtime === undefined) {
      return { id, ok: false, status: needed, message: 'Its node cannot be reached now.' };
    }
    const ref = attemptRef(task);
    await (kind === 'paused' ? runtime.pause(ref) : runtime.resume(ref));
    return this.#noteFrozen(task, { who, kind });
  }

  /** Durable when it resolves. Somebody may have seen it on the node before we write it. */
  async #noteFrozen(
    { id, attempt }: Task,
    { who, kind }: { who: string; kind: 'paused' | 'resumed' },
  ): Promise<OrderResult> {
    const { book } = this.#parts;
    const wanted = kind === 'paused' ? 'PAUSED' : 'RUNNING';
    const outcome = book.apply(id, { kind, attempt, by: who });
    await book.flushed();
    if (isRefused(outcome) && outcome.from !== wanted)
      return { id, ok: false, status: outcome.from, message: outcome.why };
    return { id, ok: true, status: wanted, message: null };
  }
}

/** What to tell a task; it may depend on what kind of task it is. */
type EventFor = (task: Pick<Task, 'type'>) => TaskEvent;

/** A VPS that failed may have its disk, and may be started again. */
function isOver({ type, state }: Task): boolean {
  return isFinal(state.status) && !(type === 'vps' && state.status === 'FAILED');
}

function whyNotOver({ type }: Task): string {
  return type === 'vps'
    ? 'It is a VPS: remove it with its disk first (vps remove).'
    : 'It has not ended: kill it first.';
}

function isRefused(
  outcome: ReturnType<TaskBook['apply']>,
): outcome is Extract<ReturnType<TaskBook['apply']>, { refused: unknown }> {
  return 'refused' in outcome;
}
