// What VPSes have beside their tasks, in memory; the store is its memory, this its working copy.
import { RequestError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { Task } from '../../domain/task.ts';
import type { VpsRecord } from '../../domain/vps/vps-record.ts';
import type { VpsRepository } from '../../store/vps-repository.ts';
import type { TaskRecords } from '../tasks/ports.ts';
import type { TaskBook } from '../tasks/task-book.ts';

export type VpsRecords = Pick<VpsRepository, 'put' | 'living'>;

/** A VPS that was not removed. */
export interface Vps {
  readonly task: Task;
  readonly record: VpsRecord;
}

export interface VpsBookParts {
  readonly records: VpsRecords;
  readonly tasks: Pick<TaskRecords, 'resolveRef'>;
  readonly book: TaskBook;
}

export class VpsBook implements Disposable {
  readonly #parts: VpsBookParts;
  readonly #records = new Map<TaskId, VpsRecord>();
  readonly #changed = new Emitter<TaskId>();
  readonly #listening: Disposable;

  /** Something about this VPS is different, its task included; or it is gone. */
  readonly onDidChange = this.#changed.event;

  constructor(parts: VpsBookParts) {
    this.#parts = parts;
    this.#load();
    this.#listening = parts.book.onDidChange(({ before, after, kind }) => {
      const task = after ?? before;
      if (task?.type !== 'vps') return;
      // The store undid what it could not write; records of VPSes may be among it.
      if (kind === 'reloaded') this.#load();
      if (after === undefined || after.state.status === 'KILLED') this.#records.delete(task.id);
      this.#changed.emit(task.id);
    });
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #load(): void {
    this.#records.clear();
    for (const record of this.#parts.records.living()) this.#records.set(record.id, record);
  }

  get(id: TaskId): Vps | undefined {
    const record = this.#records.get(id);
    const task = record === undefined ? undefined : this.#parts.book.find(id)?.task;
    return record === undefined || task === undefined ? undefined : { record, task };
  }

  /** The newest first. */
  all(): Vps[] {
    return [...this.#records.keys()].reverse().flatMap((id) => this.get(id) ?? []);
  }

  /** By name, ID, or the ending of one. Throws `not-found/vps` or `ambiguous/id`. */
  find(reference: string): Vps {
    const named = this.all().find(({ task }) => task.spec.name === reference);
    const found = named ?? this.get(this.#resolve(reference));
    if (found !== undefined) return found;
    throw notFound(reference);
  }

  #resolve(reference: string): TaskId {
    try {
      return this.#parts.tasks.resolveRef(reference);
    } catch (error) {
      if (error instanceof RequestError && error.code === 'not-found/task')
        throw notFound(reference);
      throw error;
    }
  }

  /** Writes in the transaction of this turn. */
  put(record: VpsRecord): void {
    this.#parts.records.put(record);
    this.#records.set(record.id, record);
    this.#changed.emit(record.id);
  }

  /** Changes what is there; nothing for one that is gone. */
  change(id: TaskId, change: (record: VpsRecord) => VpsRecord): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.put(change(record));
  }
}

function notFound(reference: string): RequestError {
  return new RequestError('not-found/vps', `There is no VPS ${reference}.`);
}
