// Tasks that need the same, in lanes, and the nodes that could take one of them. The nodes are measured once and then only where they changed: a shape that fits nowhere costs nothing until
// a node changes.
import type { BatchId, Instant } from '../../contract/ids.ts';
import { fitsOn } from './constraints.ts';
import { compareFits, measureFit, type Fit } from './fit.ts';
import { Heap } from './heap.ts';
import type { QueuedTask } from './model.ts';
import { needOf, type Need } from './need.ts';
import type { NodeState } from './node-state.ts';
import type { PlannerPolicy } from './policy.ts';
import { TaskQueue, type Waiting } from './task-queue.ts';

/** A waiting task and where it waits. */
export interface Entry extends Waiting {
  readonly shape: Shape;
  readonly lane: Lane;
  /** When its step rises next. */
  readonly agesAt: Instant;
}

/**
 * Tasks between which nothing but their order decides: of one shape and owner, with the same time
 * limit and the same capped labels. Where its first cannot start, none of it can. Or a whole gang.
 */
export interface Lane {
  readonly gang: BatchId | null;
  readonly owner: string;
  readonly timeLimitMs: number | null;
  readonly groups: readonly string[];
  readonly queue: TaskQueue<Entry>;
}

/** The nodes and their changes, as shapes follow them. */
export interface NodeLog {
  readonly policy: PlannerPolicy;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly byName: ReadonlyMap<string, NodeState>;
  /** Rises whenever a node comes, goes or is another than before. */
  readonly version: number;
  /** Changed nodes, oldest first; the first has position `start`. A node may come several times. */
  readonly changes: readonly NodeState[];
  readonly start: number;
  /** What no node has more of. */
  readonly bounds: () => Bounds;
}

/** The most that is free on any one node that takes work. */
export interface Bounds {
  readonly gpus: number;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Measures the bounds. Where foreign GPUs may be used, every GPU counts as free. */
export function boundsOf(states: Iterable<NodeState>, policy: PlannerPolicy): Bounds {
  let [gpus, cores, memoryBytes] = [0, 0, 0];
  for (const state of states) {
    if (state.node.state !== 'online' || state.node.drained) continue;
    gpus = Math.max(gpus, policy.useForeignGpus ? state.gpus.length : state.freeGpus);
    cores = Math.max(cores, state.freeCores);
    memoryBytes = Math.max(memoryBytes, state.freeMemoryBytes);
  }
  return { gpus, cores, memoryBytes };
}

export class Shape {
  /** One of its tasks; the others need the same. */
  readonly sample: QueuedTask;
  readonly need: Need;
  readonly #lanes = new Map<string, Lane[]>();
  #size = 0;
  #fits = new Heap<Fit>(compareFits);
  /** Position in the log up to which nodes were measured; -1: never. */
  #seen = -1;
  #hopeful: { readonly version: number; readonly states: readonly NodeState[] } | undefined;

  constructor(sample: QueuedTask) {
    this.sample = sample;
    this.need = needOf(sample);
  }

  /** Tasks that wait. */
  get size(): number {
    return this.#size;
  }

  *lanes(): Iterable<Lane> {
    for (const lanes of this.#lanes.values()) yield* lanes;
  }

  add(task: QueuedTask, groups: readonly string[], age: Pick<Entry, 'step' | 'agesAt'>): Entry {
    return this.addTo(this.#laneFor(task, groups), task, age);
  }

  /** Puts a task into a lane that may have others of other shapes. */
  addTo(lane: Lane, task: QueuedTask, { step, agesAt }: Pick<Entry, 'step' | 'agesAt'>): Entry {
    const entry: Entry = { task, shape: this, lane, step, agesAt, isGone: false };
    lane.queue.add(entry);
    this.#size += 1;
    return entry;
  }

  remove(entry: Entry): void {
    if (entry.isGone) return;
    const { lane } = entry;
    lane.queue.remove(entry);
    this.#size -= 1;
    if (lane.queue.size > 0 || lane.gang !== null) return;
    const others = this.#lanes.get(lane.owner)?.filter((other) => other !== lane) ?? [];
    if (others.length === 0) this.#lanes.delete(lane.owner);
    else this.#lanes.set(lane.owner, others);
  }

  #laneFor({ owner, timeLimitMs }: QueuedTask, groups: readonly string[]): Lane {
    const lanes = this.#lanes.get(owner);
    for (let at = 0; lanes !== undefined && at < lanes.length; at += 1) {
      const lane = lanes[at];
      if (lane?.timeLimitMs === timeLimitMs && isSameList(lane.groups, groups)) return lane;
    }
    const lane = { gang: null, owner, timeLimitMs, groups, queue: new TaskQueue<Entry>() };
    if (lanes === undefined) this.#lanes.set(owner, [lane]);
    else lanes.push(lane);
    return lane;
  }

  /** The best node for one of its tasks now, of those that are admitted; or undefined. */
  bestFit(log: NodeLog, admits: (state: NodeState) => boolean): Fit | undefined {
    // Measuring every node is what costs; where none can have enough it need not be.
    if (this.#isBehind(log) && this.#isBeyond(log.bounds())) return undefined;
    this.#follow(log);
    const passedOver: Fit[] = [];
    let best: Fit | undefined;
    for (let fit = this.#fits.top; fit !== undefined; fit = this.#fits.top) {
      if (!fit.state.isGone && fit.measuredAt === fit.state.changedAt) {
        if (admits(fit.state)) {
          best = fit;
          break;
        }
        passedOver.push(fit);
      }
      this.#fits.pop();
    }
    for (const fit of passedOver) this.#fits.push(fit);
    return best;
  }

  /** Whether there is a node with enough of everything, kept or not. */
  fitsAnywhere(log: NodeLog): boolean {
    return this.#size > 0 && this.bestFit(log, () => true) !== undefined;
  }

  /** Nodes that take work and could run one of its tasks if none of ours were there. Asked once per version. */
  hopefulNodes(log: NodeLog): readonly NodeState[] {
    if (this.#hopeful?.version !== log.version) {
      const isHopeful = ({ node }: NodeState) => node.state === 'online' && !node.drained;
      const states = [...candidatesFor(this.need, log)].filter(
        (state) => isHopeful(state) && fitsOn(this.need, state.emptied(), log.policy),
      );
      this.#hopeful = { version: log.version, states };
    }
    return this.#hopeful.states;
  }

  /** Forget what was measured: something that concerns every node has changed. */
  forgetFits(): void {
    this.#hopeful = undefined;
    this.#seen = -1;
    this.#fits = new Heap<Fit>(compareFits);
  }

  /** It missed changes that the log no longer has, or more of them than there are nodes. */
  #isBehind(log: NodeLog): boolean {
    const end = log.start + log.changes.length;
    return this.#seen < log.start || end - this.#seen > log.nodes.size;
  }

  /** Named GPUs may be foreign, and count as free in no bounds; but then there is one node to measure. */
  #isBeyond(bounds: Bounds): boolean {
    const { nodeName, home, gpuCount, cores, memoryBytes } = this.need;
    if (nodeName !== null || home !== null) return false;
    return (
      gpuCount > bounds.gpus ||
      cores > bounds.cores ||
      memoryBytes > Math.max(0, bounds.memoryBytes)
    );
  }

  #follow(log: NodeLog): void {
    const end = log.start + log.changes.length;
    if (this.#seen === end) return;
    // Void measurements pile up below the top.
    const isBloated = this.#fits.size > 2 * log.nodes.size + 64;
    if (isBloated || this.#isBehind(log)) this.#measureAll(log);
    else this.#measureChanged(log);
    this.#seen = end;
  }

  #measureAll(log: NodeLog): void {
    const fits: Fit[] = [];
    for (const state of candidatesFor(this.need, log)) {
      if (fitsOn(this.need, state, log.policy)) fits.push(measureFit(this.need, state, log.policy));
    }
    this.#fits = new Heap(compareFits, fits);
  }

  #measureChanged(log: NodeLog): void {
    const end = log.start + log.changes.length;
    for (let position = this.#seen; position < end; position += 1) {
      const state = log.changes[position - log.start];
      // Only the newest change of a node matters.
      if (state === undefined || state.isGone || state.changedAt !== position) continue;
      if (fitsOn(this.need, state, log.policy)) {
        this.#fits.push(measureFit(this.need, state, log.policy));
      }
    }
  }
}

/** The nodes that may come into question by name. Where its disk is counts, also under another name. */
export function candidatesFor(
  { nodeName, home }: Need,
  { nodes, byName }: Pick<NodeLog, 'nodes' | 'byName'>,
): Iterable<NodeState> {
  const named =
    home !== null ? nodes.get(home) : nodeName === null ? undefined : byName.get(nodeName);
  if (home === null && nodeName === null) return nodes.values();
  return named === undefined ? [] : [named];
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}
