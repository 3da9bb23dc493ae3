// Keeps one link up: connects, notices when it drops, tries again in growing intervals.
import type { Instant } from '../contract/ids.ts';
import type { OfflineReason } from '../contract/node.ts';
import { AppError } from '../contract/errors.ts';
import type { Clock, Random, Timers } from '../domain/clock.ts';
import { Emitter, type Event } from '../domain/emitter.ts';
import { offlineReasonOf } from './errors.ts';
import type { NodeLink } from './node-link.ts';

export type SupervisorState =
  | { readonly kind: 'connecting'; readonly since: Instant; readonly error: Error | undefined }
  | { readonly kind: 'online'; readonly since: Instant; readonly link: NodeLink }
  | {
      readonly kind: 'offline';
      readonly since: Instant;
      readonly reasonKind: OfflineReason;
      readonly error: Error;
    }
  | { readonly kind: 'stopped' };

export interface SupervisorOptions {
  /** Connects once; must reject when the signal is aborted. */
  connect: (signal: AbortSignal) => Promise<NodeLink>;
  clock: Clock;
  timers: Timers;
  random: Random;
  /** A link that dropped may take this long to come back before the node counts as offline. Default 30 s. */
  offlineAfterMs?: number;
  /** Between tries while only time can help; doubles from the first to the last. Default 1 s … 60 s. */
  backoffMs?: { first: number; last: number };
  /** Between tries after an error that a person has to mend (wrong key, changed host). Default 5 min. */
  afterUserActionMs?: number;
  /** How long the far side may take to answer after `wake`. Default 5 s. */
  wakePingMs?: number;
}

/** A link that holds less long than this did not mend anything: the intervals go on growing. */
const STEADY_AFTER_MS = 30_000;

export class LinkSupervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #changed = new Emitter<SupervisorState>();
  #state: SupervisorState = { kind: 'stopped' };
  /** Ends the attempt, the wait or the watch that goes on; a new one begins with each. */
  #current: { abort: AbortController; timers: Set<Disposable> } | undefined;
  #failures = 0;
  #droppedAt: number | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = {
      offlineAfterMs: 30_000,
      backoffMs: { first: 1_000, last: 60_000 },
      afterUserActionMs: 300_000,
      wakePingMs: 5_000,
      ...options,
    };
  }

  get state(): SupervisorState {
    return this.#state;
  }

  /** The link while there is one. */
  get link(): NodeLink | undefined {
    return this.#state.kind === 'online' ? this.#state.link : undefined;
  }

  get onDidChange(): Event<SupervisorState> {
    return this.#changed.event;
  }

  /** Starts connecting; nothing when it has been started already. */
  start(): void {
    if (this.#state.kind !== 'stopped') return;
    this.#failures = 0;
    this.#droppedAt = undefined;
    this.#change({ kind: 'connecting', since: this.#options.clock.now(), error: undefined });
    void this.#try();
  }

  /**
   * Something changed (wake-up, network, a person mended it): tries at once. A link that is up is
   * asked for an answer and replaced if none comes.
   */
  wake(): void {
    if (this.#state.kind === 'stopped') return;
    if (this.#state.kind === 'online') {
      void this.#verify(this.#state.link);
      return;
    }
    this.#failures = 0;
    void this.#try();
  }

  /** Closes the link and connects again at once, as when its address or password was changed. */
  async reconnect(): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    const { link } = this;
    this.#failures = 0;
    this.#change({ kind: 'connecting', since: this.#options.clock.now(), error: undefined });
    void this.#try();
    await link?.close();
  }

  /** Closes the link and tries no more. */
  async stop(): Promise<void> {
    const { link } = this;
    this.#endCurrent();
    if (this.#state.kind !== 'stopped') this.#change({ kind: 'stopped' });
    await link?.close();
  }

  async #try(): Promise<void> {
    const current = this.#begin();
    try {
      const link = await this.#options.connect(current.abort.signal);
      if (this.#current !== current) {
        await link.close();
        return;
      }
      this.#onConnected(link);
    } catch (error) {
      if (this.#current === current) this.#onFailed(toError(error));
    }
  }

  #onConnected(link: NodeLink): void {
    const { clock } = this.#options;
    const connectedAt = clock.monotonic();
    const current = this.#begin();
    const watch = link.onDidClose((reason) => {
      if (this.#current !== current) return;
      if (clock.monotonic() - connectedAt >= STEADY_AFTER_MS) this.#failures = 0;
      this.#onDropped(reason ?? new Error('The link was closed.'));
    });
    current.timers.add(watch);
    this.#droppedAt = undefined;
    this.#change({ kind: 'online', since: clock.now(), link });
    // It may have dropped between connecting and here.
    if (!link.isOpen && this.#current === current) {
      this.#onDropped(new Error('The link dropped at once.'));
    }
  }

  #onDropped(error: Error): void {
    const { clock } = this.#options;
    this.#droppedAt = clock.monotonic();
    this.#begin();
    this.#change({ kind: 'connecting', since: clock.now(), error });
    this.#tryLater(error);
  }

  #onFailed(error: Error): void {
    const needsPerson = error instanceof AppError && error.retry === 'after-user-action';
    if (needsPerson || !this.#isInGrace()) this.#goOffline(error);
    this.#tryLater(error);
  }

  #isInGrace(): boolean {
    if (this.#droppedAt === undefined || this.#state.kind === 'offline') return false;
    return this.#options.clock.monotonic() - this.#droppedAt < this.#options.offlineAfterMs;
  }

  #goOffline(error: Error): void {
    const since = this.#state.kind === 'offline' ? this.#state.since : this.#options.clock.now();
    this.#change({ kind: 'offline', since, reasonKind: offlineReasonOf(error), error });
  }

  #tryLater(error: Error): void {
    const current = this.#begin();
    const delayMs = this.#nextDelay(error);
    current.timers.add(this.#options.timers.after(delayMs, () => void this.#try()));
    if (this.#state.kind !== 'connecting' || this.#droppedAt === undefined) return;
    // The grace may run out during the wait, or during a try that takes long.
    const left = this.#droppedAt + this.#options.offlineAfterMs - this.#options.clock.monotonic();
    this.#grace?.[Symbol.dispose]();
    this.#grace = this.#options.timers.after(Math.max(0, left), () => {
      if (this.#state.kind === 'connecting') this.#goOffline(error);
    });
  }

  #grace: Disposable | undefined;

  #nextDelay(error: Error): number {
    const { backoffMs, afterUserActionMs, random } = this.#options;
    const needsPerson = error instanceof AppError && error.retry === 'after-user-action';
    const steps = Math.min(this.#failures++, 16);
    const full = needsPerson
      ? afterUserActionMs
      : Math.min(backoffMs.last, backoffMs.first * 2 ** steps);
    // Jitter keeps 200 nodes behind one switch from coming back in the same instant.
    return full * (0.5 + random() / 2);
  }

  async #verify(link: NodeLink): Promise<void> {
    try {
      await link.ping(this.#options.wakePingMs);
    } catch (error) {
      if (this.link !== link) return;
      this.#failures = 0;
      this.#onDropped(toError(error));
      void this.#try();
      await link.close();
    }
  }

  #begin(): { abort: AbortController; timers: Set<Disposable> } {
    this.#endCurrent();
    this.#current = { abort: new AbortController(), timers: new Set() };
    return this.#current;
  }

  #endCurrent(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.abort.abort(new DOMException('No longer wanted.', 'AbortError'));
    for (const timer of current?.timers ?? []) timer[Symbol.dispose]();
  }

  #change(state: SupervisorState): void {
    this.#state = state;
    if (state.kind !== 'connecting') {
      this.#grace?.[Symbol.dispose]();
      this.#grace = undefined;
    }
    this.#changed.emit(state);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
