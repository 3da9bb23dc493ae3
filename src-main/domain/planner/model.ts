// What the planner sees. It is a pure function of these.
import type { Instant, NodeId, TaskId } from '../../contract/ids.ts';
import type { GpuRequest, Labels, RuntimeKind, Vessel } from '../../contract/task.ts';
import type { Place } from '../task.ts';
import type { Target } from '../target.ts';

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
  readonly numa: readonly { readonly id: number; readonly cores: number; readonly memoryBytes: number }[];
  readonly gpus: readonly PlannerGpu[];
  readonly runtimes: { readonly docker: boolean; readonly process: boolean };
  /** Held here by other cores. */
  readonly foreignUse: { readonly cores: number; readonly memoryBytes: number; readonly gpuUuids: readonly string[] };
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
  /** As asked for: 0 means no limit and counts as 1. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly gpus: GpuRequest | null;
  readonly vessel: Vessel;
  readonly exclusive: boolean;
  readonly onNodeLabels: Labels;
  readonly avoidNodes: readonly string[];
}

/** What an attempt of ours holds. */
export interface Holding {
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly place: Place;
}

export interface PlannerPolicy {
  readonly useForeignGpus: boolean;
}

export interface Placement {
  readonly taskId: TaskId;
  readonly place: Place;
  /** A sentence: why here. */
  readonly why: string;
}

/** One thing that keeps a task from a node, as data; `describeLack` makes the sentence. */
export type Lack =
  | { readonly kind: 'node-state'; readonly state: 'connecting' | 'offline' | 'disabled' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'not-the-target'; readonly wanted: string }
  | { readonly kind: 'avoided' }
  | { readonly kind: 'label'; readonly key: string; readonly wanted: string; readonly has: string | null }
  | { readonly kind: 'runtime'; readonly runtime: RuntimeKind }
  | { readonly kind: 'cores'; readonly wanted: number; readonly free: number; readonly total: number; readonly numa: number | null }
  | { readonly kind: 'memory'; readonly wantedBytes: number; readonly freeBytes: number; readonly totalBytes: number; readonly numa: number | null }
  | { readonly kind: 'numa-absent'; readonly numa: number }
  | { readonly kind: 'gpu-absent'; readonly index: number; readonly count: number }
  | { readonly kind: 'gpu-held'; readonly index: number; readonly by: TaskId | null }
  | { readonly kind: 'gpu-foreign'; readonly index: number; readonly by: string }
  | { readonly kind: 'gpu-unhealthy'; readonly index: number }
  | { readonly kind: 'gpus'; readonly wanted: number; readonly free: number; readonly suitable: number; readonly total: number; readonly foreign: number; readonly model: string | null; readonly minMemoryBytes: number | null }
  | { readonly kind: 'exclusive'; readonly holders: number }
  | { readonly kind: 'held-exclusively'; readonly by: TaskId };
