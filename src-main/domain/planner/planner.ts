// The planner: which waiting task starts where. A mirror of queue, nodes and holdings, fed by what
// changed; one pass places what fits and counts it as placed. Pure: no clock, no randomness; the same
// mirror gives the same answer however it came about.
//
// Order: priority, then submission. A task that does not fit is overtaken by those behind it that do.
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import { everLacksOn, lacksOn } from './constraints.ts';
import { describeFit, placeOn, type Fit } from './fit.ts';
import { Heap } from './heap.ts';
import type {
  Explanation,
  Holding,
  NodeAnswer,
  Placement,
  PlannerNode,
  PlannerPolicy,
  QueuedTask,
} from './model.ts';
import { needHash, needOf, needsSame, type Need } from './need.ts';
import { NodeState } from './node-state.ts';
import { boundsOf, Shape, type Bounds, type Entry, type NodeLog } from './shape.ts';
import { compareQueued } from './task-queue.ts';

/** Empty shapes kept for the next task of their kind, so that its nodes need not all be measured again. */
const idleShapes = 256;

export class Planner {
  #policy: PlannerPolicy;
  readonly #nodes = new Map<NodeId, NodeState>();
  readonly #byName = new Map<string, NodeState>();
  /** What is known of a task: that it waits, or what it holds. Those on hold are not kept. */
  readonly #tasks = new Map<TaskId, Entry | Holding>();
  /** Holdings by node, registered or not. */
  readonly #heldOn = new Map<NodeId, Map<TaskId, Holding>>();
  /** By `needHash`: tasks with the same hash mostly need the same. */
  readonly #shapes = new Map<number, Shape[]>();
  #shapeCount = 0;
  #queueLength = 0;
  #changes: NodeState[] = [];
  #changesStart = 0;
  /** As of a position in the log. */
  #bounds: { readonly position: number; readonly bounds: Bounds } | undefined;

  constructor(policy: PlannerPolicy) {
    this.#policy = policy;
  }

  /** Tasks that wait for a place; those on hold are not counted. */
  get queueLength(): number {
    return this.#queueLength;
  }

  setPolicy(policy: PlannerPolicy): void {
    if (policy.useForeignGpus === this.#policy.useForeignGpus) return;
    this.#policy = policy;
    this.#bounds = undefined;
    for (const shape of this.#allShapes()) shape.forgetFits();
  }

  /** Puts a task into the queue, or changes it there. What it held it holds no more. */
  upsertTask(task: QueuedTask): void {
    this.forget(task.id);
    if (task.held) return;
    this.#tasks.set(task.id, this.#shapeFor(task).add(task));
    this.#queueLength += 1;
  }

  /** Takes a task out of the queue; what it holds stays held. */
  removeTask(id: TaskId): void {
    const known = this.#tasks.get(id);
    if (known !== undefined && 'shape' in known) this.#leaveQueue(known);
  }

  /** The task neither waits nor holds anything any more. */
  forget(id: TaskId): void {
    const known = this.#tasks.get(id);
    if (known === undefined) return;
    if ('shape' in known) this.#leaveQueue(known);
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
    this.removeNode(node.id);
    const state = new NodeState(node);
    for (const { taskId, place } of this.#heldOn.get(node.id)?.values() ?? [])
      state.hold(taskId, place);
    this.#nodes.set(node.id, state);
    this.#byName.set(node.name, state);
    this.#noteChange(state);
  }

  /** Forgets a node. Holdings on it are remembered, in case it comes back. */
  removeNode(id: NodeId): void {
    const state = this.#nodes.get(id);
    if (state === undefined) return;
    state.isGone = true;
    this.#nodes.delete(id);
    if (this.#byName.get(state.node.name) === state) this.#byName.delete(state.node.name);
  }

  /**
   * Places all that fits, in the order of the queue, and counts it as placed. `now` is for rules
   * about time, of which there are none yet.
   */
  pass(_now: Instant): Placement[] {
    const placements: Placement[] = [];
    const log = this.#log();
    const waiting = [...this.#allShapes()].filter(({ queue }) => queue.size > 0);
    const shapes = new Heap<Shape>(compareHeads, waiting);
    for (let shape = shapes.top; shape !== undefined; shape = shapes.top) {
      const entry = shape.queue.head();
      const fit = entry === undefined ? undefined : shape.bestFit(log);
      if (entry === undefined || fit === undefined) {
        // Nothing frees within a pass: what does not fit now does not fit later in it.
        shapes.pop();
        continue;
      }
      placements.push(this.#place(entry, fit));
      shapes.settleTop();
    }
    this.#trimChanges();
    return placements;
  }

  /** How many waiting tasks come before this one, which may be in the queue or not. */
  aheadOf(task: Pick<QueuedTask, 'id' | 'priority'>): number {
    let count = 0;
    for (const shape of this.#allShapes()) count += shape.queue.countBefore(task);
    return count;
  }

  /** Why a task is not placed, from the predicates that place it. The task may be in the queue or not. */
  explain(task: QueuedTask): Explanation {
    const need = needOf(task);
    return {
      held: task.held,
      ahead: task.held ? null : this.aheadOf(task),
      nodes: [...this.#nodes.values()]
        .map((state) => answerOf(need, state, this.#policy))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  #place(entry: Entry, fit: Fit): Placement {
    const { id } = entry.task;
    const { need } = entry.shape;
    const place = placeOn(need, fit.state, this.#policy);
    this.#leaveQueue(entry);
    // The attempt number is the task machine's to give; what is held is held either way.
    this.#take({ taskId: id, attempt: 0, place });
    return { taskId: id, place, why: describeFit(need, fit) };
  }

  #take(holding: Holding): void {
    const { taskId, place } = holding;
    this.#tasks.set(taskId, holding);
    const there = this.#heldOn.get(place.nodeId) ?? new Map<TaskId, Holding>();
    this.#heldOn.set(place.nodeId, there.set(taskId, holding));
    const state = this.#nodes.get(place.nodeId);
    if (state === undefined) return;
    state.hold(taskId, place);
    this.#noteChange(state);
  }

  #giveBack({ taskId, place }: Holding): void {
    this.#tasks.delete(taskId);
    const there = this.#heldOn.get(place.nodeId);
    there?.delete(taskId);
    if (there?.size === 0) this.#heldOn.delete(place.nodeId);
    const state = this.#nodes.get(place.nodeId);
    if (state === undefined) return;
    state.release(taskId);
    this.#noteChange(state);
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

  #leaveQueue(entry: Entry): void {
    const { shape, task } = entry;
    this.#tasks.delete(task.id);
    shape.queue.remove(entry);
    this.#queueLength -= 1;
    if (shape.queue.size > 0 || this.#shapeCount <= idleShapes) return;
    const hash = needHash(task);
    const others = this.#shapes.get(hash)?.filter((other) => other !== shape) ?? [];
    if (others.length === 0) this.#shapes.delete(hash);
    else this.#shapes.set(hash, others);
    this.#shapeCount -= 1;
  }

  #noteChange(state: NodeState): void {
    state.changedAt = this.#changesStart + this.#changes.length;
    this.#changes.push(state);
  }

  #log(): NodeLog {
    return {
      policy: this.#policy,
      nodes: this.#nodes,
      byName: this.#byName,
      changes: this.#changes,
      start: this.#changesStart,
      bounds: () => this.#boundsNow(),
    };
  }

  #boundsNow(): Bounds {
    const position = this.#changesStart + this.#changes.length;
    if (this.#bounds?.position !== position) {
      this.#bounds = { position, bounds: boundsOf(this.#nodes.values(), this.#policy) };
    }
    return this.#bounds.bounds;
  }

  /** A shape that is further behind than there are nodes measures them all anyway. */
  #trimChanges(): void {
    const excess = this.#changes.length - 2 * this.#nodes.size - 1024;
    if (excess <= 0) return;
    this.#changes = this.#changes.slice(excess);
    this.#changesStart += excess;
  }
}

function compareHeads(a: Shape, b: Shape): number {
  const first = a.queue.head();
  const second = b.queue.head();
  if (first === undefined || second === undefined)
    return Number(second !== undefined) - Number(first !== undefined);
  return compareQueued(first.task, second.task);
}

function answerOf(need: Need, state: NodeState, policy: PlannerPolicy): NodeAnswer {
  const lacks = lacksOn(need, state, policy);
  const everLacks = lacks.length === 0 ? [] : everLacksOn(need, state.node, policy);
  return {
    nodeId: state.node.id,
    name: state.node.name,
    fits: lacks.length === 0,
    possible: everLacks.length === 0,
    lacks,
    everLacks,
  };
}

export interface PlanInput {
  readonly queue: readonly QueuedTask[];
  readonly nodes: readonly PlannerNode[];
  readonly holdings: readonly Holding[];
  readonly policy: PlannerPolicy;
  readonly now: Instant;
}

/** A planner that has seen all this: for a plan from scratch, and for questions. */
export function plannerOf(input: Omit<PlanInput, 'now'>): Planner {
  const planner = new Planner(input.policy);
  for (const node of input.nodes) planner.upsertNode(node);
  for (const holding of input.holdings) planner.hold(holding);
  for (const task of input.queue) planner.upsertTask(task);
  return planner;
}

/** Which of the waiting tasks start where, in the order of the queue. A function of its input alone. */
export function plan(input: PlanInput): Placement[] {
  return plannerOf(input).pass(input.now);
}
