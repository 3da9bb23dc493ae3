import { Emitter } from '../../domain/emitter.ts';
import type { Guard } from '../../domain/planner/guards.ts';
import type { Explanation, QueuedTask } from '../../domain/planner/model.ts';
import { Planner } from '../../domain/planner/planner.ts';
import { plainPolicy } from '../../domain/planner/policy.ts';
import type { KeptPlace, News, Pass, PlannerDelta, PlannerPort } from './planner-port.ts';

/** The planner in this thread: what the worker runs, and what tests run without one. */
export class PlannerMirror {
  readonly #planner = new Planner(plainPolicy);

  pass(news: News): Pass {
    this.#take(news);
    const placements = this.#planner.pass(news.now);
    const { claims, keepsMoreAt } = this.#planner;
    return { placements, kept: claims.flatMap(keptBy), keepsMoreAt };
  }

  explain(news: News, task: QueuedTask): Explanation {
    this.#take(news);
    return this.#planner.explain(task);
  }

  #take({ deltas, now }: News): void {
    this.#planner.setNow(now);
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
      case 'rules':
        this.#planner.setPolicy(delta.rules.policy);
        this.#planner.setUsage(delta.rules.usage);
        this.#planner.setReservations(delta.rules.reservations);
        break;
    }
  }
}

function keptBy({ by, place }: Guard): KeptPlace[] {
  if (by.kind !== 'task') return [];
  const gpus = place.gpus.map(({ index }) => index);
  return [{ taskId: by.id, nodeId: place.nodeId, gpus, at: by.at }];
}

/** A planner in this thread behind the asynchronous interface. For tests and simulations. */
export class InPlacePlanner implements PlannerPort {
  readonly #mirror = new PlannerMirror();
  readonly onDidReset = new Emitter<void>().event;

  async pass(news: News): Promise<Pass> {
    return Promise.resolve(this.#mirror.pass(news));
  }

  async explain(news: News, task: QueuedTask): Promise<Explanation> {
    return Promise.resolve(this.#mirror.explain(news, task));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }
}
