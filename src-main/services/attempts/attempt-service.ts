// Keeps every attempt on every reachable node driven, runs stored effects, and settles with each
// node what it has against what we think it has, on every (re)connect and every half minute.
import type { CoreId, NodeId } from '../../contract/ids.ts';
import { isFinal } from '../../contract/task.ts';
import type { Timers } from '../../domain/clock.ts';
import type { Place, Task, TaskEffect } from '../../domain/task.ts';
import type { AttemptRef, AttemptSpec, ObservedAttempt, Runtime } from '../../runtimes/runtime.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { EffectRecords, StoredEffect } from '../tasks/ports.ts';
import { holdingOf, type TaskBook } from '../tasks/task-book.ts';
import { AttemptDriver, driverKey, isOutOfReach, type DriverKey } from './attempt-driver.ts';

/** How often a node is compared with the store while nothing seems to happen. */
const SETTLE_EVERY_MS = 30_000;

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
}

export class AttemptService implements AsyncDisposable {
  readonly #parts: AttemptServiceParts;
  readonly #drivers = new Map<DriverKey, { driver: AttemptDriver; nodeId: NodeId }>();
  readonly #settling = new Map<NodeId, { again: boolean; done: Promise<void> }>();
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
    const running = [...this.#drivers.values()];
    for (const { driver } of running) driver.abandon(new Error('the core is stopping'));
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
    for (const kind of ['docker', 'process'] as const) {
      const runtime = this.#parts.fleet.runtime(nodeId, kind);
      if (runtime === undefined) continue;
      for (const task of this.#parts.book.onNode(nodeId)) {
        if ('place' in task.state && task.state.place?.runtime === kind)
          this.#ensureDriver(task, runtime);
      }
      const observed = await runtime.list();
      await this.#tidy(runtime, observed);
    }
    // Side by side: a stop waits for its grace, and the rest must not wait for it.
    await Promise.all(this.#parts.effects.forNode(nodeId).map((stored) => this.#perform(stored)));
  }

  /** A node was removed for good: what it may still run is not ours to follow any more. */
  forgetNode(nodeId: NodeId, why: string): void {
    for (const task of [...this.#parts.book.onNode(nodeId)]) {
      this.#parts.book.apply(task.id, { kind: 'vanished', attempt: task.attempt, why });
    }
    this.#parts.effects.forgetNode(nodeId);
  }

  #settleAll(): void {
    for (const node of this.#parts.fleet.plannerNodes()) {
      if (node.state === 'online') this.#run(this.settle(node.id));
    }
  }

  /** Removes leftovers of ended tasks of ours; reports what carries our ID and is unknown. Never touches others'. */
  async #tidy(runtime: Runtime, observed: readonly ObservedAttempt[]): Promise<void> {
    for (const seen of observed) {
      if (seen.core !== this.#parts.coreId || seen.taskId === null) continue;
      const task = this.#parts.book.find(seen.taskId)?.task;
      const ref = { taskId: seen.taskId, attempt: seen.attempt };
      if (task === undefined) {
        this.#parts.log.warn(
          { name: seen.name, ...ref },
          'found work that carries our ID but is not in the database; left alone',
        );
        continue;
      }
      const isOver = isFinal(task.state.status) || task.attempt !== seen.attempt;
      const isAtRest = seen.condition.kind === 'ended' || seen.condition.kind === 'created';
      if (isOver && isAtRest && !task.spec.keepFailed) await runtime.remove(ref, { keep: false });
    }
  }

  #ensureDriver(task: Task, runtime: Runtime): AttemptDriver | undefined {
    const place = holdingOf(task)?.place;
    if (place === undefined || this.#isStopped) return undefined;
    const { nodeId } = place;
    const ref = { taskId: task.id, attempt: task.attempt };
    const key = driverKey(ref);
    const existing = this.#drivers.get(key);
    if (existing !== undefined) return existing.driver;
    const node = this.#parts.fleet.node(nodeId);
    if (node === undefined) return undefined;
    const { book, buildSpec, collectLog } = this.#parts;
    const driver = new AttemptDriver(ref, {
      book,
      runtime,
      collectLog,
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
    if (wasAbandoned && this.#parts.fleet.node(nodeId)?.state === 'online') this.#run(this.settle(nodeId));
  }

  #loseNode(nodeId: NodeId, reason: string, counted: boolean): void {
    for (const entry of this.#drivers.values()) {
      if (entry.nodeId === nodeId) entry.driver.abandon(new Error(reason));
    }
    if (!counted) return;
    for (const task of [...this.#parts.book.onNode(nodeId)]) {
      if (task.state.status === 'LOST') continue;
      this.#parts.book.apply(task.id, { kind: 'node-lost', attempt: task.attempt, why: reason });
    }
  }

  /** Effects run only when the transition they belong to is on disk. */
  async #whenDurable(effects: readonly StoredEffect[]): Promise<void> {
    await this.#parts.book.flushed();
    for (const stored of effects) await this.#perform(stored);
  }

  /** Runs one effect if its node can be reached; otherwise it stays for the next settling. */
  async #perform(stored: StoredEffect): Promise<void> {
    const { effect, taskId } = stored;
    const { book, fleet, effects } = this.#parts;
    const ref = { taskId, attempt: effect.attempt };
    const task = book.find(taskId)?.task;
    const runtime = fleet.runtime(effect.nodeId, runtimeKind(effect, task));
    if (runtime === undefined) return;
    if (task?.attempt === effect.attempt && !isFinal(task.state.status)) {
      this.#ensureDriver(task, runtime);
    }
    switch (effect.kind) {
      case 'start-attempt':
        break;
      case 'stop-attempt':
        await this.#drivers.get(driverKey(ref))?.driver.stop(effect);
        break;
      case 'remove-attempt':
        await runtime.remove(ref, { keep: effect.keep });
        break;
    }
    effects.done(stored.id);
  }

  /** Background work: a lost link is no news here, anything else is logged, and the next settling tries again. */
  #run(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (this.#isStopped || isOutOfReach(error)) return;
      if (error instanceof Error && error.message === 'the core is stopping') return;
      this.#parts.log.error(
        { err: error },
        'an attempt could not be advanced; it will be tried again',
      );
    });
  }
}

function runtimeKind(effect: TaskEffect, task: Task | undefined): 'docker' | 'process' {
  if (effect.kind === 'remove-attempt') return effect.runtime;
  if (task !== undefined && 'place' in task.state && task.state.place !== null)
    return task.state.place.runtime;
  return task?.spec.vessel.kind === 'process' ? 'process' : 'docker';
}
