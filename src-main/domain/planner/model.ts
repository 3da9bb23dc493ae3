// What the planner sees. It is a pure function of these.
import type { BatchId, Instant, NodeId, TaskId } from '../../contract/ids.ts';
import type { GpuRequest, Labels, RuntimeKind, Vessel } from '../../contract/task.ts';
import type { Place } from '../task.ts';
import type { Target } from '../target.ts';
import type { Keeper } from './guards.ts';
import type { Suggestion } from './suggestions.ts';

export interface PlannerGpu {
  readonly uuid: string;
  readonly index: number;
  readonly model: string;
  readonly memoryBytes: number;
  readonly numa: number | null;
  /** Used by processes that are not ours. */
  readonly foreign: { readonly by: string } | null;
  /** False: its state is unknown or bad; never chosen by itself. */
  readonly healthy: boolean;
}

export interface PlannerNode {
  readonly id: NodeId;
  readonly name: string;
  readonly state: 'online' | 'connecting' | 'offline' | 'disabled';
  readonly drained: boolean;
  readonly labels: Labels;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly numa: readonly {
    readonly id: number;
    readonly cores: number;
    readonly memoryBytes: number;
  }[];
  readonly gpus: readonly PlannerGpu[];
  readonly runtimes: { readonly docker: boolean; readonly process: boolean };
  /** Held here by other cores. */
  readonly foreignUse: {
    readonly cores: number;
    readonly memoryBytes: number;
    readonly gpuUuids: readonly string[];
  };
  /** 0…1, measured; only breaks ties. */
  readonly load: number;
  /** References of images that are there, for locality; empty when unknown. */
  readonly images: ReadonlySet<string>;
}

/** A task in the queue, reduced to what placement reads. */
export interface QueuedTask {
  readonly id: TaskId;
  readonly owner: string;
  readonly priority: number;
  readonly submittedAt: Instant;
  readonly held: boolean;
  readonly target: Target | null;
  /** The only node it can start on: a VPS goes where its disk is. Absent: any. */
  readonly home?: NodeId;
  /** As asked for: 0 means no limit and counts as 1. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly gpus: GpuRequest | null;
  readonly vessel: Vessel;
  readonly exclusive: boolean;
  readonly onNodeLabels: Labels;
  readonly avoidNodes: readonly string[];
  readonly labels: Labels;
  /** Null: it may run for ever. */
  readonly timeLimitMs: number | null;
  /** Since when nothing but room keeps it from starting. */
  readonly waitingSince: Instant;
  /** It starts together with the others of this batch or not at all; null where it is on its own. */
  readonly gang: BatchId | null;
}

/** What an attempt of ours holds. */
export interface Holding {
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly place: Place;
  /** As whose it counts for shares and caps; absent or null for what is nobody's. */
  readonly counted?: Pick<QueuedTask, 'owner' | 'labels'> | null;
  /** When it is over at the latest; absent or null: nobody knows. */
  readonly endsAt?: Instant | null;
}

export interface Placement {
  readonly taskId: TaskId;
  readonly place: Place;
  /** A sentence: why here. */
  readonly why: string;
  /** Placed together with the others of it, or not at all. */
  readonly gang: BatchId | null;
}

/** One thing that keeps a task from a node, as data; `describeLack` makes the sentence. */
export type Lack =
  | { readonly kind: 'node-state'; readonly state: 'connecting' | 'offline' | 'disabled' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'not-the-target'; readonly wanted: string }
  | { readonly kind: 'disk-elsewhere' }
  | { readonly kind: 'avoided' }
  | {
      readonly kind: 'label';
      readonly key: string;
      readonly wanted: string;
      readonly has: string | null;
    }
  | { readonly kind: 'runtime'; readonly runtime: RuntimeKind }
  | {
      readonly kind: 'cores';
      readonly wanted: number;
      readonly free: number;
      readonly total: number;
      readonly numa: number | null;
      /** Of the total, what other cores on the node hold. */
      readonly heldByOthers: number;
    }
  | {
      readonly kind: 'memory';
      readonly wantedBytes: number;
      readonly freeBytes: number;
      readonly totalBytes: number;
      readonly numa: number | null;
    }
  | { readonly kind: 'numa-absent'; readonly numa: number }
  | { readonly kind: 'gpu-absent'; readonly index: number; readonly count: number }
  /** `by` is null when another core holds it. */
  | { readonly kind: 'gpu-held'; readonly index: number; readonly by: string | null }
  | { readonly kind: 'gpu-unhealthy'; readonly index: number }
  | GpusLack
  | { readonly kind: 'exclusive'; readonly holders: number }
  | { readonly kind: 'held-exclusively'; readonly by: string }
  /** Nothing is missing but what is kept for others. */
  | { readonly kind: 'kept'; readonly by: Keeper }
  | Cap;

/** A limit that has been reached, whatever the nodes have. */
export type Cap =
  | {
      readonly kind: 'owner-tasks';
      readonly owner: string;
      readonly held: number;
      readonly most: number;
    }
  | {
      readonly kind: 'owner-gpus';
      readonly owner: string;
      readonly held: number;
      readonly wanted: number;
      readonly most: number;
    }
  | {
      readonly kind: 'label-cap';
      readonly label: string;
      readonly held: number;
      readonly most: number;
    }
  /** Of its gang, which starts together, so many would find room; `unready` wait for more than room. */
  | {
      readonly kind: 'gang';
      readonly size: number;
      readonly fitting: number;
      readonly unready: number;
    };

/** Too few GPUs for a request by count. Of the suitable ones, each is free, held, foreign or unhealthy. */
export interface GpusLack {
  readonly kind: 'gpus';
  readonly wanted: number;
  readonly model: string | null;
  readonly minMemoryBytes: number | null;
  readonly total: number;
  /** Of the wanted model and memory. */
  readonly suitable: number;
  readonly free: number;
  /** By tasks of this core or of others. */
  readonly held: number;
  readonly foreign: number;
  /** Who uses the foreign ones, each once. */
  readonly foreignBy: readonly string[];
  readonly unhealthy: number;
}

/** What one node says to a task. */
export interface NodeAnswer {
  readonly nodeId: NodeId;
  readonly name: string;
  /** It could start here right now. */
  readonly fits: boolean;
  /** It could ever run here, were the node reachable, willing and empty. */
  readonly possible: boolean;
  readonly lacks: readonly Lack[];
  /** What stays missing on the empty node; empty when it is possible. */
  readonly everLacks: readonly Lack[];
}

/** Why a task does not run yet, from the predicates that place it. */
export interface Explanation {
  readonly held: boolean;
  /** Tasks before it in the queue; null for one on hold. */
  readonly ahead: number | null;
  /** What keeps it from starting on whichever node. */
  readonly caps: readonly Lack[];
  readonly nodes: readonly NodeAnswer[];
  /** Null where nothing tells, and for one that could start now. */
  readonly expected: Expectation | null;
  /** Single changes, each of which would let it start now. */
  readonly suggestions: readonly Suggestion[];
}

/** When a task can start, and what that rests on. */
export type Expectation =
  /** Then at the latest: room is kept for it until the last of these is over by its time limit. */
  | {
      readonly kind: 'promised';
      readonly node: string;
      readonly at: Instant;
      readonly after: string | null;
    }
  /** Then at the earliest, should those before it leave it the room. */
  | {
      readonly kind: 'possible';
      readonly node: string;
      readonly at: Instant;
      readonly after: string | null;
    }
  /** What it needs is kept for it there as it frees up; when that is, nobody knows. */
  | { readonly kind: 'kept'; readonly node: string }
  /** It is first; from then on what it needs is kept for it. */
  | { readonly kind: 'will-be-kept'; readonly from: Instant };
