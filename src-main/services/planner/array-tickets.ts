import type { BatchId, TaskId } from '../../contract/ids.ts';
import type { Task } from '../../domain/task.ts';
import { holdingOf } from '../tasks/task-book.ts';

interface Tickets {
  readonly most: number;
  /** Hold something, or may be placed. */
  readonly admitted: Set<TaskId>;
  /** Ready, but for their turn; in the order in which they became so. */
  readonly queue: Set<TaskId>;
}

/**
 * Keeps arrays to the number of elements that may hold something at a time: no more than that are
 * told to the planner as ready.
 */
export class ArrayTickets {
  readonly #batches = new Map<BatchId, Tickets>();

  /** Whether the task may be placed; one that holds something already counts in any case. */
  admit(task: Task): boolean {
    const most = task.spec.arrayMaxRunning;
    if (most === null) return true;
    const batch = this.#of(task.batchId, most);
    const isHolding = holdingOf(task) !== undefined;
    if (isHolding || batch.admitted.has(task.id) || batch.admitted.size < batch.most) {
      batch.queue.delete(task.id);
      batch.admitted.add(task.id);
      return true;
    }
    batch.queue.add(task.id);
    return false;
  }

  /**
   * A task that came back (what was written was undone) may hold something beside others that were given
   * its turn: those that hold nothing lose theirs, the last first, and are first when the next is free.
   */
  takeBack({ batchId }: Pick<Task, 'batchId'>, isHolding: (id: TaskId) => boolean): TaskId[] {
    const batch = this.#batches.get(batchId);
    if (batch === undefined) return [];
    const tooMany = batch.admitted.size - batch.most;
    if (tooMany <= 0) return [];
    const taken = [...batch.admitted].filter((id) => !isHolding(id)).slice(-tooMany);
    for (const id of taken) batch.admitted.delete(id);
    const others = [...batch.queue];
    batch.queue.clear();
    for (const id of [...taken, ...others]) batch.queue.add(id);
    return taken;
  }

  /** The task is over, or not ready any more; whose turn it is now. */
  leave({ id, batchId }: Pick<Task, 'id' | 'batchId'>): TaskId | undefined {
    const batch = this.#batches.get(batchId);
    if (batch === undefined) return undefined;
    batch.queue.delete(id);
    const hadTicket = batch.admitted.delete(id);
    if (batch.admitted.size + batch.queue.size === 0) this.#batches.delete(batchId);
    const [next] = batch.queue;
    return hadTicket && batch.admitted.size < batch.most ? next : undefined;
  }

  /** Whether nothing but its turn keeps the task from being placed. */
  isWaitingForTurn({ id, batchId }: Pick<Task, 'id' | 'batchId'>): boolean {
    return this.#batches.get(batchId)?.queue.has(id) === true;
  }

  #of(id: BatchId, most: number): Tickets {
    const known = this.#batches.get(id);
    if (known !== undefined) return known;
    const made = { most, admitted: new Set<TaskId>(), queue: new Set<TaskId>() };
    this.#batches.set(id, made);
    return made;
  }
}
