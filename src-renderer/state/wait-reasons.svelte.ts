// Why the waiting tasks on screen wait. The core's planner is asked for those alone, and seldom: the
// answer changes with everything that starts, ends or comes back.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { TaskView } from '../../src-main/contract/task.ts';
import type { CoreClient } from '../lib/client.ts';

/** Scrolling rests this long before new rows are asked about. */
const settleMs = 150;
/** What is known is asked for again at most this often. */
const everyMs = 3000;
/** What one question may name. */
const atMost = 100;

export class WaitReasons {
  readonly #client: CoreClient;
  #known = $state.raw<ReadonlyMap<TaskId, string>>(new Map());
  #wanted: readonly TaskId[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #abort = new AbortController();

  constructor(client: CoreClient) {
    this.#client = client;
  }

  /** A sentence; undefined for what does not wait, and until it is known. */
  of(task: TaskView): string | undefined {
    return task.status === 'PENDING' ? this.#known.get(task.id) : undefined;
  }

  /** These are on screen now: asks soon about those that are new there. */
  look(tasks: Iterable<TaskView | undefined>): void {
    const wanted: TaskId[] = [];
    for (const task of tasks)
      if (task?.status === 'PENDING' && wanted.length < atMost) wanted.push(task.id);
    this.#wanted = wanted;
    if (wanted.length > 0)
      this.#askWithin(wanted.every((id) => this.#known.has(id)) ? everyMs : settleMs);
  }

  /** Something changed that may decide over them. */
  again(): void {
    if (this.#wanted.length > 0) this.#askWithin(everyMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #askWithin(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  async #ask(): Promise<void> {
    const tasks = [...this.#wanted];
    const { signal } = this.#abort;
    try {
      const answers = await this.#client.api.tasks.waits({ tasks }, { signal });
      this.#known = new Map(answers.map(({ id, summary }) => [id, summary]));
    } catch {
      // The list's own feed says what is wrong with the link; the reasons come with the next look.
    } finally {
      this.#dueAt = Infinity;
    }
  }
}
