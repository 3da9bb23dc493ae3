// What a task needs of a node. Tasks that need the same share one shape: what was found for one of
// them holds for all.
import type { NodeId } from '../../contract/ids.ts';
import type { GpuRequest, Labels, RuntimeKind, Vessel } from '../../contract/task.ts';
import { imageOf, runtimeOf } from '../names.ts';
import type { Target } from '../target.ts';
import type { QueuedTask } from './model.ts';

/** Requirements of one shape, in the form the predicates read. */
export interface Need {
  readonly nodeName: string | null;
  /** The node that has its disk; null when it has none. */
  readonly home: NodeId | null;
  readonly numa: number | null;
  /** GPUs by index; null when none are named. */
  readonly gpuIndices: readonly number[] | null;
  /** GPUs in all, named or counted. */
  readonly gpuCount: number;
  readonly gpuModel: string | null;
  readonly gpuModelLower: string | null;
  readonly minGpuMemoryBytes: number | null;
  /** Counted: at least 1. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly runtime: RuntimeKind;
  readonly image: string | null;
  readonly exclusive: boolean;
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly avoid: ReadonlySet<string>;
}

/** Reads the requirements of a task. */
export function needOf(task: QueuedTask): Need {
  const { target } = task;
  return {
    nodeName: target === null ? null : target.node,
    home: task.home ?? null,
    numa: target === null ? null : target.numa,
    ...gpusOf(task),
    cores: Math.max(1, task.cores),
    memoryBytes: task.memoryBytes,
    runtime: runtimeOf(task.vessel),
    image: imageOf(task.vessel),
    exclusive: task.exclusive,
    labels: Object.entries(task.onNodeLabels).sort(([a], [b]) => (a < b ? -1 : 1)),
    avoid: new Set(task.avoidNodes),
  };
}

function gpusOf(task: QueuedTask) {
  const gpuIndices = task.target?.gpus ?? null;
  const request = countedGpus(task);
  const gpuModel = request?.model ?? null;
  return {
    gpuIndices,
    gpuCount: gpuIndices?.length ?? request?.count ?? 0,
    gpuModel,
    gpuModelLower: gpuModel === null ? null : gpuModel.toLowerCase(),
    minGpuMemoryBytes: request?.minMemoryBytes ?? null,
  };
}

/**
 * A number that is the same for tasks that need the same, and mostly different for others. With
 * `needsSame` it finds a task's shape; both run once per queued task, 100,000 times in a full pass,
 * which is why they build no text and no objects.
 */
export function needHash(task: QueuedTask): number {
  const gpus = task.target?.gpus ?? null;
  const gpuCount = gpus?.length ?? task.gpus?.count ?? 0;
  const small = (Math.max(1, task.cores) * 67 + gpuCount) * 31 + (task.target?.numa ?? -1);
  // Whole and small, so that no number is put on the heap.
  return (Math.imul(small, 8191) ^ (task.memoryBytes / 2 ** 20)) & 0x3fffffff;
}

/** Whether two tasks need the same of a node, so that where one fits the other fits as well. */
export function needsSame(a: QueuedTask, b: QueuedTask): boolean {
  return (
    Math.max(1, a.cores) === Math.max(1, b.cores) &&
    a.memoryBytes === b.memoryBytes &&
    a.exclusive === b.exclusive &&
    a.home === b.home &&
    isSameTarget(a.target, b.target) &&
    isSameRequest(countedGpus(a), countedGpus(b)) &&
    isSameVessel(a.vessel, b.vessel) &&
    isSameList(a.avoidNodes, b.avoidNodes) &&
    areSameLabels(a.onNodeLabels, b.onNodeLabels)
  );
}

/** Named GPUs make a request by count void. */
function countedGpus(task: QueuedTask): GpuRequest | null {
  return task.target?.gpus == null ? task.gpus : null;
}

function isSameTarget(a: Target | null, b: Target | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.node !== b.node || a.numa !== b.numa) return false;
  return a.gpus === null || b.gpus === null ? a.gpus === b.gpus : isSameList(a.gpus, b.gpus);
}

function isSameRequest(a: GpuRequest | null, b: GpuRequest | null): boolean {
  if (a === null || b === null) return a === b;
  return a.count === b.count && a.model === b.model && a.minMemoryBytes === b.minMemoryBytes;
}

function isSameVessel(a: Vessel, b: Vessel): boolean {
  if (a.kind === 'image' && b.kind === 'image') return a.reference === b.reference;
  if (a.kind === 'environment' && b.kind === 'environment') return a.name === b.name;
  return a.kind === b.kind;
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

function areSameLabels(a: Labels, b: Labels): boolean {
  let count = 0;
  for (const key in a) {
    if (a[key] !== b[key]) return false;
    count += 1;
  }
  for (const _key in b) count -= 1;
  return count === 0;
}
