// What is known of every transfer: on disk before anybody hears of it, but for its progress, which is
// seen at its target and told a few times a second. What becomes of it is told at once.
import { isDeepStrictEqual } from 'node:util';
import type {
  TransferId,
  TransferProblem,
  TransferProgress,
  TransferPurpose,
  TransferRequest,
  TransferStatus,
  TransferView,
} from '../../contract/transfers.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { baseName } from '../../domain/files/paths.ts';
import { hasEnded, nextStatus, type TransferEvent } from '../../domain/transfers/machine.ts';
import type { TransferRecord } from '../../store/transfer-repository.ts';
import type { Root } from '../files/places.ts';
import { UnknownTransferError } from './errors.ts';

export interface TransferRecords {
  all(): TransferRecord[];
  put(record: TransferRecord): void;
  delete(id: TransferId): void;
  problems(id: TransferId): TransferProblem[];
  setProblems(id: TransferId, problems: readonly TransferProblem[]): void;
}

export interface TransferBookParts {
  readonly records: TransferRecords;
  readonly write: <T>(change: () => T) => T;
  readonly clock: Clock;
  readonly timers: Timers;
}

export type TransferChange = { upsert: TransferView } | { removed: TransferId };

const tellEveryMs = 200;
const mostProblems = 10_000;
const positionStep = 1024;

export const nothingYet: TransferProgress = {
  phase: 'waiting',
  filesTotal: 0,
  filesDone: 0,
  bytesTotal: 0,
  bytesDone: 0,
  bytesMoved: 0,
  current: null,
  bytesPerSecond: null,
  etaSeconds: null,
};

export class TransferBook implements Disposable {
  readonly #parts: TransferBookParts;
  readonly #records = new Map<TransferId, TransferRecord>();
  readonly #changed = new Emitter<TransferChange>();
  readonly #untold = new Set<TransferId>();
  #telling: { readonly timer: Disposable; readonly afterMs: number } | undefined;
  #isClosed = false;

  readonly onDidChange = this.#changed.event;

  constructor(parts: TransferBookParts) {
    this.#parts = parts;
    for (const record of parts.records.all()) this.#records.set(record.id, record);
  }

  /** In the order of the queue. */
  all(): TransferRecord[] {
    return [...this.#records.values()].sort((a, b) => a.position - b.position);
  }

  /** @throws UnknownTransferError */
  need(id: TransferId): TransferRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new UnknownTransferError(id);
    return record;
  }

  view(id: TransferId): TransferView {
    return viewOf(this.need(id));
  }

  problems(id: TransferId): TransferProblem[] {
    this.need(id);
    return this.#parts.records.problems(id);
  }

  /** A new one, at the end of the queue. */
  add(
    id: TransferId,
    { request, purpose }: { request: TransferRequest; purpose: TransferPurpose | null },
    ends: { from: Root; to: Root },
  ): void {
    const last = Math.max(0, ...[...this.#records.values()].map(({ position }) => position));
    this.save({
      id,
      position: last + positionStep,
      status: 'QUEUED',
      request: {
        ...request,
        from: { ...request.from, place: ends.from.place },
        to: { ...request.to, place: ends.to.place },
      },
      purpose,
      fromLabel: ends.from.label,
      toLabel: ends.to.label,
      title: titleOf(request.from.paths),
      target: null,
      runs: 0,
      progress: nothingYet,
      failed: 0,
      skipped: 0,
      proof: 'none',
      conflicts: null,
      error: null,
      createdAt: this.#parts.clock.now(),
      finishedAt: null,
    });
  }

  /** The one that was started for this, while it is on the list. */
  findFor(purpose: TransferPurpose): TransferId | undefined {
    return this.all().find((record) => isDeepStrictEqual(record.purpose, purpose))?.id;
  }

  save(record: TransferRecord): void {
    const { records, write } = this.#parts;
    write(() => records.put(record));
    const isNews = this.#records.get(record.id)?.status !== record.status;
    this.#records.set(record.id, record);
    // Whoever waits for its end must not wait for the next time progress is told.
    this.#tellAfter(isNews ? 0 : tellEveryMs, record.id);
  }

  /** Moves it to what an event makes of its status; nothing where the event means nothing to it. */
  apply(id: TransferId, event: TransferEvent): void {
    const record = this.need(id);
    const status = nextStatus(record.status, event);
    if (status === undefined) return;
    const finishedAt = hasEnded(status) ? this.#parts.clock.now() : null;
    this.save({ ...record, status, finishedAt });
  }

  /** The same for all of a status. */
  applyToAll(status: TransferStatus, event: TransferEvent): void {
    for (const record of this.#records.values()) {
      if (record.status === status) this.apply(record.id, event);
    }
  }

  /** Not written down: how much is there is seen at the target. */
  progress(id: TransferId, change: Partial<TransferProgress>): void {
    const record = this.need(id);
    const progress = { ...record.progress, ...change };
    const left = progress.bytesTotal - progress.bytesDone;
    const rate = progress.bytesPerSecond;
    const etaSeconds = rate === null || rate === 0 ? null : Math.round(left / rate);
    this.#records.set(id, { ...record, progress: { ...progress, etaSeconds } });
    this.#tellAfter(tellEveryMs, id);
  }

  setProblems(id: TransferId, problems: readonly TransferProblem[]): void {
    const { records, write } = this.#parts;
    write(() => records.setProblems(id, problems.slice(0, mostProblems)));
  }

  /** Moves one right before another, or to the end; answers the new order. */
  move(id: TransferId, before: TransferId | null): TransferId[] {
    this.need(id);
    const order = this.all()
      .map((record) => record.id)
      .filter((each) => each !== id);
    const at = before === null ? order.length : order.indexOf(before);
    order.splice(at < 0 ? order.length : at, 0, id);
    order.forEach((each, index) => {
      const record = this.need(each);
      const position = (index + 1) * positionStep;
      if (record.position !== position) this.save({ ...record, position });
    });
    return order;
  }

  /** Forgets ended ones: those named, or all. Answers how many. */
  clear(ids: readonly TransferId[] = [...this.#records.keys()]): number {
    const { records, write } = this.#parts;
    const ended = ids.filter((id) => hasEnded(this.need(id).status));
    write(() => ended.forEach((id) => records.delete(id)));
    for (const id of ended) {
      this.#records.delete(id);
      this.#changed.emit({ removed: id });
    }
    return ended.length;
  }

  /** Tells nothing any more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#telling?.timer[Symbol.dispose]();
  }

  #tellAfter(delayMs: number, id: TransferId): void {
    this.#untold.add(id);
    if (this.#isClosed || (this.#telling !== undefined && this.#telling.afterMs <= delayMs)) return;
    this.#telling?.timer[Symbol.dispose]();
    const timer = this.#parts.timers.after(delayMs, () => this.#tell());
    this.#telling = { timer, afterMs: delayMs };
  }

  #tell(): void {
    this.#telling = undefined;
    const ids = [...this.#untold];
    this.#untold.clear();
    for (const each of ids) {
      const record = this.#records.get(each);
      if (record !== undefined) this.#changed.emit({ upsert: viewOf(record) });
    }
  }
}

export function viewOf({
  target: _target,
  runs: _runs,
  position: _position,
  ...view
}: TransferRecord): TransferView {
  return view;
}

function titleOf(paths: readonly string[]): string {
  const first = shownName(baseName(paths[0] ?? ''));
  return paths.length === 1 ? first : `${first} and ${String(paths.length - 1)} more`;
}
