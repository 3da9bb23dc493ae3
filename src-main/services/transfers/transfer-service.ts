// The queue of transfers: what runs, what waits, and what people say to it. A transfer is on disk
// before anybody is told that it was accepted; what it has moved is seen at its target.
import { AppError, toErrorShape } from '../../contract/errors.ts';
import type {
  ConflictPolicy,
  TransferId,
  TransferProblem,
  TransferPurpose,
  TransferRequest,
  TransferStatus,
  TransferView,
} from '../../contract/transfers.ts';
import type { SyncPreview } from '../../contract/sync.ts';
import { Emitter } from '../../domain/emitter.ts';
import { nextStatus } from '../../domain/transfers/machine.ts';
import type { TransferRecord } from '../../store/transfer-repository.ts';
import type { Places } from '../files/places.ts';
import type { Logger } from '../logger.ts';
import { KnownTools } from './known-tools.ts';
import { LocalThreads } from './here/local-thread.ts';
import { BytePace, SharedPace } from './pace.ts';
import { runTransfer, type RunOutcome } from './runner.ts';
import { mostItems } from './scan.ts';
import { Speed } from './speed.ts';
import { stagePath } from './stage.ts';
import { previewSync } from './sync-preview.ts';
import { nothingYet, TransferBook, viewOf, type TransferBookParts } from './transfer-book.ts';

export type { TransferChange, TransferRecords } from './transfer-book.ts';

export interface TransferParts extends TransferBookParts {
  readonly flushed: () => Promise<void>;
  readonly places: Places;
  readonly log: Logger;
  readonly newId: () => TransferId;
  readonly settings: () => TransferSettings;
  /** This computer takes `A` and `a` for one. */
  readonly isCaseBlind: boolean;
  /** Files, folders and links in one transfer. Default: a million. */
  readonly mostItems?: number;
}

export interface TransferSettings {
  readonly parallel: number;
  readonly direct: boolean;
  readonly delta: boolean;
  /** Of all transfers together; null: no limit. */
  readonly bytesPerSecond: number | null;
}

export interface OrderResult {
  id: TransferId;
  ok: boolean;
  status: TransferStatus;
  message: string | null;
}

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class TransferService implements AsyncDisposable {
  readonly #parts: TransferParts;
  readonly #book: TransferBook;
  readonly #running = new Map<TransferId, Running>();
  /** Cancelled ones whose remains are being removed: not begun again meanwhile. */
  readonly #cleaning = new Set<TransferId>();
  readonly #ended: Emitter<TransferView>;
  readonly #threads = new LocalThreads();
  readonly #tools: KnownTools;
  readonly #sharedPace: SharedPace;
  #isClosed = false;

  readonly onDidChange: TransferBook['onDidChange'];
  /** One is over: done, failed, or waiting for an answer. */
  readonly onDidEnd: Emitter<TransferView>['event'];

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#book = new TransferBook(parts);
    this.#sharedPace = new SharedPace(parts);
    this.#tools = new KnownTools(parts.clock);
    this.onDidChange = this.#book.onDidChange;
    // Whoever hears of it may write it down, on a disk that is full.
    this.#ended = new Emitter((error) =>
      parts.log.error({ err: error }, 'the end of a transfer could not be told'),
    );
    this.onDidEnd = this.#ended.event;
  }

  /** Takes up what was under way when the core ended. */
  start(): void {
    this.#book.applyToAll('RUNNING', 'interrupted');
    this.wake();
  }

  list(): TransferView[] {
    return this.#book.all().map(viewOf);
  }

  get(id: TransferId): TransferView {
    return this.#book.view(id);
  }

  problems(id: TransferId): TransferProblem[] {
    return this.#book.problems(id);
  }

  /**
   * Queues a transfer. Durable when it resolves. For one purpose there is one transfer, however often
   * it is asked for. @throws when a place cannot be found at all.
   */
  async submit(
    request: TransferRequest,
    purpose: TransferPurpose | null = null,
  ): Promise<TransferView> {
    const { places, newId, flushed } = this.#parts;
    const from = await places.open(request.from.place);
    const to = await places.open(request.to.place);
    // Looked for last: of two that ask for the same at a time, the second finds the first one's.
    const known = purpose === null ? undefined : this.#book.findFor(purpose);
    const id = known ?? newId();
    if (known === undefined) this.#book.add(id, { request, purpose }, { from, to });
    await flushed();
    this.#startNext();
    return this.get(id);
  }

  /** What a sync would do now. Changes nothing. @throws what the transfer would end with. */
  async previewSync(request: TransferRequest, signal: AbortSignal): Promise<SyncPreview> {
    const { places, isCaseBlind, mostItems: limit = mostItems } = this.#parts;
    const from = await places.open(request.from.place);
    const to = await places.open(request.to.place);
    return previewSync({ from, to, request, signal, limit, isCaseBlind });
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
    const record = this.#book.need(id);
    if (record.status === 'ASKING') {
      this.#book.save({ ...record, request: { ...record.request, conflicts }, conflicts: null });
      this.#book.apply(id, 'answer');
      await this.#parts.flushed();
      this.#startNext();
    }
    return this.get(id);
  }

  /** Moves one in the queue; resolves with the new order. */
  async move(id: TransferId, before: TransferId | null): Promise<TransferId[]> {
    const order = this.#book.move(id, before);
    await this.#parts.flushed();
    return order;
  }

  /** Forgets ended ones: those named, or all. */
  async clear(ids?: readonly TransferId[]): Promise<{ removed: number }> {
    const removed = this.#book.clear(ids);
    await this.#parts.flushed();
    return { removed };
  }

  /** A node came online, or a container began to run: whoever waits for a place tries again. */
  wake(): void {
    this.#book.applyToAll('WAITING', 'place-back');
    this.#startNext();
  }

  /** Stops what runs; it goes on from there when a core starts again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#book[Symbol.dispose]();
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort(new Stopped('interrupted'));
    await Promise.all(running.map(({ ended }) => ended));
    await this.#threads[Symbol.asyncDispose]();
  }

  async #order(
    id: TransferId,
    event: 'pause' | 'resume' | 'cancel' | 'retry',
  ): Promise<OrderResult> {
    const before = this.#book.need(id);
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
    this.#book.apply(id, event);
    if (event === 'cancel') {
      this.#cleaning.add(id);
      await this.#cleanUp(this.#book.need(id)).finally(() => this.#cleaning.delete(id));
      this.#startNext();
    }
    const { status } = this.#book.need(id);
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
    for (const { id, status } of this.#book.all()) {
      if (this.#running.size >= this.#parts.settings().parallel) return;
      const isFree = !this.#running.has(id) && !this.#cleaning.has(id);
      if (status === 'QUEUED' && isFree) this.#run(id);
    }
  }

  #run(id: TransferId): void {
    const abort = new AbortController();
    const record = this.#book.need(id);
    this.#book.save({ ...record, runs: record.runs + 1, error: null });
    this.#book.apply(id, 'started');
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
        if (this.#isClosed) this.#book.apply(id, 'interrupted');
        return;
      }
      this.#fail(id, error);
    }
  }

  async #attempt(id: TransferId, signal: AbortSignal): Promise<RunOutcome> {
    const { clock, timers, places, isCaseBlind, log, mostItems: limit = mostItems } = this.#parts;
    const { direct, delta, bytesPerSecond: sharedRate } = this.#parts.settings();
    const { request, target, runs } = this.#book.need(id);
    const speed = new Speed();
    this.#book.progress(id, { ...nothingYet, phase: 'looking' });
    using lent = this.#threads.take();
    return await runTransfer({
      id,
      request,
      places,
      signal,
      thread: lent.thread,
      tools: this.#tools,
      // Nothing there could be held to a rate.
      isDirectAllowed: direct && sharedRate === null,
      isDeltaAllowed: delta,
      timers,
      target,
      isAgain: runs > 1,
      isCaseBlind,
      limit,
      onTarget: async (found) => {
        this.#book.save({ ...this.#book.need(id), target: found });
        await this.#parts.flushed();
      },
      onProgress: (change) => {
        if (change.bytesMoved !== undefined) speed.note(clock.monotonic(), change.bytesMoved);
        const { bytesPerSecond } = speed;
        this.#book.progress(id, { ...change, bytesPerSecond });
      },
      onBytes: this.#paced(request.rateLimit, signal),
      onNote: (note) => log.info({ transfer: id, ...note }, 'a file was moved as a whole'),
    });
  }

  /** Waits where a rate is set: for this transfer, or for all of them together. */
  #paced(
    rateLimit: number | null,
    signal: AbortSignal,
  ): (bytes: number) => Promise<void> | undefined {
    const { clock, timers, settings } = this.#parts;
    const own =
      rateLimit === null ? undefined : new BytePace({ clock, timers, bytesPerSecond: rateLimit });
    return (bytes) => {
      const shared = this.#sharedPace.at(settings().bytesPerSecond);
      if (own === undefined || shared === undefined) return (own ?? shared)?.spend(bytes, signal);
      return own.spend(bytes, signal).then(() => shared.spend(bytes, signal));
    };
  }

  #conclude(id: TransferId, outcome: RunOutcome): void {
    const record = this.#book.need(id);
    if (outcome.kind === 'asks') {
      this.#book.save({ ...record, conflicts: { count: outcome.count, some: [...outcome.some] } });
      this.#book.apply(id, 'asked');
    } else {
      const { problems, proof } = outcome;
      const failed = problems.filter((problem) => problem.outcome === 'failed').length;
      this.#book.setProblems(id, problems);
      this.#book.save({ ...record, failed, skipped: problems.length - failed, proof });
      this.#book.progress(id, { phase: 'ended', current: null, bytesPerSecond: null });
      this.#book.apply(id, failed > 0 ? 'failed' : 'finished');
    }
    this.#ended.emit(this.get(id));
  }

  #fail(id: TransferId, error: unknown): void {
    if (!(error instanceof AppError)) {
      this.#parts.log.error({ err: error, transfer: id }, 'a transfer failed in an unexpected way');
    }
    const shape = toErrorShape(error);
    this.#book.save({ ...this.#book.need(id), error: shape });
    const isPlaceLost = placeErrors.has(shape.code);
    this.#book.apply(id, isPlaceLost ? 'place-lost' : 'failed');
    if (!isPlaceLost) this.#ended.emit(this.get(id));
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
