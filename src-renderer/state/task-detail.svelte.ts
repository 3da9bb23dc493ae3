// One task with its history, and why it waits while it does.
import type { TaskEventView, TaskView, WaitReason } from '../../src-main/contract/task.ts';
import type { CoreClient } from '../lib/client.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';

/** Asking why is a search over all nodes: not more often than this while things change. */
const whyEveryMs = 700;

export class TaskDetail {
  readonly #client: CoreClient;
  readonly #ref: string;
  #task = $state.raw<TaskView | undefined>(undefined);
  #events = $state.raw<readonly TaskEventView[]>([]);
  #why = $state.raw<WaitReason | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly isWaiting = $derived(this.#task?.status === 'PENDING');

  constructor(client: CoreClient, ref: string) {
    this.#client = client;
    this.#ref = ref;
  }

  get task(): TaskView | undefined {
    return this.#task;
  }
  get events(): readonly TaskEventView[] {
    return this.#events;
  }
  get why(): WaitReason | undefined {
    return this.#why;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Follows the task until disposed. */
  start(): () => void {
    const feed = this.#client.feed(
      (api, signal) => api.tasks.watch({ task: this.#ref }, { signal }),
      {
        onSnapshot: ({ task, events }) => this.#take(task, events),
        // A change may carry only the events that are new.
        onChange: ({ task, events }) => this.#take(task, mergeEvents(this.#events, events)),
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
    return () => {
      feed[Symbol.dispose]();
      clearTimeout(this.#timer);
      this.#abort.abort();
    };
  }

  /** Something that may decide over its start has changed: asks again soon. */
  askWhy(): void {
    if (this.#task?.status !== 'PENDING') return;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        void this.#ask();
      },
      this.#why === undefined ? 0 : whyEveryMs,
    );
  }

  #take(task: TaskView, events: readonly TaskEventView[]): void {
    this.#problem = undefined;
    this.#task = task;
    this.#events = events;
    if (task.status === 'PENDING') this.askWhy();
    else this.#why = undefined;
  }

  async #ask(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const why = await this.#client.api.tasks.why({ task: this.#ref }, { signal });
      if (this.#task?.status === 'PENDING') this.#why = why;
    } catch (error) {
      // It may have started meanwhile, or the link is down: the feed says which.
      if (!isAbort(error)) this.#why = undefined;
    }
  }
}

function mergeEvents(
  old: readonly TaskEventView[],
  more: readonly TaskEventView[],
): TaskEventView[] {
  const bySeq = new Map([...old, ...more].map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
