// The planner: which waiting task starts where. A mirror of queue, nodes and holdings, fed by what
// changed; one pass places what fits and counts it as placed. Pure: no clock, no randomness.
//
// Order: priority (with aging), then use by owners, then submission. A task that does not fit is
// overtaken by those behind it that do, as long as they leave alone what is kept for it (openings.ts,
// keeping.ts).
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import { Accounts } from './accounts.ts';
import { explainTask } from './explanations.ts';
import { countFitting } from './gang-start.ts';
import type { Guard, Moment, Reservation } from './guards.ts';
import type { Cap, Explanation, Holding, Placement, PlannerNode, QueuedTask } from './model.ts';
import { NodeBook } from './node-book.ts';
import { runPass } from './pass.ts';
import type { Books } from './placing.ts';
import { isSamePolicy, type PlannerPolicy } from './policy.ts';
import { ageOf } from './ranks.ts';
import { TaskBook } from './task-book.ts';

export class Planner {
  #moment: Moment;
  readonly #nodes: NodeBook;
  readonly #accounts: Accounts;
  readonly #tasks: TaskBook;

  constructor(policy: PlannerPolicy) {
    this.#moment = { now: 0, policy };
    this.#nodes = new NodeBook(policy);
    this.#accounts = new Accounts(policy);
    this.#tasks = new TaskBook(this.#nodes, this.#accounts);
  }

  /** Tasks that wait for a place; those on hold are not counted. */
  get queueLength(): number {
    return this.#tasks.queueLength;
  }

  /** Room that is kept for tasks, as of the last pass. */
  get claims(): readonly Guard[] {
    return this.#nodes.claims;
  }

  /** When room will be kept for one more, though nothing else happens; null: not that it is known. */
  get keepsMoreAt(): Instant | null {
    return this.#nodes.keepsMoreAt;
  }

  get #books(): Books {
    return {
      tasks: this.#tasks,
      nodes: this.#nodes,
      accounts: this.#accounts,
      moment: this.#moment,
    };
  }

  /** What time it is until the next pass. */
  setNow(now: Instant): void {
    this.#moment = { ...this.#moment, now };
  }

  setPolicy(policy: PlannerPolicy): void {
    if (isSamePolicy(policy, this.#moment.policy)) return;
    this.#moment = { ...this.#moment, policy };
    this.#nodes.setPolicy(policy);
    this.#accounts.reset(policy);
    this.#tasks.reset(this.#moment);
  }

  /** Faded use until now by owner, in weighed seconds. */
  setUsage(usage: ReadonlyMap<string, number>): void {
    this.#accounts.setUsage(usage);
  }

  setReservations(reservations: readonly Reservation[]): void {
    this.#nodes.setReservations(reservations);
  }

  /** Puts a task into the queue, or changes it there. What it held it holds no more. */
  upsertTask(task: QueuedTask): void {
    this.#tasks.upsert(task, this.#moment);
  }

  /** Takes a task out of the queue; what it holds stays held. */
  removeTask(id: TaskId): void {
    this.#tasks.remove(id);
  }

  /** The task neither waits nor holds anything any more. */
  forget(id: TaskId): void {
    this.#tasks.forget(id);
  }

  /** An attempt holds its place: the task has left the queue. Replaces what the task held before. */
  hold(holding: Holding): void {
    this.#tasks.hold(holding);
  }

  /** What the task held is free. */
  release(id: TaskId): void {
    this.#tasks.release(id);
  }

  /** Adds a node or takes in what changed about it. Holdings on it stay. */
  upsertNode(node: PlannerNode): void {
    this.#nodes.upsert(node);
  }

  /** Forgets a node. Holdings on it are remembered, in case it comes back. */
  removeNode(id: NodeId): void {
    this.#nodes.remove(id);
  }

  /** Places all that fits, in the order of the queue, and counts it as placed. */
  pass(now: Instant): Placement[] {
    this.setNow(now);
    return runPass(this.#books);
  }

  /** How many waiting tasks come before this one, which may be in the queue or not. */
  aheadOf(task: QueuedTask): number {
    const { step } = ageOf(task, this.#moment.now, this.#moment.policy);
    const own = this.#accounts.scoreOf(task.owner);
    let count = 0;
    for (const { queue, owner } of this.#tasks.lanes()) {
      const score = this.#accounts.scoreOf(owner);
      for (const level of queue.steps()) {
        if (level.step < step) break;
        if (level.step > step || score < own) count += level.count;
        else if (score === own) count += queue.countOlder(step, task.id);
      }
    }
    return count;
  }

  /** Why a task is not placed, from the predicates that place it. The task may be in the queue or not. */
  explain(task: QueuedTask): Explanation {
    const ahead = task.held ? null : this.aheadOf(task);
    return explainTask(task, { ...this.#books, ahead, gang: this.#gangLack(task) });
  }

  /** What keeps the gang of a task from starting as a whole; undefined where nothing does. */
  #gangLack({ gang: id }: QueuedTask): Cap | undefined {
    const gang = id === null ? undefined : this.#tasks.gang(id);
    if (gang === undefined) return undefined;
    const unready = gang.unready.size;
    const ready = gang.lane.queue.size;
    const fitting = countFitting(gang.lane, this.#books);
    if (fitting === ready && unready === 0) return undefined;
    return { kind: 'gang', size: ready + unready, fitting, unready };
  }
}
