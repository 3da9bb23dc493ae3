// The tasks that have not ended, in memory, and the only way to change one: `apply` asks the task
// machine, writes the outcome and announces it. The store is the memory; this is its working copy.
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import { isFinal, type TaskEventView } from '../../contract/task.ts';
import type { Clock } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { Holding } from '../../domain/planner/model.ts';
import type { Refusal, Task, TaskEvent } from '../../domain/task.ts';
import { transition } from '../../domain/task-machine.ts';
import type { Logger } from '../logger.ts';
import type { Commit, StoredEffect, StoredTask, TaskRecords, UnreadableTask } from './ports.ts';

export interface TaskChange {
  /** Undefined for a task that is new. */
  readonly before: Task | undefined;
  /** Undefined for one that was removed. */
  readonly after: Task | undefined;
  readonly kind: TaskEvent['kind'] | 'submitted' | 'removed' | 'reloaded' | 'progress';
  /** The line it left in the task's history, if it left one. */
  readonly event: TaskEventView | undefined;
}

export interface TaskBookParts {
  readonly records: TaskRecords;
  readonly commit: Commit;
  readonly clock: Clock;
  readonly log: Logger;
}

interface LogBytes {
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}
const noBytes: LogBytes = { stdoutBytes: 0, stderrBytes: 0 };

export class TaskBook {
  readonly #parts: TaskBookParts;
  readonly #active = new Map<TaskId, Task>();
  readonly #byNode = new Map<NodeId, Set<TaskId>>();
  /** What an attempt is doing while it starts; not worth keeping. */
  readonly #phases = new Map<TaskId, string>();
  readonly #logBytes = new Map<TaskId, LogBytes>();
  readonly #changed: Emitter<TaskChange>;
  readonly #effects: Emitter<{ task: Task; effects: readonly StoredEffect[] }>;
  #unreadable: readonly UnreadableTask[] = [];

  constructor(parts: TaskBookParts) {
    this.#parts = parts;
    const onError = (error: unknown) =>
      parts.log.error({ err: error }, 'a listener to task changes failed');
    this.#changed = new Emitter(onError);
    this.#effects = new Emitter(onError);
    this.#load();
  }

  /** Every change, in order, after it was written (not yet durable: see `flushed`). */
  get onDidChange() {
    return this.#changed.event;
  }

  /** Effects that were stored and are to be run once they are durable. */
  get onDidStoreEffects() {
    return this.#effects.event;
  }

  /** Tasks whose record cannot be read: set aside, and whatever they hold stays held. */
  get unreadable(): readonly UnreadableTask[] {
    return this.#unreadable;
  }

  #load(): void {
    const { tasks, unreadable } = this.#parts.records.active();
    this.#unreadable = unreadable;
    for (const { task, stdoutBytes, stderrBytes } of tasks) {
      this.#keep(task);
      this.#logBytes.set(task.id, { stdoutBytes, stderrBytes });
    }
  }

  /** Takes the store's word for everything again, after a commit that failed. */
  reload(): void {
    const before = new Map(this.#active);
    this.#active.clear();
    this.#byNode.clear();
    this.#logBytes.clear();
    this.#load();
    for (const id of this.#phases.keys())
      if (this.#active.get(id)?.state.status !== 'ASSIGNING') this.#phases.delete(id);
    for (const id of new Set([...before.keys(), ...this.#active.keys()])) {
      this.#announce({ before: before.get(id), after: this.#active.get(id), kind: 'reloaded' });
    }
  }

  /** A task that has not ended; ended ones are only in the store. */
  active(id: TaskId): Task | undefined {
    return this.#active.get(id);
  }

  /** Any task, ended or not. */
  find(id: TaskId): StoredTask | undefined {
    const task = this.#active.get(id);
    if (task === undefined) return this.#parts.records.get(id);
    return { task, ...(this.#logBytes.get(id) ?? noBytes) };
  }

  all(): IterableIterator<Task> {
    return this.#active.values();
  }

  /** Tasks that hold something on a node. */
  *onNode(nodeId: NodeId): IterableIterator<Task> {
    for (const id of this.#byNode.get(nodeId) ?? []) {
      const task = this.#active.get(id);
      if (task !== undefined) yield task;
    }
  }

  phase(id: TaskId): string | null {
    return this.#phases.get(id) ?? null;
  }

  setPhase(id: TaskId, phase: string): void {
    const task = this.#active.get(id);
    if (task?.state.status !== 'ASSIGNING') return;
    this.#phases.set(id, phase);
    this.#announce({ before: task, after: task, kind: 'progress' });
  }

  setLogBytes(id: TaskId, bytes: { readonly stdout: number; readonly stderr: number }): void {
    const task = this.#active.get(id);
    this.#parts.records.setLogBytes(id, bytes);
    if (task === undefined) return;
    this.#logBytes.set(id, { stdoutBytes: bytes.stdout, stderrBytes: bytes.stderr });
    this.#announce({ before: task, after: task, kind: 'progress' });
  }

  /** Takes in new tasks, all or none, together with what `alongside` writes. */
  add(tasks: readonly Task[], who: string, alongside: () => void): void {
    const record = { kind: 'submitted', why: null, who };
    const { commit, records } = this.#parts;
    const events = commit.write(() => {
      alongside();
      return records.insertMany(tasks.map((task) => ({ task, record })));
    });
    tasks.forEach((task, index) => {
      this.#keep(task);
      this.#announce({ before: undefined, after: task, kind: 'submitted', event: events[index] });
    });
  }

  /**
   * Advances a task by one event. A refusal changes nothing and says why; the caller decides whether
   * that matters (late news from a node usually does not).
   */
  apply(id: TaskId, event: TaskEvent): { task: Task } | Refusal {
    const { records, clock, log } = this.#parts;
    const before = this.#active.get(id) ?? records.get(id)?.task;
    if (before === undefined)
      return {
        refused: 'illegal',
        from: 'KILLED',
        event: event.kind,
        why: `There is no task ${id} any more.`,
      };
    const now = clock.now();
    const outcome = transition(before, event, now);
    if ('refused' in outcome) {
      log.debug({ taskId: id, ...outcome }, 'an event did not apply');
      return outcome;
    }
    const saved = records.save(outcome, before, now);
    this.#keep(outcome.task);
    this.#announce({ before, after: outcome.task, kind: event.kind, event: saved.event });
    if (saved.effects.length > 0)
      this.#effects.emit({ task: outcome.task, effects: saved.effects });
    return { task: outcome.task };
  }

  /** Writes a step into the task's history that is no change of status. */
  note(task: Task, kind: string, why: string | null): void {
    const { records, clock } = this.#parts;
    const { status } = task.state;
    const at = clock.now();
    const event = records.appendEvent(task.id, {
      at,
      from: status,
      to: status,
      kind,
      why,
      attempt: task.attempt,
      who: 'core',
    });
    this.#announce({ before: task, after: task, kind: 'progress', event });
  }

  /** Forgets ended tasks for good. */
  remove(tasks: readonly Task[]): void {
    this.#parts.records.remove(tasks.map((task) => task.id));
    for (const task of tasks) this.#announce({ before: task, after: undefined, kind: 'removed' });
  }

  flushed(): Promise<void> {
    return this.#parts.commit.flushed();
  }

  /**
   * Resolves when what was written up to now is on disk; a commit that failed before does not count,
   * so that after one the store is tried again.
   */
  durable(): Promise<void> {
    this.write(() => undefined);
    return this.flushed();
  }

  /** Runs a change of what belongs to tasks in the transaction of this turn. */
  write<T>(change: () => T): T {
    return this.#parts.commit.write(change);
  }

  /** By the clock that every event is written with. */
  now(): Instant {
    return this.#parts.clock.now();
  }

  #announce(change: Omit<TaskChange, 'event'> & { event?: TaskEventView | undefined }): void {
    this.#changed.emit({ event: undefined, ...change });
  }

  #keep(task: Task): void {
    const before = this.#active.get(task.id);
    const nodeBefore = before === undefined ? undefined : nodeOf(before);
    if (nodeBefore !== undefined) this.#byNode.get(nodeBefore)?.delete(task.id);
    if (isFinal(task.state.status)) {
      this.#active.delete(task.id);
      this.#phases.delete(task.id);
      this.#logBytes.delete(task.id);
      return;
    }
    this.#active.set(task.id, task);
    if (task.state.status !== 'ASSIGNING') this.#phases.delete(task.id);
    const node = nodeOf(task);
    if (node === undefined) return;
    const there = this.#byNode.get(node) ?? new Set();
    this.#byNode.set(node, there.add(task.id));
  }
}

/** The node on which a task holds something. */
export function nodeOf(task: Task): NodeId | undefined {
  return 'kill' in task.state ? task.state.place.nodeId : undefined;
}

/** What a task holds, while it holds something. */
export function holdingOf(task: Task): Holding | undefined {
  return 'kill' in task.state
    ? { taskId: task.id, attempt: task.attempt, place: task.state.place }
    : undefined;
}
