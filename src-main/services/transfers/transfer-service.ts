// The queue of transfers: what runs, what waits, and what people say to it. A transfer is on disk
// before anybody is told that it was accepted; what it has moved is seen at its target.
import { AppError, toErrorShape } from '../../contract/errors.ts';
import type {
  ConflictPolicy,
  TransferId,
  TransferProblem,
  TransferProgress,
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
import type { Places } from '../files/places.ts';
import type { Logger } from '../logger.ts';
import { UnknownTransferError } from './errors.ts';
import { BytePace } from './pace.ts';
import { runTransfer, type RunOutcome } from './runner.ts';
import { mostItems } from './scan.ts';
import { Speed } from './speed.ts';
import { stagePath } from './stage.ts';

export interface TransferRecords {
  all(): TransferRecord[];
  put(record: TransferRecord): void;
  delete(id: TransferId): void;
  problems(id: TransferId): TransferProblem[];
  setProblems(id: TransferId, problems: readonly TransferProblem[]): void;
}

export interface TransferParts {
  readonly records: TransferRecords;
  readonly write: <T>(change: () => T) => T;
  readonly flushed: () => Promise<void>;
  readonly places: Places;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly newId: () => TransferId;
  readonly settings: () => { parallel: number };
  /** This computer takes `A` and `a` for one. */
  readonly isCaseBlind: boolean;
  /** Files, folders and links in one transfer. Default: a million. */
  readonly mostItems?: number;
}

export interface OrderResult {
  id: TransferId;
  ok: boolean;
  status: TransferStatus;
  message: string | null;
}

export type TransferChange = { upsert: TransferView } | { removed: TransferId };

const tellEveryMs = 200;
const mostProblems = 10_000;
const positionStep = 1024;

const nothingYet: TransferProgress = {
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

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class TransferService implements AsyncDisposable {
  readonly #parts: TransferParts;
  readonly #records = new Map<TransferId, TransferRecord>();
  readonly #running = new Map<TransferId, Running>();
  readonly #changed = new Emitter<TransferChange>();
  readonly #ended = new Emitter<TransferView>();
  readonly #untold = new Set<TransferId>();
  #telling: Disposable | undefined;
  #isClosed = false;

  readonly onDidChange = this.#changed.event;
  /** One is over: done, failed, or waiting for an answer. */
  readonly onDidEnd = this.#ended.event;

  constructor(parts: TransferParts) {
    this.#parts = parts;
    for (const record of parts.records.all()) this.#records.set(record.id, record);
  }

  /** Takes up what was under way when the core ended. */
  start(): void {
    for (const { id, status } of this.#records.values()) {
      if (status === 'RUNNING') this.#apply(id, 'interrupted');
      if (status === 'WAITING') this.#apply(id, 'place-back');
    }
    this.#startNext();
  }

  list(): TransferView[] {
    return this.#inOrder().map(viewOf);
  }

  get(id: TransferId): TransferView {
    return viewOf(this.#need(id));
  }

  problems(id: TransferId): TransferProblem[] {
    this.#need(id);
    return this.#parts.records.problems(id);
  }

  /** Queues a transfer. Durable when it resolves. @throws when a place cannot be found at all. */
  async submit(request: TransferRequest): Promise<TransferView> {
    const { places, clock, newId, flushed } = this.#parts;
    const from = await places.open(request.from.place);
    const to = await places.open(request.to.place);
    const last = Math.max(0, ...[...this.#records.values()].map(({ position }) => position));
    const record: TransferRecord = {
      id: newId(),
      position: last + positionStep,
      status: 'QUEUED',
      request: {
        ...request,
        from: { ...request.from, place: from.place },
        to: { ...request.to, place: to.place },
      },
      fromLabel: from.label,
      toLabel: to.label,
      title: titleOf(request.from.paths),
      target: null,
      runs: 0,
      progress: nothingYet,
      failed: 0,
      skipped: 0,
      proof: 'none',
      conflicts: null,
      error: null,
      createdAt: clock.now(),
      finishedAt: null,
    };
    this.#save(record);
    await flushed();
    this.#startNext();
    return viewOf(this.#need(record.id));
  }

  async order(
    ids: readonly TransferId[],
    event: 'pause' | 'resume' | 'cancel' | 'retry',
  ): Promise<OrderResult[]> {
    const results: OrderResult[] = [];
    for (const id of ids) results.push(await this.#order(id, event));
    await this.#parts.flushed();
    this.#startNext();
    return results;
  }

  /** What to do with everything that is in the way. @throws when it does not ask. */
  async answer(id: TransferId, conflicts: Exclude<ConflictPolicy, 'ask'>): Promise<TransferView> {
    const record = this.#need(id);
    if (record.status === 'ASKING') {
      this.#save({ ...record, request: { ...record.request, conflicts }, conflicts: null });
      this.#apply(id, 'answer');
      await this.#parts.flushed();
      this.#startNext();
    }
    return this.get(id);
  }

  /** Moves one in the queue; resolves with the new order. */
  async move(id: TransferId, before: TransferId | null): Promise<TransferId[]> {
    this.#need(id);
    const order = this.#inOrder()
      .map((record) => record.id)
      .filter((each) => each !== id);
    const at = before === null ? order.length : order.indexOf(before);
    order.splice(at < 0 ? order.length : at, 0, id);
    order.forEach((each, index) => {
      const record = this.#need(each);
      const position = (index + 1) * positionStep;
      if (record.position !== position) this.#save({ ...record, position });
    });
    await this.#parts.flushed();
    return order;
  }

  /** Forgets ended ones: those named, or all. */
  async clear(ids?: readonly TransferId[]): Promise<{ removed: number }> {
    const { records, write, flushed } = this.#parts;
    const ended = (ids ?? [...this.#records.keys()]).filter((id) =>
      hasEnded(this.#need(id).status),
    );
    write(() => ended.forEach((id) => records.delete(id)));
    for (const id of ended) {
      this.#records.delete(id);
      this.#changed.emit({ removed: id });
    }
    await flushed();
    return { removed: ended.length };
  }

  /** A node came online, or a container began to run: whoever waits for a place tries again. */
  wake(): void {
    for (const { id, status } of this.#records.values()) {
      if (status === 'WAITING') this.#apply(id, 'place-back');
    }
    this.#startNext();
  }

  /** Stops what runs; it goes on from there when a core starts again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#telling?.[Symbol.dispose]();
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort(new Stopped('interrupted'));
    await Promise.all(running.map(({ ended }) => ended));
  }

  async #order(
    id: TransferId,
    event: 'pause' | 'resume' | 'cancel' | 'retry',
  ): Promise<OrderResult> {
    const before = this.#need(id);
    if (nextStatus(before.status, event) === undefined) {
      const message = `A transfer that is ${before.status} cannot be told to ${event}.`;
      return { id, ok: false, status: before.status, message };
    }
    const running = this.#running.get(id);
    if (running !== undefined) {
      running.abort.abort(new Stopped(event));
      await running.ended;
    }
    // What ran may have ended by itself in the meantime.
    this.#apply(id, event);
    if (event === 'cancel') await this.#cleanUp(this.#need(id));
    const { status } = this.#need(id);
    return { id, ok: true, status, message: null };
  }

  /** What a cancelled one had moved so far goes; where the other end is away, it stays and is harmless. */
  async #cleanUp({ id, target, request }: TransferRecord): Promise<void> {
    if (target === null) return;
    try {
      const { files } = await this.#parts.places.open(request.to.place);
      await files.removeTree(stagePath(target.directory, id));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#parts.log.warn(
        { err: error, transfer: id },
        'what a transfer had moved was left there',
      );
    }
  }

  #startNext(): void {
    if (this.#isClosed) return;
    for (const { id, status } of this.#inOrder()) {
      if (this.#running.size >= this.#parts.settings().parallel) return;
      if (status === 'QUEUED' && !this.#running.has(id)) this.#run(id);
    }
  }

  #run(id: TransferId): void {
    const abort = new AbortController();
    const record = this.#need(id);
    this.#save({ ...record, runs: record.runs + 1, error: null });
    this.#apply(id, 'started');
    const ended = this.#runToEnd(id, abort.signal).finally(() => {
      this.#running.delete(id);
      this.#startNext();
    });
    this.#running.set(id, { abort, ended });
    ended.catch((error: unknown) => {
      this.#parts.log.error({ err: error, transfer: id }, 'a transfer could not be written down');
    });
  }

  async #runToEnd(id: TransferId, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.flushed();
      this.#conclude(id, await this.#attempt(id, signal));
    } catch (error) {
      // Whoever stopped it says what it is now.
      if (signal.aborted) {
        if (this.#isClosed) this.#apply(id, 'interrupted');
        return;
      }
      this.#fail(id, error);
    }
  }

  #attempt(id: TransferId, signal: AbortSignal): Promise<RunOutcome> {
    const { clock, timers, places, isCaseBlind, mostItems: limit = mostItems } = this.#parts;
    const { request, target, runs } = this.#need(id);
    const { rateLimit } = request;
    const pace =
      rateLimit === null ? undefined : new BytePace({ clock, timers, bytesPerSecond: rateLimit });
    const speed = new Speed();
    this.#progress(id, { ...nothingYet, phase: 'looking' });
    return runTransfer({
      id,
      request,
      places,
      signal,
      target,
      isAgain: runs > 1,
      isCaseBlind,
      limit,
      onTarget: async (found) => {
        this.#save({ ...this.#need(id), target: found });
        await this.#parts.flushed();
      },
      onProgress: (change) => {
        if (change.bytesMoved !== undefined) speed.note(clock.monotonic(), change.bytesMoved);
        const { bytesPerSecond } = speed;
        this.#progress(id, { ...change, bytesPerSecond });
      },
      onBytes: (bytes) => pace?.spend(bytes, signal),
    });
  }

  #conclude(id: TransferId, outcome: RunOutcome): void {
    const record = this.#need(id);
    if (outcome.kind === 'asks') {
      this.#save({ ...record, conflicts: { count: outcome.count, some: [...outcome.some] } });
      this.#apply(id, 'asked');
    } else {
      const { problems, proof } = outcome;
      const failed = problems.filter((problem) => problem.outcome === 'failed').length;
      this.#parts.write(() => this.#parts.records.setProblems(id, problems.slice(0, mostProblems)));
      this.#save({ ...record, failed, skipped: problems.length - failed, proof });
      this.#progress(id, { phase: 'ended', current: null, bytesPerSecond: null });
      this.#apply(id, failed > 0 ? 'failed' : 'finished');
    }
    this.#ended.emit(this.get(id));
  }

  #fail(id: TransferId, error: unknown): void {
    if (!(error instanceof AppError)) {
      this.#parts.log.error({ err: error, transfer: id }, 'a transfer failed in an unexpected way');
    }
    const shape = toErrorShape(error);
    this.#save({ ...this.#need(id), error: shape });
    const isPlaceLost = placeErrors.has(shape.code);
    this.#apply(id, isPlaceLost ? 'place-lost' : 'failed');
    if (!isPlaceLost) this.#ended.emit(this.get(id));
  }

  #progress(id: TransferId, change: Partial<TransferProgress>): void {
    const record = this.#need(id);
    const progress = { ...record.progress, ...change };
    const left = progress.bytesTotal - progress.bytesDone;
    const rate = progress.bytesPerSecond;
    const etaSeconds = rate === null || rate === 0 ? null : Math.round(left / rate);
    this.#records.set(id, { ...record, progress: { ...progress, etaSeconds } });
    this.#tellSoon(id);
  }

  #apply(id: TransferId, event: TransferEvent): void {
    const record = this.#need(id);
    const status = nextStatus(record.status, event);
    if (status === undefined) return;
    const finishedAt = hasEnded(status) ? this.#parts.clock.now() : null;
    this.#save({ ...record, status, finishedAt });
  }

  #save(record: TransferRecord): void {
    const { records, write } = this.#parts;
    write(() => records.put(record));
    this.#records.set(record.id, record);
    this.#tellSoon(record.id);
  }

  #tellSoon(id: TransferId): void {
    this.#untold.add(id);
    if (this.#isClosed) return;
    this.#telling ??= this.#parts.timers.after(tellEveryMs, () => {
      this.#telling = undefined;
      const ids = [...this.#untold];
      this.#untold.clear();
      for (const each of ids) {
        const record = this.#records.get(each);
        if (record !== undefined) this.#changed.emit({ upsert: viewOf(record) });
      }
    });
  }

  #inOrder(): TransferRecord[] {
    return [...this.#records.values()].sort((a, b) => a.position - b.position);
  }

  #need(id: TransferId): TransferRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new UnknownTransferError(id);
    return record;
  }
}

/** Why a run was stopped from outside. */
class Stopped extends Error {
  constructor(why: string) {
    super(`The transfer was stopped: ${why}.`);
    this.name = 'AbortError';
  }
}

/** What a place that is away fails with: the transfer waits for it. */
const placeErrors: ReadonlySet<string> = new Set([
  'files/unavailable',
  'link/lost',
  'link/timeout',
  'link/unreachable',
  'docker/connection',
]);

function viewOf({
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
