// Snapshots of VPSes. The images on the node are the truth; nothing that a failed snapshot was to
// save is ever removed, and a slow one holds up nothing but the VPS it is of.
import { RequestError } from '../../contract/errors.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import type { SnapshotView } from '../../contract/vps.ts';
import { isAppError } from '../../contract/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import { snapshotsToPrune } from '../../domain/vps/keep-snapshots.ts';
import type { SnapshotInfo, VpsEngine } from '../../runtimes/vps-engine.ts';
import { isOutOfReach } from '../attempts/attempt-driver.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { nameOf } from './vps-access.ts';
import type { Vps, VpsBook } from './vps-book.ts';
import type { VpsViews } from './vps-views.ts';

export interface VpsSnapshotsParts {
  readonly vpses: VpsBook;
  readonly views: VpsViews;
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Logger;
}

export class VpsSnapshots implements Disposable {
  readonly #parts: VpsSnapshotsParts;
  /** One thing at a time with the disk of a VPS. */
  readonly #working = new Map<TaskId, string>();
  readonly #listening: Disposable[];

  constructor(parts: VpsSnapshotsParts) {
    this.#parts = parts;
    const { vpses, fleet } = parts;
    this.#listening = [
      vpses.onDidChange((id) => this.#takeIfDue(id)),
      fleet.onDidComeOnline(() => {
        for (const { task } of vpses.all()) this.#takeIfDue(task.id);
      }),
    ];
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
  }

  /** The newest first. */
  async list(reference: string): Promise<SnapshotView[]> {
    const { vps, engine } = this.#find(reference);
    return this.#views(vps, await engine.snapshots(vps.task.id));
  }

  /** Takes one now, of one that runs or rests, and lets old ones go. Throws what stood in the way; nothing is lost then. */
  async take(reference: string, note: string): Promise<SnapshotView> {
    const { vps, engine } = this.#find(reference);
    return this.#alone(vps, 'taking a snapshot', () => this.#take(vps, engine, note));
  }

  async delete(reference: string, tag: string): Promise<void> {
    const { vps, engine } = this.#find(reference);
    await this.#alone(vps, 'deleting a snapshot', async () => {
      await this.#need(vps, engine, tag);
      if ((await engine.removeSnapshot(vps.task.id, tag)) === 'removed') return;
      throw conflict(
        `The snapshot ${tag} is in use: a container on the node was made from it. Remove that one first.`,
      );
    });
  }

  /** Gives one that rests the disk of a snapshot. What was on its disk since is gone. */
  async restore(reference: string, tag: string, who: string): Promise<void> {
    const { vps, engine } = this.#find(reference);
    const { task } = vps;
    if (task.state.status !== 'STOPPED') {
      throw conflict(`${nameOf(task)} is ${task.state.status}: stop it before it is restored.`);
    }
    await this.#alone(vps, 'restoring a snapshot', async () => {
      await this.#need(vps, engine, tag);
      await engine.restore(task.id, tag);
      const { book, vpses } = this.#parts;
      book.note(task, 'restored', `from the snapshot ${tag}, by ${who}`);
      // What was set up inside may be older than what is wanted now.
      vpses.change(task.id, (record) => ({
        ...record,
        ssh: { ...record.ssh, isReady: false, problem: null },
      }));
      await book.flushed();
    });
  }

  /** The image of a snapshot, for a new VPS; of the newest state where none is named. Where it is, too. */
  async source(
    reference: string,
    tag: string | undefined,
  ): Promise<{ vps: Vps; tag: string; note: string; image: string; nodeId: NodeId }> {
    const { vps, engine, nodeId } = this.#find(reference);
    const chosen =
      tag === undefined
        ? await this.take(reference, 'for a clone')
        : await this.#need(vps, engine, tag);
    const image = snapshotImage(vps.task.id, chosen.tag);
    return { vps, tag: chosen.tag, note: chosen.note, image, nodeId };
  }

  /** Brings a snapshot to another node, through this computer, without a copy on its disk. */
  async copy(reference: string, tag: string, to: NodeId): Promise<void> {
    const { vps, engine, nodeId } = this.#find(reference);
    if (nodeId === to) return;
    const target = this.#parts.fleet.runtime(to, 'docker')?.vps;
    if (target === undefined) throw conflict('The node it is to go to cannot be reached now.');
    await this.#alone(vps, 'copying a snapshot', async () => {
      await this.#need(vps, engine, tag);
      await target.loadSnapshot(await engine.saveSnapshot(vps.task.id, tag));
    });
  }

  /** Whether something is done with its disk that must not be disturbed. */
  checkIdle({ task }: Vps): void {
    const words = this.#working.get(task.id);
    if (words === undefined) return;
    throw new RequestError(
      'conflict/state',
      `${nameOf(task)} is busy: ${words}. Try again when that is done.`,
      { retry: 'later' },
    );
  }

  async #take(vps: Vps, engine: VpsEngine, note: string): Promise<SnapshotView> {
    const { clock, vpses, log } = this.#parts;
    const { id } = vps.task;
    const before = await engine.snapshots(id);
    // Two in one second would be one: the newest tag always rises.
    const newest = Number(before[0]?.tag ?? 0);
    const tag = String(Math.max(Math.floor(clock.now() / 1000), newest + 1));
    await engine.takeSnapshot(id, { tag, note, secretNames: vps.task.spec.secretEnvNames });
    const all = await engine.snapshots(id);
    const made = all.find((one) => one.tag === tag);
    if (made === undefined)
      throw conflict(`The snapshot ${tag} vanished right after it was taken.`);
    const { keep } = vpses.get(id)?.record.snapshots ?? vps.record.snapshots;
    // Only now that the new one is there.
    for (const old of snapshotsToPrune(all, keep)) {
      await engine.removeSnapshot(id, old.tag).catch((error: unknown) => {
        log.warn({ err: error, taskId: id }, 'an old snapshot could not be deleted');
      });
    }
    return { ...made, image: snapshotImage(id, tag) };
  }

  /** What was to be saved when it stopped: taken once it rests, by whichever core is there then. */
  #takeIfDue(id: TaskId): void {
    const vps = this.#parts.vpses.get(id);
    const { vpses, log } = this.#parts;
    if (vps?.record.dueSnapshot == null || this.#working.has(id)) return;
    if (vps.task.state.status !== 'STOPPED' || vps.task.disk === null) return;
    const engine = this.#parts.fleet.runtime(vps.task.disk.nodeId, 'docker')?.vps;
    if (engine === undefined) return;
    const note = vps.record.dueSnapshot;
    const done = (snapshotProblem: string | null) =>
      vpses.change(id, (record) => ({ ...record, dueSnapshot: null, snapshotProblem }));
    this.#alone(vps, 'taking a snapshot', () => this.#take(vps, engine, note)).then(
      () => done(null),
      (error: unknown) => {
        // Out of reach: it stays due.
        if (isOutOfReach(error)) return;
        if (!isAppError(error)) log.error({ err: error, taskId: id }, 'a snapshot failed');
        done(isAppError(error) ? error.message : 'It failed for a reason that is in the log.');
      },
    );
  }

  async #alone<T>(vps: Vps, words: string, work: () => Promise<T>): Promise<T> {
    const { id } = vps.task;
    this.checkIdle(vps);
    this.#working.set(id, words);
    this.#parts.views.setBusy(id, words);
    try {
      return await work();
    } finally {
      this.#working.delete(id);
      this.#parts.views.setBusy(id, null);
    }
  }

  #find(reference: string): { vps: Vps; engine: VpsEngine; nodeId: NodeId } {
    const vps = this.#parts.vpses.find(reference);
    const { disk } = vps.task;
    if (disk === null) throw conflict(`${nameOf(vps.task)} has no disk yet: it has never run.`);
    const engine = this.#parts.fleet.runtime(disk.nodeId, 'docker')?.vps;
    if (engine !== undefined) return { vps, engine, nodeId: disk.nodeId };
    throw new RequestError(
      'vps/out-of-reach',
      `The node of ${nameOf(vps.task)} cannot be reached now, or its Docker does not answer.`,
      { retry: 'later' },
    );
  }

  async #need(vps: Vps, engine: VpsEngine, tag: string): Promise<SnapshotInfo> {
    const all = await engine.snapshots(vps.task.id);
    const found = all.find((one) => one.tag === tag);
    if (found !== undefined) return found;
    const has = all.length === 0 ? 'it has none' : `it has ${all.map((one) => one.tag).join(', ')}`;
    throw new RequestError(
      'not-found/snapshot',
      `There is no snapshot ${tag} of ${nameOf(vps.task)}: ${has}.`,
    );
  }

  #views({ task }: Vps, all: Awaited<ReturnType<VpsEngine['snapshots']>>): SnapshotView[] {
    return all.map((one) => ({ ...one, image: snapshotImage(task.id, one.tag) }));
  }
}

/** What a snapshot is called on its node. */
export function snapshotImage(id: TaskId, tag: string): string {
  return `kohakuriver-snapshot/vps-${id}:${tag}`;
}

function conflict(message: string): RequestError {
  return new RequestError('conflict/state', message, { retry: 'after-user-action' });
}
