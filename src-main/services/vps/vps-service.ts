// What people do with VPSes. Decisions are the domain's; orders are durable when they resolve, and
// carried out like those of any task.
import { RequestError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import type { TaskEventView } from '../../contract/task.ts';
import type { SnapshotPolicy, VpsView } from '../../contract/vps.ts';
import { backInTheQueue } from '../../domain/task-steps.ts';
import type { Task, TaskEvent, VpsChanges } from '../../domain/task.ts';
import type { VpsEngine } from '../../runtimes/vps-engine.ts';
import { attemptRef } from '../attempts/attempt-ref.ts';
import type { Fleet } from '../fleet.ts';
import { toQueued, type Dispatcher } from '../planner/dispatcher.ts';
import type { SettingsService } from '../settings.ts';
import type { TaskRecords } from '../tasks/ports.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { nameOf, notRunning } from './vps-access.ts';
import type { Vps, VpsBook } from './vps-book.ts';
import type { VpsCreation } from './vps-creation.ts';
import { checkRoom } from './vps-room.ts';
import type { VpsSnapshots } from './vps-snapshots.ts';
import type { VpsViews } from './vps-views.ts';

export interface VpsServiceParts {
  readonly vpses: VpsBook;
  readonly views: VpsViews;
  readonly creation: VpsCreation;
  readonly snapshots: VpsSnapshots;
  readonly book: TaskBook;
  readonly records: Pick<TaskRecords, 'events'>;
  readonly fleet: Fleet;
  readonly dispatcher: Dispatcher;
  readonly settings: SettingsService;
}

export interface Order {
  readonly vps: string;
  readonly who: string;
}

export class VpsService implements Disposable {
  readonly #parts: VpsServiceParts;
  readonly #listening: Disposable;

  constructor(parts: VpsServiceParts) {
    this.#parts = parts;
    this.#listening = parts.book.onDidChange(({ before, after }) => {
      if (after?.state.status !== 'STOPPED' || after.type !== 'vps') return;
      if (before !== undefined && isToRestart(before)) this.#startInPlace(before, after);
    });
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  get(reference: string): VpsView {
    return this.#view(this.#parts.vpses.find(reference));
  }

  events(reference: string): TaskEventView[] {
    return [...this.#parts.records.events(this.#parts.vpses.find(reference).task.id)];
  }

  /** Into the queue again; with `now`, only where it fits at once. */
  async start({ vps, who, now }: Order & { now: boolean }): Promise<VpsView> {
    const found = this.#parts.vpses.find(vps);
    this.#checkHome(found);
    this.#parts.snapshots.checkIdle(found);
    if (now) await this.#checkFitsNow(found);
    return this.#order(found, { kind: 'start-requested', by: who });
  }

  async stop({ vps, who, ...options }: Order & StopOptions): Promise<VpsView> {
    const found = this.#parts.vpses.find(vps);
    const { beforeStop } = found.record.snapshots;
    const isDue = (options.snapshot ?? beforeStop) && found.task.disk !== null;
    return this.#order(found, this.#stopEvent(who, 'rest', options), () => {
      const dueSnapshot = isDue ? `before it was stopped by ${who}` : null;
      this.#parts.vpses.change(found.task.id, (record) => ({ ...record, dueSnapshot }));
    });
  }

  /** Keeps what it holds, so that nobody takes it meanwhile. One that rests is started. */
  async restart({ vps, who, ...options }: Order & StopOptions): Promise<VpsView> {
    const found = this.#parts.vpses.find(vps);
    const { status } = found.task.state;
    if (status === 'STOPPED' || status === 'FAILED') return this.start({ vps, who, now: false });
    return this.#order(found, this.#stopEvent(who, 'restart', options));
  }

  #stopEvent(by: string, then: 'rest' | 'restart', { graceSeconds }: StopOptions): TaskEvent {
    const seconds = graceSeconds ?? this.#parts.settings.get('tasks.killGraceSeconds');
    return { kind: 'stop-requested', by, graceMs: seconds * 1000, then };
  }

  async pause(order: Order): Promise<VpsView> {
    return this.#freezeOrThaw(order, 'paused');
  }

  async resume(order: Order): Promise<VpsView> {
    return this.#freezeOrThaw(order, 'resumed');
  }

  async #freezeOrThaw({ vps, who }: Order, kind: 'paused' | 'resumed'): Promise<VpsView> {
    const { vpses, fleet, book } = this.#parts;
    const found = vpses.find(vps);
    const { task } = found;
    const needed = kind === 'paused' ? 'RUNNING' : 'PAUSED';
    if (task.state.status !== needed) {
      throw conflict(
        `Only a VPS that is ${needed} can be ${kind}; ${nameOf(task)} is ${task.state.status}.`,
      );
    }
    const runtime = fleet.runtime(task.state.place.nodeId, 'docker');
    if (runtime === undefined) throw unreachable(found);
    const ref = attemptRef(task);
    await (kind === 'paused' ? runtime.pause(ref) : runtime.resume(ref));
    // Somebody may have seen it on the node before it is written here.
    book.apply(task.id, { kind, attempt: task.attempt, by: who });
    await book.flushed();
    return this.#viewOf(task.id);
  }

  async rename({ vps, who, name }: Order & { name: string }): Promise<VpsView> {
    const found = this.#parts.vpses.find(vps);
    this.#parts.creation.checkName(name, found.task.id);
    return this.#change(found, { who, changes: { name } });
  }

  /** Limits are set on the node first: they are written when they are true. */
  async update({ vps, who, ...given }: Order & VpsUpdate): Promise<VpsView> {
    const { vpses, fleet, book } = this.#parts;
    const found = vpses.find(vps);
    const { task } = found;
    const limits = {
      cores: given.cores ?? task.spec.cores,
      memoryBytes: given.memoryBytes === undefined ? task.spec.memoryBytes : given.memoryBytes,
    };
    const areNew = limits.cores !== task.spec.cores || limits.memoryBytes !== task.spec.memoryBytes;
    if (areNew && 'kill' in task.state) {
      const { place } = task.state;
      checkRoom(task, limits, { fleet, book });
      const engine = fleet.runtime(place.nodeId, 'docker')?.vps;
      if (engine === undefined || task.state.status === 'ASSIGNING') throw unreachable(found);
      await engine.setLimits(task.id, limits);
    }
    const { snapshots } = given;
    if (snapshots !== undefined) {
      vpses.change(task.id, (record) => ({
        ...record,
        snapshots: { ...record.snapshots, ...withoutUndefined(snapshots) },
      }));
    }
    if (areNew) return this.#change(found, { who, changes: limits });
    await book.durable();
    return this.#viewOf(task.id);
  }

  /** Ends it for good; its disk goes as soon as its node can be reached. Nothing goes when the snapshot that was wanted first fails. */
  async remove({
    vps,
    who,
    snapshot,
  }: Order & { snapshot?: boolean | undefined }): Promise<{ id: TaskId }> {
    const { vpses, book, settings, snapshots } = this.#parts;
    const found = vpses.find(vps);
    const { task, record } = found;
    snapshots.checkIdle(found);
    const isWanted = snapshot ?? record.snapshots.beforeRemove;
    if (isWanted && task.disk !== null) {
      await snapshots.take(task.id, `before it was removed by ${who}`);
    }
    const graceMs = settings.get('tasks.killGraceSeconds') * 1000;
    const outcome = book.apply(task.id, {
      kind: 'kill-requested',
      by: who,
      signal: 'SIGTERM',
      graceMs,
    });
    await book.flushed();
    if ('refused' in outcome) throw conflict(outcome.why);
    return { id: task.id };
  }

  async output({ vps, lines }: { vps: string; lines: number }): Promise<{ text: string }> {
    const found = this.#parts.vpses.find(vps);
    return { text: await this.#engineOf(found).output(found.task.id, lines) };
  }

  /** The Engine of the node that has its disk. Throws while it cannot be reached. */
  #engineOf(vps: Vps): VpsEngine {
    const { task } = vps;
    const nodeId =
      task.disk?.nodeId ?? ('kill' in task.state ? task.state.place.nodeId : undefined);
    if (nodeId === undefined) throw notRunning(vps);
    const engine = this.#parts.fleet.runtime(nodeId, 'docker')?.vps;
    if (engine === undefined) throw unreachable(vps);
    return engine;
  }

  async #change(
    { task }: Vps,
    { who, changes }: { who: string; changes: VpsChanges },
  ): Promise<VpsView> {
    const found = this.#parts.vpses.find(task.id);
    return this.#order(found, { kind: 'vps-changed', by: who, changes });
  }

  async #order({ task }: Vps, event: TaskEvent, alongside?: () => void): Promise<VpsView> {
    const { book } = this.#parts;
    const outcome = book.apply(task.id, event);
    if ('refused' in outcome) throw conflict(outcome.why);
    alongside?.();
    await book.flushed();
    return this.#viewOf(task.id);
  }

  /** A restart keeps its place: both steps are written in the turn, and so the transaction, of the stop. */
  #startInPlace(before: Task, { id }: Task): void {
    const { book } = this.#parts;
    if (!('kill' in before.state) || before.state.kill === null) return;
    const { place, kill } = before.state;
    const { by } = kill;
    // After everybody has heard of the stop, so that nobody hears of the start first.
    queueMicrotask(() => {
      if ('refused' in book.apply(id, { kind: 'start-requested', by })) return;
      book.apply(id, { kind: 'placed', place, why: 'restarted where it was' });
    });
  }

  #checkHome({ task }: Vps): void {
    const { disk } = task;
    if (disk === null || this.#parts.fleet.node(disk.nodeId) !== undefined) return;
    throw conflict(
      `The node that has the disk of ${nameOf(task)} was removed. Add the node again, or remove the VPS.`,
    );
  }

  async #checkFitsNow({ task }: Vps): Promise<void> {
    const { book, dispatcher } = this.#parts;
    const now = book.now();
    const waiting = { ...task, state: backInTheQueue(now, null, null) };
    const reason = await dispatcher.explain(toQueued(waiting, now));
    if (reason.nodes.some(({ fits }) => fits)) return;
    throw new RequestError('vps/no-room', `${nameOf(task)} cannot start now. ${reason.summary}`, {
      retry: 'later',
      details: { vps: nameOf(task) },
    });
  }

  #viewOf(id: TaskId): VpsView {
    return this.#view(this.#parts.vpses.find(id));
  }

  #view(vps: Vps): VpsView {
    return this.#parts.views.view(vps);
  }
}

interface StopOptions {
  readonly graceSeconds?: number | undefined;
  readonly snapshot?: boolean | undefined;
}

interface VpsUpdate {
  readonly cores?: number | undefined;
  readonly memoryBytes?: number | null | undefined;
  readonly snapshots?: { [K in keyof SnapshotPolicy]?: SnapshotPolicy[K] | undefined } | undefined;
}

function isToRestart({ state }: Task): boolean {
  return 'kill' in state && state.kill?.then === 'restart';
}

function withoutUndefined<T extends object>(
  given: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function conflict(message: string): RequestError {
  return new RequestError('conflict/state', message, { retry: 'after-user-action' });
}

function unreachable({ task }: Vps): RequestError {
  return new RequestError(
    'vps/out-of-reach',
    `The node of ${nameOf(task)} cannot be reached now, or its Docker does not answer.`,
    { retry: 'later', details: { vps: nameOf(task) } },
  );
}
