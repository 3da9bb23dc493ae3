// What the containers of VPSes at work look like: their address, whether they crash again and again.
// Looked at when something happened on their Engine, never by the clock.
import { isAppError } from '../../contract/errors.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { VpsLook } from '../../runtimes/vps-engine.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { TaskBook } from '../tasks/task-book.ts';

export interface VpsWatchParts {
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly log: Logger;
}

export class VpsWatch implements Disposable {
  readonly #parts: VpsWatchParts;
  readonly #looks = new Map<TaskId, VpsLook>();
  readonly #followed = new Map<NodeId, { runtime: Runtime; listening: Disposable }>();
  readonly #changed = new Emitter<TaskId>();
  readonly #listening: Disposable[];
  readonly #busy = new Set<TaskId>();
  readonly #again = new Set<TaskId>();

  readonly onDidChange = this.#changed.event;

  constructor(parts: VpsWatchParts) {
    this.#parts = parts;
    const { book, fleet } = parts;
    this.#listening = [
      fleet.onDidComeOnline((id) => this.#follow(id)),
      fleet.onDidGoOffline(({ id }) => this.#forgetNode(id)),
      book.onDidChange(({ before, after }) => {
        if (after?.type !== 'vps') return;
        if (after.state.status === before?.state.status) return;
        if (after.state.status === 'RUNNING') this.#follow(after.state.place.nodeId);
        else if (after.state.status !== 'PAUSED') this.#forget(after.id);
      }),
    ];
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
    for (const { listening } of this.#followed.values()) listening[Symbol.dispose]();
  }

  /** As it was last seen; undefined unless it runs and its node answers. */
  look(id: TaskId): VpsLook | undefined {
    return this.#looks.get(id);
  }

  /** Listens to the Engine that the node has now, and looks at its VPSes. */
  #follow(nodeId: NodeId): void {
    const runtime = this.#parts.fleet.runtime(nodeId, 'docker');
    if (runtime === undefined) return;
    const followed = this.#followed.get(nodeId);
    if (followed?.runtime !== runtime) {
      followed?.listening[Symbol.dispose]();
      const listening = runtime.onDidChange(() => this.#lookAll(nodeId));
      this.#followed.set(nodeId, { runtime, listening });
    }
    this.#lookAll(nodeId);
  }

  #lookAll(nodeId: NodeId): void {
    for (const { id, type, state } of this.#parts.book.onNode(nodeId)) {
      const isUp = state.status === 'RUNNING' || state.status === 'PAUSED';
      if (type === 'vps' && isUp) void this.#lookAt(id, nodeId);
    }
  }

  /** News while one is looked at means one more look after it. */
  async #lookAt(id: TaskId, nodeId: NodeId): Promise<void> {
    if (this.#busy.has(id)) {
      this.#again.add(id);
      return;
    }
    this.#busy.add(id);
    try {
      do {
        this.#again.delete(id);
        const look = await this.#parts.fleet.runtime(nodeId, 'docker')?.vps?.look(id);
        this.#note(id, look);
      } while (this.#again.has(id));
    } catch (error) {
      // Without its node there is nothing to see; the next connection looks again.
      if (!isAppError(error)) this.#parts.log.error({ err: error }, 'a VPS could not be looked at');
    } finally {
      this.#busy.delete(id);
    }
  }

  #note(id: TaskId, look: VpsLook | undefined): void {
    const status = this.#parts.book.active(id)?.state.status;
    const isUp = status === 'RUNNING' || status === 'PAUSED';
    if (look === undefined || !isUp) return;
    if (JSON.stringify(this.#looks.get(id)) === JSON.stringify(look)) return;
    this.#looks.set(id, look);
    this.#changed.emit(id);
  }

  #forget(id: TaskId): void {
    if (this.#looks.delete(id)) this.#changed.emit(id);
  }

  #forgetNode(nodeId: NodeId): void {
    this.#followed.get(nodeId)?.listening[Symbol.dispose]();
    this.#followed.delete(nodeId);
    for (const { id } of [...this.#parts.book.onNode(nodeId)]) this.#forget(id);
  }
}
