// Keeps every attempt on every reachable node driven, runs stored effects, and settles with each
// node what it has against what we think it has, on every (re)connect and every half minute.
import type { CoreId, NodeId, TaskId } from '../../contract/ids.ts';
import { isFinal } from '../../contract/task.ts';
import type { Timers } from '../../domain/clock.ts';
import type { Place, Task } from '../../domain/task.ts';
import type {
  AttemptRef,
  AttemptSpec,
  ObservedAttempt,
  PrepareOptions,
  Runtime,
} from '../../runtimes/runtime.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { EffectRecords, StoredEffect } from '../tasks/ports.ts';
import { holdingOf, type TaskBook } from '../tasks/task-book.ts';
import { attemptRef, diskRef } from './attempt-ref.ts';
import { settleVps } from './settle-vps.ts';
import {
  AttemptAbandoned,
  AttemptDriver,
  driverKey,
  isOutOfReach,
  type DriverKey,
} from './attempt-driver.ts';

/** How often a node is compared with the store while nothing seems to happen. */
const SETTLE_EVERY_MS = 30_000;
/**
 * Effects that were run are taken off the list together, a little later: run again after a crash they
 * do no harm, and a commit for each would cost as much as starting a task.
 */
const TAKE_OFF_MS = 50;
/** What still runs for a task that is over gets the usual time to end. */
const leftoverStop = { signal: 'SIGTERM', graceMs: 10_000 };

export interface AttemptServiceParts {
  readonly coreId: CoreId;
  readonly book: TaskBook;
  readonly effects: EffectRecords;
  readonly fleet: Fleet;
  readonly timers: Timers;
  readonly log: Logger;
  /** Throws VaultError while secrets cannot be read. */
  readonly buildSpec: (task: Task, place: Place, node: FleetNode) => AttemptSpec;
  readonly collectLog: (runtime: Runtime, ref: AttemptRef, signal: AbortSignal) => Promise<void>;
  /** Sees to it that an environment is on the node before it is used there. */
  readonly bring?: (spec: AttemptSpec, nodeId: NodeId, work: PrepareOptions) => Promise<void>;
  /** Hands over what an ended task wants back; false when that cannot be done now. */
  readonly fetchResults?: (ref: AttemptRef, nodeId: NodeId) => Promise<boolean>;
}

export class AttemptService implements AsyncDisposable {
  readonly #parts: AttemptServiceParts;
  readonly #drivers = new Map<DriverKey, { driver: AttemptDriver; nodeId: NodeId }>();
  readonly #settling = new Map<NodeId, { again: boolean; done: Promise<void> }>();
  /** Effects that are being run: a settling that meets one leaves it alone. */
  readonly #performing = new Set<number>();
  /** Run, and not yet off the list. */
  readonly #performed = new Set<number>();
  #takeOff: Disposable | undefined;
  readonly #listening: Disposable[];
  #isStopped = false;

  constructor(parts: AttemptServiceParts) {
    this.#parts = parts;
    const { book, fleet, timers } = parts;
    this.#listening = [
      book.onDidStoreEffects(({ effects }) => this.#run(this.#whenDurable(effects))),
      fleet.onDidComeOnline((id) => this.#run(this.settle(id))),
      fleet.onDidGoOffline(({ id, reason, counted }) => this.#loseNode(id, reason, counted)),
      timers.every(SETTLE_EVERY_MS, () => this.#settleAll()),
    ];
  }

  /** Stops following; what runs on nodes goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    for (const listener of this.#listening) listener[Symbol.dispose]();
    this.#takeOff?.[Symbol.dispose]();
    this.#try(() => this.#takePerformedOff());
    const running = [...this.#drivers.values()];
    for (const { driver } of running) driver.abandon(new AttemptAbandoned('the core is stopping'));
    await Promise.allSettled(running.map(({ driver }) => driver.done));
  }

  /** Compares a node with the store and acts on each difference. Calls that meet are served by one more round. */
  settle(nodeId: NodeId): Promise<void> {
    const current = this.#settling.get(nodeId);
    if (current !== undefined) {
      current.again = true;
      return current.done;
    }
    const entry = { again: false, done: Promise.resolve() };
    this.#settling.set(nodeId, entry);
    entry.done = this.#settleRounds(nodeId, entry).finally(() => this.#settling.delete(nodeId));
    return entry.done;
  }

  async #settleRounds(nodeId: NodeId, entry: { again: boolean }): Promise<void> {
    for (let isDue = true; isDue && !this.#isStopped; isDue = entry.again) {
      entry.again = false;
      await this.#settleOnce(nodeId);
    }
  }

  async #settleOnce(nodeId: NodeId): Promise<void> {
    const { book, effects, fleet } = this.#parts;
    const tasks = [...book.onNode(nodeId)];
    const ordered = effects.forNode(nodeId);
    // Nothing is done on a node for what a crash could still undo here.
    await book.durable();
    for (const { id, attempt } of tasks) this.#resume(id, attempt);
    const outstanding = new Set(effects.forNode(nodeId).map(({ id }) => id));
    // Not waited for: a stop lasts as long as its grace.
    for (const stored of ordered.filter(({ id }) => outstanding.has(id)))
      this.#run(this.#perform(stored, { isNew: false }));
    for (const kind of ['docker', 'process'] as const) {
      const runtime = fleet.runtime(nodeId, kind);
      if (runtime === undefined) continue;
      // A slow answer may tell of what has ended since it was asked for: that is no leftover yet.
      const current = new Set(
        [...book.onNode(nodeId)].map(({ id, attempt }) => driverKey({ taskId: id, attempt })),
      );
      const observed = await runtime.list();
      this.#noteConditions(observed);
      await this.#tidy(
        runtime,
        observed.filter((seen) => !this.#isOfVps(seen) && !isAmong(current, seen)),
      );
      for (const seen of observed)
        if (this.#isOfVps(seen)) await this.#tidyVps(runtime, nodeId, seen);
    }
  }

  /** Drives an attempt that is still its task's current one. */
  #resume(id: TaskId, attempt: number): void {
    const task = this.#parts.book.active(id);
    const place = task === undefined ? undefined : holdingOf(task)?.place;
    if (task?.attempt !== attempt || place === undefined) return;
    const runtime = this.#parts.fleet.runtime(place.nodeId, place.runtime);
    if (runtime !== undefined) this.#ensureDriver(task, { runtime, isNew: false });
  }

  /** What others froze or thawed on the node itself. */
  #noteConditions(observed: readonly ObservedAttempt[]): void {
    for (const { core, taskId, attempt, condition } of observed) {
      if (core !== this.#parts.coreId || taskId === null) continue;
      const task = this.#parts.book.active(taskId);
      if (task === undefined || !isOtherwise(task, condition.kind)) continue;
      // The container of a VPS carries the attempt that made it.
      const current = task.type === 'vps' ? task.attempt : attempt;
      const driver = this.#drivers.get(driverKey({ taskId, attempt: current }))?.driver;
      if (driver !== undefined) this.#run(driver.lookAgain());
    }
  }

  /** A node was removed for good: what it may still run is not ours to follow any more. */
  forgetNode(nodeId: NodeId, why: string): void {
    const { book, effects } = this.#parts;
    this.#abandon(nodeId, why);
    this.#try(() => {
      for (const { id, attempt } of [...book.onNode(nodeId)])
        book.apply(id, { kind: 'vanished', attempt, why });
      book.write(() => effects.forgetNode(nodeId));
    });
  }

  #settleAll(): void {
    const { fleet } = this.#parts;
    for (const { id, state } of fleet.plannerNodes()) {
      if (state === 'online') this.#run(this.settle(id));
      // For what could not be written when the link dropped.
      else if (state !== 'connecting')
        this.#markLost(id, fleet.node(id)?.reason ?? 'It is offline.');
    }
  }

  /**
   * Removes leftovers of ended tasks of ours; one that still runs is stopped first. Reports what
   * carries our ID and is unknown. Never touches others'.
   */
  async #tidy(runtime: Runtime, observed: readonly ObservedAttempt[]): Promise<void> {
    const leftovers = observed.flatMap((seen) => this.#asLeftover(seen) ?? []);
    if (leftovers.length === 0) return;
    // An end that a crash could still undo would leave a task without its attempt.
    await this.#parts.book.durable();
    for (const { ref, isAlive } of leftovers) {
      if (isAlive) this.#run(this.#endLeftover(runtime, ref));
      else await runtime.remove(ref, { keep: false });
    }
  }

  /** The container of a VPS that is not at work by our order. */
  async #tidyVps(runtime: Runtime, nodeId: NodeId, seen: ObservedAttempt): Promise<void> {
    const { book, log } = this.#parts;
    const verdict = await settleVps({ book, runtime, nodeId }, seen);
    if (verdict === undefined) return;
    const { ref, order } = verdict;
    if (order === 'remove') await runtime.remove(ref, { keep: false });
    else if (order === 'end') this.#run(this.#endLeftover(runtime, ref));
    else {
      log.warn({ ...ref }, 'a VPS at rest was started on its node; it is stopped again');
      this.#run(runtime.stop(ref, leftoverStop));
    }
  }

  #isOfVps({ core, taskId }: ObservedAttempt): boolean {
    if (core !== this.#parts.coreId || taskId === null) return false;
    return this.#parts.book.find(taskId)?.task.type === 'vps';
  }

  async #endLeftover(runtime: Runtime, ref: AttemptRef): Promise<void> {
    this.#parts.log.warn({ ...ref }, 'an attempt of a task that is over still ran; it is stopped');
    await runtime.stop(ref, leftoverStop);
    await runtime.remove(ref, { keep: false });
  }

  #asLeftover(seen: ObservedAttempt): { ref: AttemptRef; isAlive: boolean } | undefined {
    const { coreId, book, log } = this.#parts;
    if (seen.core !== coreId || seen.taskId === null) return undefined;
    const ref = { taskId: seen.taskId, attempt: seen.attempt };
    const task = book.find(seen.taskId)?.task;
    // Newer than any attempt we know is as unknown as no task: perhaps an older database was put back.
    if (task === undefined || seen.attempt > task.attempt) {
      log.warn(
        { name: seen.name, ...ref },
        'found work that carries our ID but is not in the database; left alone',
      );
      return undefined;
    }
    const isOver = isFinal(task.state.status) || task.attempt !== seen.attempt;
    const isAlive = seen.condition.kind === 'running' || seen.condition.kind === 'paused';
    if (!isOver || (task.spec.keepFailed && !isAlive)) return undefined;
    return { ref, isAlive };
  }

  #ensureDriver(
    task: Task,
    { runtime, isNew }: { runtime: Runtime; isNew: boolean },
  ): AttemptDriver | undefined {
    const place = holdingOf(task)?.place;
    if (place === undefined || this.#isStopped) return undefined;
    const { nodeId } = place;
    const ref = attemptRef(task);
    const key = driverKey(ref);
    const existing = this.#drivers.get(key);
    if (existing !== undefined) return existing.driver;
    const node = this.#parts.fleet.node(nodeId);
    if (node === undefined) return undefined;
    const { book, buildSpec, collectLog, bring } = this.#parts;
    const driver = new AttemptDriver(ref, {
      book,
      runtime,
      collectLog,
      isNew,
      ...(bring === undefined ? {} : { bring: (spec, work) => bring(spec, nodeId, work) }),
      spec: () => buildSpec(task, place, node),
    });
    this.#drivers.set(key, { driver, nodeId });
    this.#run(driver.done.finally(() => this.#onDriverDone(key, nodeId)));
    return driver;
  }

  /** A driver that was told to let go may take a moment; if its node is back by then, the attempt needs a new one. */
  #onDriverDone(key: DriverKey, nodeId: NodeId): void {
    const wasAbandoned = this.#drivers.get(key)?.driver.isAbandoned === true;
    this.#drivers.delete(key);
    if (wasAbandoned && this.#parts.fleet.node(nodeId)?.state === 'online')
      this.#run(this.settle(nodeId));
  }

  #loseNode(nodeId: NodeId, reason: string, counted: boolean): void {
    this.#abandon(nodeId, reason);
    if (counted) this.#markLost(nodeId, reason);
  }

  #markLost(nodeId: NodeId, why: string): void {
    const { book } = this.#parts;
    const tasks = [...book.onNode(nodeId)].filter(({ state }) => state.status !== 'LOST');
    this.#try(() => {
      for (const { id, attempt } of tasks) book.apply(id, { kind: 'node-lost', attempt, why });
    });
  }

  #abandon(nodeId: NodeId, reason: string): void {
    for (const entry of this.#drivers.values()) {
      if (entry.nodeId === nodeId) entry.driver.abandon(new AttemptAbandoned(reason));
    }
  }

  /** Effects run only when the transition they belong to is on disk. */
  async #whenDurable(effects: readonly StoredEffect[]): Promise<void> {
    await this.#parts.book.flushed();
    for (const stored of effects) await this.#perform(stored, { isNew: true });
  }

  /** Runs one effect if its node can be reached; otherwise it stays for the next settling. */
  async #perform(stored: StoredEffect, { isNew }: { isNew: boolean }): Promise<void> {
    const { id } = stored;
    if (this.#performing.has(id) || this.#performed.has(id) || this.#isStopped) return;
    this.#performing.add(id);
    try {
      const isDone = await this.#act(stored, isNew);
      if (!isDone) return;
      this.#performed.add(id);
      this.#takeOff ??= this.#parts.timers.after(TAKE_OFF_MS, () => {
        this.#takeOff = undefined;
        this.#try(() => this.#takePerformedOff());
      });
    } finally {
      this.#performing.delete(id);
    }
  }

  #takePerformedOff(): void {
    const { book, effects } = this.#parts;
    const ids = [...this.#performed];
    // Should this not become durable, they are run again.
    this.#performed.clear();
    if (ids.length > 0) book.write(() => ids.forEach((id) => effects.done(id)));
  }

  /** Whether there is nothing left to do. */
  async #act({ effect, taskId }: StoredEffect, isNew: boolean): Promise<boolean> {
    const { book, fleet } = this.#parts;
    const ref = { taskId, attempt: effect.attempt };
    if (effect.kind === 'remove-attempt') return this.#removeAttempt(ref, effect);
    if (effect.kind === 'fetch-results') return this.#fetchResults(ref, effect.nodeId);
    const task = book.active(taskId);
    const place = task === undefined ? undefined : holdingOf(task)?.place;
    // What it was about is over.
    if (task?.attempt !== effect.attempt || place === undefined) return true;
    const runtime = fleet.runtime(effect.nodeId, place.runtime);
    if (runtime === undefined) return false;
    const isFirst = isNew && effect.kind === 'start-attempt';
    const driver = this.#ensureDriver(task, { runtime, isNew: isFirst });
    if (driver === undefined) return false;
    if (effect.kind === 'stop-attempt') await driver.stop(effect);
    return true;
  }

  #fetchResults(ref: AttemptRef, nodeId: NodeId): Promise<boolean> {
    return this.#parts.fetchResults?.(ref, nodeId) ?? Promise.resolve(true);
  }

  async #removeAttempt(
    ref: AttemptRef,
    effect: Extract<StoredEffect['effect'], { kind: 'remove-attempt' }>,
  ): Promise<boolean> {
    const runtime = this.#parts.fleet.runtime(effect.nodeId, effect.runtime);
    if (effect.vps !== true) await runtime?.remove(ref, { keep: effect.keep });
    else if (this.#isDiskOver(ref)) await runtime?.remove(diskRef(ref), { keep: false });
    else return true;
    return runtime !== undefined;
  }

  /** Whether a container may go that was to be removed: not when its VPS was started again meanwhile. */
  #isDiskOver({ taskId, attempt }: AttemptRef): boolean {
    const task = this.#parts.book.find(taskId)?.task;
    if (task === undefined || task.state.status === 'KILLED') return true;
    return task.attempt === attempt && task.disk === null && !('kill' in task.state);
  }

  /** Listeners must not throw: whoever announced something has nothing to do with a full disk. */
  #try(work: () => void): void {
    this.#run(
      new Promise((resolve) => {
        work();
        resolve(undefined);
      }),
    );
  }

  /** Background work: a lost link is no news here, anything else is logged, and the next settling tries again. */
  #run(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (this.#isStopped || isOutOfReach(error) || error instanceof AttemptAbandoned) return;
      this.#parts.log.error(
        { err: error },
        'an attempt could not be advanced; it will be tried again',
      );
    });
  }
}

function isAmong(keys: ReadonlySet<DriverKey>, { taskId, attempt }: ObservedAttempt): boolean {
  return taskId !== null && keys.has(driverKey({ taskId, attempt }));
}

/** Frozen or thawed by somebody else than us. */
function isOtherwise({ state }: Task, found: ObservedAttempt['condition']['kind']): boolean {
  const isFrozen = state.status === 'RUNNING' && found === 'paused';
  const isThawed = state.status === 'PAUSED' && found === 'running';
  return isFrozen || isThawed;
}
