// The host as a client of the core that is shown: its counts for the tray and for quitting, and
// what has ended, for notifications.
import type { CoreStatus } from '../../contract/procedures.ts';
import {
  createReconnectingClient,
  type ReconnectingClient,
} from '../../contract/reconnecting-client.ts';
import { finalStatuses, type TaskView } from '../../contract/task.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { Emitter } from '../../domain/emitter.ts';
import { EndedTasks } from './ended-tasks.ts';

/** More ends than this between two looks are told of by their number anyway. */
const lookedAt = 50;

export class CoreWatch implements Disposable {
  readonly #changed = new Emitter<void>();
  readonly #ended = new Emitter<readonly TaskView[]>();
  /** The status, or whether it can be had. */
  readonly onDidChange = this.#changed.event;
  readonly onDidEnd = this.#ended.event;
  readonly #client: ReconnectingClient;
  #status: CoreStatus | undefined;

  constructor(open: () => Promise<WirePort>, onError: (error: unknown) => void) {
    this.#client = createReconnectingClient({ open });
    this.#client.onDidChangeState((state) => {
      if (state !== 'connected') this.#take(undefined);
    });
    this.#client.feed((api, signal) => api.core.watch(undefined, { signal }), {
      onSnapshot: (status) => this.#take(status),
      onChange: (status) => this.#take(status),
      onError,
    });
    const ended = new EndedTasks();
    const take = ({ rows }: { rows: readonly TaskView[] }): void => this.#tell(ended.take(rows));
    const filter = { statuses: [...finalStatuses] };
    this.#client.feed(
      (api, signal) =>
        api.tasks.watchWindow({ filter, sort: 'finished', limit: lookedAt }, { signal }),
      { onSnapshot: take, onChange: take, onError },
    );
  }

  /** Undefined while the core is out of reach. */
  get status(): CoreStatus | undefined {
    return this.#status;
  }

  /** Tries at once instead of waiting. */
  hurry(): void {
    this.#client.reconnectNow();
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #take(status: CoreStatus | undefined): void {
    this.#status = status;
    this.#changed.emit();
  }

  #tell(ended: readonly TaskView[]): void {
    if (ended.length > 0) this.#ended.emit(ended);
  }
}
