// What a task needs of a node. Tasks that need the same share one shape: what was found for one of
// them holds for all.
import type { Labels, RuntimeKind } from '../../contract/task.ts';
import { imageOf, runtimeOf } from '../names.ts';
import type { QueuedTask } from './model.ts';

/** Requirements of one shape, in the form the predicates read. */
export interface Need {
  readonly nodeName: string | null;
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
  const indices = task.target?.gpus ?? null;
  const request = indices === null ? task.gpus : null;
  const model = request?.model ?? null;
  return {
    nodeName: task.target?.node ?? null,
    numa: task.target?.numa ?? null,
    gpuIndices: indices,
    gpuCount: indices?.length ?? request?.count ?? 0,
    gpuModel: model,
    gpuModelLower: model?.toLowerCase() ?? null,
    minGpuMemoryBytes: request?.minMemoryBytes ?? null,
    cores: Math.max(1, task.cores),
    memoryBytes: task.memoryBytes,
    runtime: runtimeOf(task.vessel),
    image: imageOf(task.vessel),
    exclusive: task.exclusive,
    labels: sortedLabels(task.onNodeLabels),
    avoid: new Set(task.avoidNodes),
  };
}

const noLabels: readonly (readonly [string, string])[] = [];

function sortedLabels(labels: Labels) {
  const entries = Object.entries(labels);
  return entries.length === 0 ? noLabels : entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The same text for tasks with the same `Need`, different text for others. Runs once per queued
 * task, 100,000 times in a full pass: hence plain concatenation, and JSON only for rare parts. Free
 * text comes as JSON, so that none can imitate a separator.
 */
export function shapeKey(task: QueuedTask): string {
  const { target, gpus, vessel } = task;
  let key = `${String(Math.max(1, task.cores))}|${String(task.memoryBytes)}|${task.exclusive ? 'x' : ''}|`;
  if (target !== null) {
    key += `${target.node}:${String(target.numa)}:${target.gpus?.join(',') ?? '-'}`;
  }
  if (gpus !== null && target?.gpus == null) {
    key += `|g${String(gpus.count)}/${String(gpus.minMemoryBytes)}/${gpus.model === undefined ? '' : JSON.stringify(gpus.model)}`;
  }
  key += vessel.kind === 'process' ? '|p' : `|i${JSON.stringify(imageOf(vessel))}`;
  if (task.avoidNodes.length > 0) key += `|a${[...new Set(task.avoidNodes)].sort().join(',')}`;
  const labels = sortedLabels(task.onNodeLabels);
  return labels.length === 0 ? key : `${key}|l${JSON.stringify(labels)}`;
}
