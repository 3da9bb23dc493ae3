import type { WaitReason } from '../../contract/task.ts';
import { Emitter } from '../../domain/emitter.ts';
import { toWaitReason } from '../../domain/planner/explain.ts';
import type { Placement, QueuedTask } from '../../domain/planner/model.ts';
import { Planner } from '../../domain/planner/planner.ts';
import type { PlannerDelta, PlannerPort } from './planner-port.ts';

/** The planner in this thread: what the worker runs, and what tests run without one. */
export class PlannerMirror {
  readonly #planner = new Planner({ useForeignGpus: false });

  pass(deltas: readonly PlannerDelta[]): readonly Placement[] {
    this.#take(deltas);
    return this.#planner.pass(0);
  }

  explain(deltas: readonly PlannerDelta[], task: QueuedTask): WaitReason {
    this.#take(deltas);
    return toWaitReason(this.#planner.explain(task));
  }

  #take(deltas: readonly PlannerDelta[]): void {
    for (const delta of deltas) this.#takeOne(delta);
  }

  #takeOne(delta: PlannerDelta): void {
    switch (delta.kind) {
      case 'upsert-task':
        this.#planner.upsertTask(delta.task);
        break;
      case 'forget-task':
        this.#planner.forget(delta.id);
        break;
      case 'hold':
        this.#planner.hold(delta.holding);
        break;
      case 'upsert-node':
        this.#planner.upsertNode(delta.node);
        break;
      case 'forget-node':
        this.#planner.removeNode(delta.id);
        break;
      case 'policy':
        this.#planner.setPolicy(delta.policy);
        break;
    }
  }
}

/** A planner in this thread behind the asynchronous interface. For tests and simulations. */
export class InPlacePlanner implements PlannerPort {
  readonly #mirror = new PlannerMirror();
  readonly onDidReset = new Emitter<void>().event;

  async pass(deltas: readonly PlannerDelta[]): Promise<readonly Placement[]> {
    return Promise.resolve(this.#mirror.pass(deltas));
  }

  async explain(deltas: readonly PlannerDelta[], task: QueuedTask): Promise<WaitReason> {
    return Promise.resolve(this.#mirror.explain(deltas, task));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }
}
