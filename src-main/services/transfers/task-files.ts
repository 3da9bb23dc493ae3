// Files that go with tasks, as transfers: put on the node while the task is ASSIGNING, brought back
// when it has ended. A transfer is found again by what it is for, so that a core that was killed in
// between neither moves anything twice nor forgets it.
import { AppError } from '../../contract/errors.ts';
import type { NodeId } from '../../contract/ids.ts';
import { syncOptions } from '../../contract/sync.ts';
import { isFinal } from '../../contract/task.ts';
import type { TaskFetch, TaskSync } from '../../contract/task-files.ts';
import {
  transferRequest,
  type TransferId,
  type TransferPurpose,
  type TransferRequest,
  type TransferView,
} from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { formatBytes } from '../../domain/size.ts';
import type { Task } from '../../domain/task.ts';
import { hasEnded } from '../../domain/transfers/machine.ts';
import type { AttemptRef, PrepareOptions } from '../../runtimes/runtime.ts';
import type { FileService } from '../files/file-service.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { TransferError } from './errors.ts';
import type { TransferService } from './transfer-service.ts';

export interface TaskFilesParts {
  readonly book: TaskBook;
  readonly transfers: TransferService;
  readonly files: Pick<FileService, 'makeDirectory'>;
  readonly nodeName: (id: NodeId) => string;
}

export class TaskFiles implements Disposable {
  readonly #parts: TaskFilesParts;
  /** Attempts that wait for a transfer: only the last of them may give it up. */
  readonly #waiting = new Map<TransferId, number>();
  readonly #listening: Disposable;

  constructor(parts: TaskFilesParts) {
    this.#parts = parts;
    this.#listening = parts.transfers.onDidEnd((view) => this.#noteFetch(view));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  /**
   * Puts on the node what the task wants there, once for all tasks of its batch on that node, and
   * makes the folders it wants results from. Resolves when all of it is there and proven.
   * @throws TransferError when it cannot be, `files/unavailable` while the node is out of reach, and
   * the signal's reason.
   */
  async bring({ taskId }: AttemptRef, nodeId: NodeId, work: PrepareOptions): Promise<void> {
    const task = this.#parts.book.active(taskId);
    if (task === undefined) return;
    for (const [index, sync] of task.spec.sync.entries()) {
      const purpose = { kind: 'sync', batch: task.batchId, node: nodeId, index } as const;
      await this.#put(task, { sync, purpose }, work);
    }
    const place = { kind: 'node', node: nodeId } as const;
    for (const { from: path } of task.spec.fetch) {
      await this.#parts.files.makeDirectory({ place, path }, { parents: true });
    }
  }

  /** Hands over to the transfers what an ended task wants back. False while its node is out of reach. */
  async fetchResults({ taskId, attempt }: AttemptRef, nodeId: NodeId): Promise<boolean> {
    const task = this.#parts.book.find(taskId)?.task;
    // Another attempt follows, which has results of its own.
    if (task?.attempt !== attempt || !isFinal(task.state.status)) return true;
    try {
      for (const [index, fetch] of task.spec.fetch.entries()) {
        const purpose = { kind: 'fetch', task: taskId, attempt, index } as const;
        await this.#parts.transfers.submit(fetchRequest(fetch, nodeId), purpose);
      }
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'files/unavailable') return false;
      throw error;
    }
  }

  async #put(
    task: Task,
    { sync, purpose }: { sync: TaskSync; purpose: TransferPurpose & { kind: 'sync' } },
    work: PrepareOptions,
  ): Promise<void> {
    const { transfers, nodeName } = this.#parts;
    const node = nodeName(purpose.node);
    const { id, status } = await transfers.submit(syncRequest(sync, purpose.node), purpose);
    if (status === 'FAILED' || status === 'CANCELLED') await transfers.order([id], 'retry');
    const onProgress = (view: TransferView) => work.onProgress(phaseWords(view, sync, node));
    const view = await this.#ended(task, id, { signal: work.signal, onProgress });
    if (view.status === 'DONE') return;
    throw new TransferError(
      'transfer/failed',
      `${shownName(sync.from)} could not be put on ${node}: ${this.#whyNot(view)}`,
      { retry: 'after-user-action' },
    );
  }

  #whyNot({ id, error, status }: TransferView): string {
    if (error !== null) return error.message;
    if (status === 'CANCELLED') return 'The transfer was cancelled.';
    const [first] = this.#parts.transfers
      .problems(id)
      .filter(({ outcome }) => outcome === 'failed');
    if (first === undefined) return 'The transfer failed.';
    return `${shownName(first.path)}: ${first.message}`;
  }

  async #ended(
    task: Task,
    id: TransferId,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (view: TransferView) => void },
  ): Promise<TransferView> {
    const { transfers } = this.#parts;
    this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1);
    const { promise, resolve, reject } = Promise.withResolvers<TransferView>();
    const look = (view: TransferView) => {
      if (view.id !== id) return;
      if (hasEnded(view.status)) resolve(view);
      else onProgress(view);
    };
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    using _ended = transfers.onDidEnd(look);
    using _changed = transfers.onDidChange((change) => {
      if ('upsert' in change) look(change.upsert);
      else if (change.removed === id) reject(takenOff());
    });
    try {
      if (signal.aborted) onAbort();
      else look(transfers.get(id));
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#leave(task, id, signal);
    }
  }

  /** A start that is given up gives its transfer up, unless another waits for it; one that is only broken off does not. */
  async #leave({ id: taskId, attempt }: Task, id: TransferId, signal: AbortSignal): Promise<void> {
    const others = (this.#waiting.get(id) ?? 1) - 1;
    if (others > 0) this.#waiting.set(id, others);
    else this.#waiting.delete(id);
    const task = this.#parts.book.active(taskId);
    const isKilled = task?.attempt === attempt && 'kill' in task.state && task.state.kill !== null;
    if (signal.aborted && isKilled && others === 0) {
      await this.#parts.transfers.order([id], 'cancel');
    }
  }

  /** The task's history says what became of its results. */
  #noteFetch(view: TransferView): void {
    const { book } = this.#parts;
    if (view.purpose?.kind !== 'fetch' || view.status === 'ASKING') return;
    const task = book.find(view.purpose.task)?.task;
    if (task === undefined) return;
    const to = shownName(view.request.to.path);
    const isDone = view.status === 'DONE';
    const why = isDone ? fetchedWords(view, to) : `not brought to ${to}: ${this.#whyNot(view)}`;
    book.note(task, isDone ? 'results-fetched' : 'results-not-fetched', why);
  }
}

function syncRequest({ from, to }: TaskSync, node: NodeId): TransferRequest {
  return transferRequest.parse({
    from: { place: { kind: 'here' }, paths: [from] },
    to: { place: { kind: 'node', node }, path: to, as: 'into' },
    conflicts: 'overwrite',
    sync: syncOptions.parse({}),
  });
}

/** All there is, whatever is ignored on this computer: what a task made is often just that. */
function fetchRequest({ from, to }: TaskFetch, node: NodeId): TransferRequest {
  return transferRequest.parse({
    from: { place: { kind: 'node', node }, paths: [from] },
    to: { place: { kind: 'here' }, path: to, as: 'into' },
    conflicts: 'overwrite',
    sync: syncOptions.parse({ ignoreFiles: false }),
  });
}

const waits: Partial<Record<TransferView['status'], string>> = {
  QUEUED: 'waits for other transfers',
  WAITING: 'is out of reach at the moment',
  PAUSED: 'is paused among the transfers',
  ASKING: 'asks among the transfers',
};

function phaseWords({ status, progress }: TransferView, { from }: TaskSync, node: string): string {
  const what = `putting ${shownName(from)} on ${node}`;
  const wait = waits[status];
  if (wait !== undefined) return `${what}: ${wait}`;
  if (progress.phase === 'looking') return `${what}: looking at what differs`;
  const { bytesDone, bytesTotal } = progress;
  return `${what}: ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
}

function fetchedWords({ progress, proof }: TransferView, to: string): string {
  const { filesDone, bytesMoved } = progress;
  const proven = proof === 'hashes' ? ', compared by hash' : '';
  return `${String(filesDone)} files in ${to}, ${formatBytes(bytesMoved)} moved${proven}`;
}

function takenOff(): TransferError {
  return new TransferError(
    'transfer/failed',
    'The transfer of its files was taken off the list before the task could start. Start it again.',
    { retry: 'later' },
  );
}
