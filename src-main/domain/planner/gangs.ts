// Gangs: tasks that start together or not at all. Each waits as a lane of its own, ranked as its first
// member; one that has a member which is not ready does not take part.
import type { BatchId, TaskId } from '../../contract/ids.ts';
import type { QueuedTask } from './model.ts';
import type { Lane, Entry } from './shape.ts';
import { TaskQueue } from './task-queue.ts';

export interface Gang {
  readonly lane: Lane;
  /** On hold, or waiting for more than room. */
  readonly unready: Set<TaskId>;
}

export class Gangs {
  readonly #gangs = new Map<BatchId, Gang>();
  readonly #unready = new Map<TaskId, BatchId>();

  /** The lane of a gang, for one more of it that is ready. */
  laneFor(id: BatchId, task: QueuedTask): Lane {
    return this.#gangOf(id, task).lane;
  }

  addUnready(id: BatchId, task: QueuedTask): void {
    this.#gangOf(id, task).unready.add(task.id);
    this.#unready.set(task.id, id);
  }

  /** A task that was not ready is ready, or gone. */
  forgetUnready(taskId: TaskId): void {
    if (this.#unready.size === 0) return;
    const id = this.#unready.get(taskId);
    if (id === undefined) return;
    this.#unready.delete(taskId);
    this.#gangs.get(id)?.unready.delete(taskId);
    this.dropIfEmpty(id);
  }

  dropIfEmpty(id: BatchId): void {
    const gang = this.#gangs.get(id);
    if (gang?.lane.queue.size === 0 && gang.unready.size === 0) this.#gangs.delete(id);
  }

  get(id: BatchId): Gang | undefined {
    return this.#gangs.get(id);
  }

  /** Those of which all are ready. */
  *readyLanes(): Iterable<Lane> {
    for (const { lane, unready } of this.#gangs.values()) if (unready.size === 0) yield lane;
  }

  /** All lanes, for counting. */
  *lanes(): Iterable<Lane> {
    for (const { lane } of this.#gangs.values()) yield lane;
  }

  #gangOf(id: BatchId, { owner, timeLimitMs }: QueuedTask): Gang {
    const known = this.#gangs.get(id);
    if (known !== undefined) return known;
    const queue = new TaskQueue<Entry>();
    const gang = {
      lane: { gang: id, owner, timeLimitMs, groups: [], queue },
      unready: new Set<TaskId>(),
    };
    this.#gangs.set(id, gang);
    return gang;
  }
}
