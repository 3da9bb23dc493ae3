// Asking that a waiting task starts on certain GPUs: the one it was dropped on, and as many more of the
// same node as it needs.
import type { TaskView } from '../../src-main/contract/task.ts';
import type { GpuCell } from './gpus.ts';
import { targetText } from './target-text.ts';

/** How many GPUs a task asks for, by number or by index; at least one is meant when it is put on a GPU. */
function wantedCount(task: Pick<TaskView, 'gpuRequest' | 'target'>): number {
  if (task.gpuRequest !== null) return Math.max(1, task.gpuRequest.count);
  const indices = task.target?.split('::')[1];
  return indices === undefined ? 1 : indices.split(',').length;
}

/**
 * The target that asks for the chosen GPU and, where more are needed, for the next best of its node:
 * free before held, the same NUMA node before others. Undefined when the node has too few.
 */
export function targetOn(
  task: Pick<TaskView, 'gpuRequest' | 'target'>,
  chosen: GpuCell,
  ofNode: readonly GpuCell[],
): string | undefined {
  const count = wantedCount(task);
  if (count > ofNode.length) return undefined;
  const cost = ({ gpu, use, ill }: GpuCell): number =>
    (ill === undefined ? 0 : 8) +
    (use.kind === 'free' ? 0 : 4) +
    (gpu.numa === chosen.gpu.numa ? 0 : 2);
  const others = ofNode
    .filter(({ gpu }) => gpu.uuid !== chosen.gpu.uuid)
    .sort((a, b) => cost(a) - cost(b) || a.gpu.index - b.gpu.index);
  const gpus = [chosen, ...others.slice(0, count - 1)].map(({ gpu }) => gpu.index);
  return targetText({ node: chosen.node.name, numa: null, gpus });
}
