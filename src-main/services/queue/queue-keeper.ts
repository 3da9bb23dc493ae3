// Keeps promises about tasks that come due by themselves: those that waited for another are let go
// or given up when it ends, failed ones are tried again, and those past their time limit are ended.
// What follows from a change is written in the same transaction as the change.
import type { TaskId } from '../../contract/ids.ts';
import { isFinal } from '../../contract/task.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { standingOf } from '../../domain/dependencies.ts';
import { formatDuration } from '../../domain/duration.ts';
import { describeRetry, retryOf } from '../../domain/retry.ts';
import type { Task } from '../../domain/task.ts';
import type { Logger } from '../logger.ts';
import type { TaskBook, TaskChange } from '../tasks/task-book.ts';
import { Deadlines } from './deadlines.ts';

export interface QueueKeeperParts {
  readonly book: TaskBook;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly killGraceSeconds: () => number;
}

export class QueueKeeper implements Disposable {
  readonly #parts: QueueKeeperParts;
  /** Who waits for a task, by that task. */
  readonly #waiters = new Map<TaskId, Set<TaskId>>();
  readonly #limits: Deadlines<TaskId>;
  readonly #listening: Disposable;
  /** Tasks to look at: what follows from what follows is done in turn, not by recursion. */
  readonly #due: Due[] = [];
  #isWorking = false;
  #soon: Disposable | undefined;

  constructor(parts: QueueKeeperParts) {
    this.#parts = parts;
    this.#limits = new Deadlines(parts, (id) => this.#atLimit(id));
    this.#listening = parts.book.onDidChange((change) => this.#onChange(change));
    this.#takeStock();
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#soon?.[Symbol.dispose]();
    this.#limits[Symbol.dispose]();
  }

  /** At the start: what ended while nobody looked, and limits that run. */
  #takeStock(): void {
    for (const task of [...this.#parts.book.all()]) {
      this.#watch(undefined, task, 0);
      if (task.state.status === 'PENDING') this.#due.push(...task.state.blockedBy.map(dueById));
    }
    this.#work();
  }

  #onChange({ before, after, kind }: TaskChange): void {
    if (kind === 'progress') return;
    this.#watch(before, after, kind === 'reloaded' ? retryMs : 0);
    if (kind === 'reloaded') {
      this.#takeStockSoon();
      return;
    }
    const id = (after ?? before)?.id;
    if (id === undefined) return;
    if (after === undefined) this.#due.push({ id });
    // As it was announced: to read it again from the store is not for free.
    else if (isFinal(after.state.status)) this.#due.push({ id, task: after });
    // What it waits for may have ended between being looked at and being written down.
    else if (after.state.status === 'PENDING' && kind !== 'dependency-met')
      this.#due.push(...after.state.blockedBy.filter((other) => this.#isOver(other)).map(dueById));
    this.#work();
  }

  /** What was written is undone: what follows from it now would most likely be, too, without a pause. */
  #takeStockSoon(): void {
    this.#soon ??= this.#parts.timers.after(retryMs, () => {
      this.#soon = undefined;
      try {
        this.#takeStock();
      } catch (error) {
        this.#parts.log.error(
          { err: error },
          'what is due could not be written; it is tried again',
        );
        this.#takeStockSoon();
      }
    });
  }

  #isOver(id: TaskId): boolean {
    return this.#parts.book.active(id) === undefined;
  }

  /** Keeps the indexes true to one task. Its time limit is looked at no sooner than told. */
  #watch(before: Task | undefined, after: Task | undefined, leastMs: number): void {
    const id = (after ?? before)?.id;
    if (id === undefined) return;
    const waitedFor = before?.state.status === 'PENDING' ? before.state.blockedBy : [];
    const waitsFor = after?.state.status === 'PENDING' ? after.state.blockedBy : [];
    if (waitedFor !== waitsFor) {
      for (const other of waitedFor) this.#stopWaiting(id, other);
      for (const other of waitsFor)
        this.#waiters.set(other, (this.#waiters.get(other) ?? new Set()).add(id));
    }
    this.#watchLimit(id, after, leastMs);
  }

  #stopWaiting(id: TaskId, other: TaskId): void {
    const waiters = this.#waiters.get(other);
    waiters?.delete(id);
    if (waiters?.size === 0) this.#waiters.delete(other);
  }

  #watchLimit(id: TaskId, task: Task | undefined, leastMs: number): void {
    const deadline = task === undefined ? undefined : deadlineOf(task);
    if (deadline === undefined) this.#limits.forget(id);
    else this.#limits.set(id, deadline, Math.max(leastMs, deadline - this.#parts.clock.now()));
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (let due = this.#due.pop(); due !== undefined; due = this.#due.pop()) this.#settle(due);
    } finally {
      this.#due.length = 0;
      this.#isWorking = false;
    }
  }

  /** A task is over: it is tried again, or those that waited for it hear of it. */
  #settle({ id, task }: Due): void {
    const { book } = this.#parts;
    const found = task ?? book.find(id)?.task;
    const retry = found === undefined ? undefined : retryOf(found);
    if (found !== undefined && retry !== undefined) {
      const reason = 'reason' in found.state ? found.state.reason : null;
      book.apply(id, {
        kind: 'retried',
        why: describeRetry(retry, reason),
        notBefore: book.now() + retry.waitMs,
      });
      return;
    }
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) this.#tell(waiter, id, found);
  }

  #tell(waiter: TaskId, on: TaskId, found: Task | undefined): void {
    const { book } = this.#parts;
    const dependency = book.active(waiter)?.spec.after.find(({ task }) => task === on);
    if (dependency === undefined) return;
    const standing = standingOf(dependency, found);
    if (standing.kind === 'met') book.apply(waiter, { kind: 'dependency-met', on });
    else if (standing.kind === 'never') {
      book.apply(waiter, { kind: 'dependency-failed', why: `It can never run: ${standing.why}.` });
    }
  }

  #atLimit(id: TaskId): void {
    const { book, killGraceSeconds, log } = this.#parts;
    const limit = book.active(id)?.spec.timeLimitSeconds ?? null;
    if (limit === null) return;
    try {
      book.apply(id, {
        kind: 'kill-requested',
        by: `its time limit of ${formatDuration(limit * 1000)}`,
        signal: 'SIGTERM',
        graceMs: killGraceSeconds() * 1000,
      });
    } catch (error) {
      log.error(
        { err: error, taskId: id },
        'a time limit could not be enforced; it will be tried again',
      );
      this.#limits.set(id, 0, retryMs);
    }
  }
}

/** A task that may be over; as it was announced to be, where that is known. */
interface Due {
  readonly id: TaskId;
  readonly task?: Task;
}

function dueById(id: TaskId): Due {
  return { id };
}

/** What could not be written is tried again after this. */
const retryMs = 5000;

/** When a task that runs must end; undefined where it has no limit, or is being ended already. */
export function deadlineOf({ state, spec }: Task): number | undefined {
  if (spec.timeLimitSeconds === null || !('kill' in state) || state.kill !== null) return undefined;
  if (state.status === 'ASSIGNING' || state.startedAt === null) return undefined;
  return state.startedAt + spec.timeLimitSeconds * 1000;
}
