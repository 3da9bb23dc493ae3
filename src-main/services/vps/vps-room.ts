// Whether a VPS at work can be given more on the node where it is.
import { RequestError } from '../../contract/errors.ts';
import type { Task } from '../../domain/task.ts';
import { formatBytes } from '../../domain/size.ts';
import type { VpsLimits } from '../../runtimes/vps-engine.ts';
import type { Fleet } from '../fleet.ts';
import type { TaskBook } from '../tasks/task-book.ts';

/** Throws `vps/no-room` when the node has less left than the limits ask for beyond what it holds. */
export function checkRoom(
  task: Task,
  limits: VpsLimits,
  { fleet, book }: { fleet: Fleet; book: TaskBook },
): void {
  if (!('kill' in task.state)) return;
  const { place } = task.state;
  const node = fleet.plannerNodes().find(({ id }) => id === place.nodeId);
  if (node === undefined) return;
  let cores = node.cores - node.foreignUse.cores;
  let memoryBytes = node.memoryBytes - node.foreignUse.memoryBytes;
  for (const { id, state } of book.onNode(node.id)) {
    if (id === task.id || !('kill' in state)) continue;
    cores -= state.place.cores;
    memoryBytes -= state.place.memoryBytes;
  }
  const wanted = { cores: Math.max(1, limits.cores), memoryBytes: limits.memoryBytes ?? 0 };
  if (wanted.cores > Math.max(cores, place.cores)) {
    throw noRoom(
      `${node.name} has ${String(Math.max(0, cores))} cores left for it, and ${String(wanted.cores)} were asked for.`,
    );
  }
  if (wanted.memoryBytes > Math.max(memoryBytes, place.memoryBytes)) {
    throw noRoom(
      `${node.name} has ${formatBytes(Math.max(0, memoryBytes))} of memory left for it, and ${formatBytes(wanted.memoryBytes)} were asked for.`,
    );
  }
}

function noRoom(message: string): RequestError {
  return new RequestError('vps/no-room', message, { retry: 'later' });
}
