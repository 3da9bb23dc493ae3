// The planner: which waiting task starts where. A mirror of queue, nodes and holdings, fed by what
// changed; one pass places what fits and counts it as placed. Pure: no clock, no randomness.
//
// Order: priority (with aging), then use by owners, then submission. A task that does not fit is
// overtaken by those behind it that do, as long as they leave alone what is kept for it (openings.ts).
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import { Accounts } from './accounts.ts';
import { explainTask, type World } from './explanations.ts';
import { fitsOn, type GpuRule } from './constraints.ts';
import { describeFit, placeOn } from './fit.ts';
import { Gangs } from './gangs.ts';
import { viewFor, type Guard, type Moment, type Reservation } from './guards.ts';
import { Heap } from './heap.ts';
import type { Cap, Explanation, Holding, Placement, PlannerNode, QueuedTask } from './model.ts';
import { needHash, needsSame } from './need.ts';
import { NodeBook } from './node-book.ts';
import { Heads } from './heads.ts';
import { emptiedNode, type NodeState } from './node-state.ts';
import { guardFromNow, guardUntil, soonestOpening } from './openings.ts';
import { isSamePolicy, plainPolicy, type PlannerPolicy } from './policy.ts';
import { ageOf } from './ranks.ts';
import { Shape, type Entry, type Lane } from './shape.ts';
import { Turns } from './turns.ts';

/** Empty shapes kept for the next task of their kind, so that its nodes need not all be measured again. */
const idleShapes = 256;
export class Planner {
  #policy: PlannerPolicy;
  #now: Instant = 0;
  readonly #nodes: NodeBook;
  readonly #accounts: Accounts;
  /** What is known of a task: that it waits, or what it holds. Those on hold are not kept. */
  readonly #tasks = new Map<TaskId, Entry | Holding>();
  readonly #gangs = new Gangs();
  /** By `needHash`: tasks with the same hash mostly need the same. */
  readonly #shapes = new Map<number, Shape[]>();
  #shapeCount = 0;
  #queueLength = 0;
  /** By when they age next; some of them have left the queue. */
  #aging = new Heap<Entry>(compareAges);

  constructor(policy: PlannerPolicy) {
    this.#policy = policy;
    this.#nodes = new NodeBook(policy);
    this.#accounts = new Accounts(policy);
  }

  /** Tasks that wait for a place; those on hold are not counted. */
  get queueLength(): number {
    return this.#queueLength;
  }

  /** Room that is kept for tasks, as of the last pass. */
  get claims(): readonly Guard[] {
    return this.#nodes.claims;
  }

  get #moment(): Moment {
    return { now: this.#now, policy: this.#policy };
  }

  /** What time it is until the next pass. */
  setNow(now: Instant): void {
    this.#now = now;
  }

  setPolicy(policy: PlannerPolicy): void {
    if (isSamePolicy(policy, this.#policy)) return;
    this.#policy = policy;
    this.#nodes.setPolicy(policy);
    this.#accounts.reset(policy);
    const known = [...this.#tasks.values()];
    for (const one of known) if ('place' in one) this.#accounts.add(one);
    // Capped labels are part of what makes a lane, and aging of what makes a step.
    for (const one of known) if ('lane' in one) this.upsertTask(one.task);
    for (const shape of this.#allShapes()) shape.forgetFits();
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
    this.forget(task.id);
    if (!task.held) this.#enqueue(task);
    else if (task.gang !== null) this.#gangs.addUnready(task.gang, task);
  }

  #enqueue(task: QueuedTask): void {
    const age = ageOf(task, this.#now, this.#policy);
    const shape = this.#shapeFor(task);
    const entry =
      task.gang === null
        ? shape.add(task, this.#accounts.groupsOf(task), age)
        : shape.addTo(this.#gangs.laneFor(task.gang, task), task, age);
    this.#tasks.set(task.id, entry);
    this.#aging.push(entry);
    this.#queueLength += 1;
  }

  /** Takes a task out of the queue; what it holds stays held. */
  removeTask(id: TaskId): void {
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
    if ('lane' in known) this.removeTask(id);
    else this.#giveBack(known);
  }

  /** An attempt holds its place: the task has left the queue. Replaces what the task held before. */
  hold(holding: Holding): void {
    this.forget(holding.taskId);
    this.#take(holding);
  }

  /** What the task held is free. */
  release(taskId: TaskId): void {
    const known = this.#tasks.get(taskId);
    if (known !== undefined && 'place' in known) this.#giveBack(known);
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
    this.#age();
    this.#nodes.clearClaims();
    const placements: Placement[] = [];
    const heads = new Heads(this.#allShapes());
    const turns = new Turns(this.#allLanes(this.#gangs.readyLanes()), (owner) =>
      this.#accounts.scoreOf(owner),
    );
    for (let lane = turns.next; lane !== undefined && heads.isOpen; lane = turns.next) {
      const placed = this.#placeNext(lane, heads);
      placements.push(...placed);
      // Nothing frees within a pass: what does not fit now does not fit later in it.
      if (placed.length > 0) turns.moveOn();
      else turns.drop();
    }
    this.#nodes.trimChanges();
    return placements;
  }

  /** Places the first of a lane, or all of a gang; or has room kept for it. */
  #placeNext(lane: Lane, heads: Heads): Placement[] {
    const entry = lane.queue.head();
    if (entry === undefined) return [];
    if (lane.gang !== null) return this.#placeGang(lane, heads);
    const placement = this.#place(entry, heads.count > 0);
    if (placement !== undefined) return [placement];
    this.#keepRoom(entry, heads);
    return [];
  }

  /** All or none. Where they have waited, what found room keeps it, and the next one gets its as it frees up. */
  #placeGang(lane: Lane, heads: Heads): Placement[] {
    const { placed, failed } = this.#tryAll(lane, heads.count > 0);
    if (failed === undefined) return placed.map(({ placement }) => placement);
    const { task, shape } = failed;
    const moment = this.#moment;
    const hasWaited = moment.now - task.waitingSince >= moment.policy.waitMs;
    const mayKeep =
      hasWaited && !heads.isFull && this.#accounts.lacksOf(task, shape.need.gpuCount).length === 0;
    const guards: Guard[] = [];
    if (mayKeep) {
      const states = shape.hopefulNodes(this.#nodes.log()).filter((state) => !isKept(state));
      const next = guardFromNow(states, { task, need: shape.need, moment });
      if (next !== undefined) {
        const by = (id: TaskId) => ({ kind: 'task', id, at: null, gang: lane.gang }) as const;
        for (const { entry, placement } of placed)
          guards.push({ by: by(entry.task.id), place: placement.place });
        guards.push({ by: by(task.id), place: next.place });
        heads.count += 1;
      }
    }
    this.#takeBack(placed);
    for (const guard of guards) this.#nodes.claim(guard);
    if (heads.isFull) heads.closeAllBut((other) => other.fitsAnywhere(this.#nodes.log()));
    return [];
  }

  /** Places members one after the other, until one finds no room. */
  #tryAll(lane: Lane, isBackfilled: boolean): GangTry {
    const placed: PlacedMember[] = [];
    for (const entry of lane.queue.all()) {
      const placement = this.#place(entry, isBackfilled);
      if (placement === undefined) return { placed, failed: entry };
      placed.push({ entry, placement });
    }
    return { placed, failed: undefined };
  }

  #takeBack(placed: readonly PlacedMember[]): void {
    for (const { entry } of placed) this.upsertTask(entry.task);
  }

  /** Moves those up that have waited long enough. */
  #age(): void {
    const due: Entry[] = [];
    for (let entry = this.#aging.top; entry !== undefined; entry = this.#aging.top) {
      if (!entry.isGone && entry.agesAt > this.#now) break;
      this.#aging.pop();
      if (!entry.isGone) due.push(entry);
    }
    for (const { task } of due) this.upsertTask(task);
    if (this.#aging.size <= 2 * this.#queueLength + 1024) return;
    const waiting = [...this.#tasks.values()].filter((known) => 'lane' in known);
    this.#aging = new Heap(compareAges, waiting);
  }

  #place(entry: Entry, isBackfilled: boolean): Placement | undefined {
    const { task, shape } = entry;
    const { need } = shape;
    if (this.#accounts.lacksOf(task, need.gpuCount).length > 0) return undefined;
    const moment = this.#moment;
    const { policy, now } = moment;
    const admits = (state: NodeState) => {
      const view = viewFor(state, task, moment);
      return view === state || fitsOn(need, view, policy);
    };
    const fit = shape.bestFit(this.#nodes.log(), admits);
    if (fit === undefined) return undefined;
    const place = placeOn(need, viewFor(fit.state, task, moment), policy);
    this.#leaveQueue(entry);
    const endsAt = task.timeLimitMs === null ? null : now + task.timeLimitMs;
    // The attempt number is the task machine's to give; what is held is held either way.
    this.#take({ taskId: task.id, attempt: 0, place, counted: task, endsAt });
    const { gang } = task;
    return { taskId: task.id, place, why: describeFit(need, fit), isBackfilled, gang };
  }

  /**
   * Keeps room for one of the first that do not fit: until it can start, where time limits tell when; or
   * as it frees up, once it has waited.
   */
  #keepRoom({ task, shape }: Entry, heads: Heads): void {
    const { need } = shape;
    if (!heads.mayTake(shape) || this.#accounts.lacksOf(task, need.gpuCount).length > 0) return;
    const moment = this.#moment;
    const asking = { task, need, moment };
    const states = shape.hopefulNodes(this.#nodes.log()).filter((state) => !isKept(state));
    if (states.length === 0) {
      heads.giveUp(shape);
      return;
    }
    heads.count += 1;
    const opening = soonestOpening(states, asking);
    if (opening !== undefined) this.#nodes.claim(guardUntil(opening, task));
    else if (moment.now - task.waitingSince >= moment.policy.waitMs) {
      const guard = guardFromNow(states, asking);
      if (guard !== undefined) this.#nodes.claim(guard);
    }
    if (heads.isFull) heads.closeAllBut((other) => other.fitsAnywhere(this.#nodes.log()));
  }

  /** How many waiting tasks come before this one, which may be in the queue or not. */
  aheadOf(task: QueuedTask): number {
    const { step } = ageOf(task, this.#now, this.#policy);
    const own = { step, score: this.#accounts.scoreOf(task.owner), id: task.id };
    let count = 0;
    for (const { queue, owner } of this.#allLanes(this.#gangs.lanes())) {
      const score = this.#accounts.scoreOf(owner);
      for (const level of queue.steps()) {
        if (level.step < step) break;
        if (level.step > step || score < own.score) count += level.count;
        else if (score === own.score) count += queue.countOlder(step, task.id);
      }
    }
    return count;
  }

  /** Why a task is not placed, from the predicates that place it. The task may be in the queue or not. */
  explain(task: QueuedTask): Explanation {
    const world: World = {
      nodes: this.#nodes,
      accounts: this.#accounts,
      moment: this.#moment,
      ahead: task.held ? null : this.aheadOf(task),
      gang: this.#gangLack(task),
    };
    return explainTask(task, world);
  }

  /** What keeps the gang of a task from starting as a whole; undefined where nothing does. */
  #gangLack({ gang: id }: QueuedTask): Cap | undefined {
    const gang = id === null ? undefined : this.#gangs.get(id);
    if (gang === undefined) return undefined;
    const unready = gang.unready.size;
    const size = gang.lane.queue.size + unready;
    const { placed, failed } = this.#tryAll(gang.lane, false);
    this.#takeBack(placed);
    if (failed === undefined && unready === 0) return undefined;
    return { kind: 'gang', size, fitting: placed.length, unready };
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

  #shapeFor(task: QueuedTask): Shape {
    const hash = needHash(task);
    const alike = this.#shapes.get(hash);
    const known = alike?.find(({ sample }) => needsSame(sample, task));
    if (known !== undefined) return known;
    const shape = new Shape(task);
    if (alike === undefined) this.#shapes.set(hash, [shape]);
    else alike.push(shape);
    this.#shapeCount += 1;
    return shape;
  }

  *#allShapes(): Iterable<Shape> {
    for (const alike of this.#shapes.values()) yield* alike;
  }

  *#allLanes(gangs: Iterable<Lane>): Iterable<Lane> {
    for (const shape of this.#allShapes()) yield* shape.lanes();
    yield* gangs;
  }

  #leaveQueue(entry: Entry): void {
    const { task, shape } = entry;
    this.#tasks.delete(task.id);
    shape.remove(entry);
    if (task.gang !== null) this.#gangs.dropIfEmpty(task.gang);
    this.#queueLength -= 1;
    if (shape.size > 0 || this.#shapeCount <= idleShapes) return;
    const hash = needHash(task);
    const others = this.#shapes.get(hash)?.filter((other) => other !== shape) ?? [];
    if (others.length === 0) this.#shapes.delete(hash);
    else this.#shapes.set(hash, others);
    this.#shapeCount -= 1;
  }
}

interface PlacedMember {
  readonly entry: Entry;
  readonly placement: Placement;
}

interface GangTry {
  readonly placed: readonly PlacedMember[];
  /** The first for which there is no room; undefined where all found some. */
  readonly failed: Entry | undefined;
}

/** Room is kept on it for another task already. */
function isKept({ guards }: NodeState): boolean {
  return guards.length > 0 && guards.some(({ by }) => by.kind === 'task');
}

function compareAges(a: Entry, b: Entry): number {
  return a.agesAt - b.agesAt;
}

export interface PlanInput {
  readonly queue: readonly QueuedTask[];
  readonly nodes: readonly PlannerNode[];
  readonly holdings: readonly Holding[];
  readonly policy: PlannerPolicy;
  readonly now: Instant;
  readonly usage?: ReadonlyMap<string, number>;
  readonly reservations?: readonly Reservation[];
}

/** A planner that has seen all this: for a plan from scratch, and for questions. */
export function plannerOf(input: PlanInput): Planner {
  const planner = new Planner(input.policy);
  planner.setNow(input.now);
  planner.setUsage(input.usage ?? new Map());
  planner.setReservations(input.reservations ?? []);
  for (const node of input.nodes) planner.upsertNode(node);
  for (const holding of input.holdings) planner.hold(holding);
  for (const task of input.queue) planner.upsertTask(task);
  return planner;
}

/**
 * How many of these, which need the same or go to targets of their own, could run at a time if all nodes
 * were reachable and empty. A node that was never reached may take them all.
 */
export function mostTogether(
  tasks: readonly QueuedTask[],
  nodes: readonly PlannerNode[],
  { useForeignGpus }: GpuRule,
): number {
  if (nodes.some(({ cores }) => cores === 0)) return tasks.length;
  const policy = { ...plainPolicy, useForeignGpus };
  const queue = tasks.map((task) => ({ ...task, gang: null, held: false }));
  const empty = nodes.map((node) => emptiedNode(node).node);
  return plan({ queue, nodes: empty, holdings: [], policy, now: 0 }).length;
}

/** Which of the waiting tasks start where, in the order of the queue. A function of its input alone. */
export function plan(input: PlanInput): Placement[] {
  return plannerOf(input).pass(input.now);
}
