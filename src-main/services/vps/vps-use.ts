// What the containers of VPSes at work use. Measured only while somebody looks: an Engine is asked
// for each of its VPSes every few seconds, and not once more.
import type { NodeId, TaskId } from '../../contract/ids.ts';
import type { VpsUse } from '../../contract/vps.ts';
import { isAppError } from '../../contract/errors.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import { coresUsed } from '../../domain/vps/cores-used.ts';
import type { VpsUseSample } from '../../runtimes/vps-engine.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { VpsBook } from './vps-book.ts';

export interface VpsUsesParts {
  readonly vpses: VpsBook;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

const measureEveryMs = 3000;

export class VpsUses implements Disposable {
  readonly #parts: VpsUsesParts;
  readonly #uses = new Map<TaskId, VpsUse>();
  readonly #samples = new Map<TaskId, VpsUseSample>();
  readonly #asked = new Set<TaskId>();
  readonly #changed = new Emitter<VpsUse>();
  #measuring: Disposable | undefined;

  constructor(parts: VpsUsesParts) {
    this.#parts = parts;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  /** As they were measured last; none unless somebody looked already. */
  list(): VpsUse[] {
    return [...this.#uses.values()];
  }

  /** Measures for as long as anybody listens. */
  readonly onDidMeasure = (listener: (use: VpsUse) => void): Disposable => {
    const listening = this.#changed.event(listener);
    if (this.#measuring === undefined) {
      this.#measuring = this.#parts.timers.every(measureEveryMs, () => this.#measureAll());
      this.#measureAll();
    }
    return {
      [Symbol.dispose]: () => {
        listening[Symbol.dispose]();
        if (this.#changed.listenerCount === 0) this.#stop();
      },
    };
  };

  #stop(): void {
    this.#measuring?.[Symbol.dispose]();
    this.#measuring = undefined;
    this.#uses.clear();
    this.#samples.clear();
  }

  #measureAll(): void {
    const all = this.#parts.vpses.all();
    const known = new Set(all.map(({ task }) => task.id));
    for (const id of this.#uses.keys()) if (!known.has(id)) this.#forget(id);
    for (const { task } of all) {
      if (task.state.status === 'RUNNING') void this.#measure(task.id, task.state.place.nodeId);
      else this.#forget(task.id);
    }
  }

  /** An Engine that takes long is not asked again meanwhile. */
  async #measure(id: TaskId, nodeId: NodeId): Promise<void> {
    const engine = this.#parts.fleet.runtime(nodeId, 'docker')?.vps;
    if (engine === undefined || this.#asked.has(id)) return;
    this.#asked.add(id);
    try {
      const sample = await engine.use(id);
      if (this.#measuring === undefined) return;
      if (sample === undefined) this.#forget(id);
      else this.#note(id, sample);
    } catch (error) {
      // Out of reach, or just stopped: there is nothing to show.
      this.#forget(id);
      if (!isAppError(error)) this.#parts.log.error({ err: error }, 'a VPS could not be measured');
    } finally {
      this.#asked.delete(id);
    }
  }

  #note(id: TaskId, sample: VpsUseSample): void {
    const use: VpsUse = {
      id,
      at: this.#parts.clock.now(),
      cores: coresUsed(this.#samples.get(id), sample),
      memoryBytes: sample.memoryBytes,
      processes: sample.processes,
    };
    this.#samples.set(id, sample);
    this.#uses.set(id, use);
    this.#changed.emit(use);
  }

  #forget(id: TaskId): void {
    this.#samples.delete(id);
    this.#uses.delete(id);
  }
}
