// The tasks in the planner's mirror: which of them wait, in which lane, and what the others hold.
import type { BatchId, Instant, TaskId } from '../../contract/ids.ts';
import type { Accounts } from './accounts.ts';
import { Gangs, type Gang } from './gangs.ts';
import type { Moment } from './guards.ts';
import { Heap } from './heap.ts';
import type { Holding, QueuedTask } from './model.ts';
import type { NodeBook } from './node-book.ts';
import { ageOf } from './ranks.ts';
import type { Entry, Lane, Shape } from './shape.ts';
import { Shapes } from './shapes.ts';

export class TaskBook {
  readonly #nodes: NodeBook;
  readonly #accounts: Accounts;
  /** What is known of a task: that it waits, or what it holds. Those on hold are not kept. */
  readonly #tasks = new Map<TaskId, Entry | Holding>();
  readonly #gangs = new Gangs();
  readonly #shapes = new Shapes();
  #queueLength = 0;
  /** By when they age next; some of them have left the queue. */
  #aging = new Heap<Entry>(compareAges);
  /** Those that came since, in no order, as long as none of them ages: most have left by then. */
  #newcomers: Entry[] = [];
  #firstNewAges: Instant = Infinity;

  constructor(nodes: NodeBook, accounts: Accounts) {
    this.#nodes = nodes;
    this.#accounts = accounts;
  }

  /** Tasks that wait for a place; those on hold are not counted. */
  get queueLength(): number {
    return this.#queueLength;
  }

  get shapes(): Iterable<Shape> {
    return this.#shapes;
  }

  /** Those of which the first may start, as far as it depends on them: no gang with a member on hold. */
  *readyLanes(): Iterable<Lane> {
    for (const shape of this.#shapes) yield* shape.lanes();
    yield* this.#gangs.readyLanes();
  }

  /** All of them, for counting. */
  *lanes(): Iterable<Lane> {
    for (const shape of this.#shapes) yield* shape.lanes();
    yield* this.#gangs.lanes();
  }

  gang(id: BatchId): Gang | undefined {
    return this.#gangs.get(id);
  }

  /** Puts a task into the queue, or changes it there. What it held it holds no more. */
  upsert(task: QueuedTask, moment: Moment): void {
    this.forget(task.id);
    if (!task.held) this.#enqueue(task, moment);
    else if (task.gang !== null) this.#gangs.addUnready(task.gang, task);
  }

  #enqueue(task: QueuedTask, { now, policy }: Moment): void {
    const age = ageOf(task, now, policy);
    const shape = this.#shapes.of(task);
    const entry =
      task.gang === null
        ? shape.add(task, this.#accounts.groupsOf(task), age)
        : shape.addTo(this.#gangs.laneFor(task.gang, task), task, age);
    this.#tasks.set(task.id, entry);
    this.#newcomers.push(entry);
    if (entry.agesAt < this.#firstNewAges) this.#firstNewAges = entry.agesAt;
    this.#queueLength += 1;
  }

  /** Takes a task out of the queue; what it holds stays held. */
  remove(id: TaskId): void {
    const known = this.#tasks.get(id);
    if (known === undefined || !('lane' in known)) return;
    this.#nodes.dropClaim(id);
    this.#leaveQueue(known);
  }

  /** The task neither waits nor holds anything any more. */
  forget(id: TaskId): void {
    this.#gangs.forgetUnready(id);
    const known = this.#tasks.get(id);
    if (known === undefined) return;
    if ('lane' in known) this.remove(id);
    else this.#giveBack(known);
  }

  /** An attempt holds its place: the task has left the queue. Replaces what the task held before. */
  hold(holding: Holding): void {
    this.forget(holding.taskId);
    this.#take(holding);
  }

  /** One that waits leaves the queue for its place. What is kept is left as it is. */
  start(entry: Entry, holding: Holding): void {
    this.#leaveQueue(entry);
    this.#take(holding);
  }

  /** What the task held is free. */
  release(id: TaskId): void {
    const known = this.#tasks.get(id);
    if (known !== undefined && 'place' in known) this.#giveBack(known);
  }

  /** Moves those up that have waited long enough. */
  age(moment: Moment): void {
    if (this.#firstNewAges <= moment.now) this.#orderNewcomers();
    const due: Entry[] = [];
    for (let entry = this.#aging.top; entry !== undefined; entry = this.#aging.top) {
      if (!entry.isGone && entry.agesAt > moment.now) break;
      this.#aging.pop();
      if (!entry.isGone) due.push(entry);
    }
    for (const { task } of due) this.upsert(task, moment);
    if (this.#aging.size + this.#newcomers.length <= 2 * this.#queueLength + 1024) return;
    this.#newcomers = [...this.#tasks.values()].filter((known) => 'lane' in known);
    this.#aging = new Heap(compareAges);
    this.#orderNewcomers();
  }

  #orderNewcomers(): void {
    const waiting = this.#newcomers.filter(({ isGone }) => !isGone);
    if (this.#aging.size === 0) this.#aging = new Heap(compareAges, waiting);
    else for (const entry of waiting) this.#aging.push(entry);
    this.#newcomers = [];
    this.#firstNewAges = Infinity;
  }

  /** Takes in everything anew under other rules: those of the moment, which the accounts know already. */
  reset(moment: Moment): void {
    const known = [...this.#tasks.values()];
    for (const one of known) if ('place' in one) this.#accounts.add(one);
    // Capped labels are part of what makes a lane, and aging of what makes a step.
    for (const one of known) if ('lane' in one) this.upsert(one.task, moment);
    for (const shape of this.#shapes) shape.forgetFits();
  }

  #take(holding: Holding): void {
    this.#tasks.set(holding.taskId, holding);
    this.#accounts.add(holding);
    this.#nodes.take(holding);
  }

  #giveBack(holding: Holding): void {
    this.#tasks.delete(holding.taskId);
    this.#accounts.remove(holding);
    this.#nodes.giveBack(holding);
  }

  #leaveQueue(entry: Entry): void {
    const { task, shape } = entry;
    this.#tasks.delete(task.id);
    shape.remove(entry);
    if (task.gang !== null) this.#gangs.dropIfEmpty(task.gang);
    this.#queueLength -= 1;
    this.#shapes.dropIfIdle(shape);
  }
}

function compareAges(a: Entry, b: Entry): number {
  return a.agesAt - b.agesAt;
}
