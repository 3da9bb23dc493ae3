// What to do with the container of a VPS that is not at work by our order.
import type { Instant, NodeId } from '../../contract/ids.ts';
import type { ObservedCondition } from '../reconcile.ts';
import type { Task } from '../task.ts';

export type VpsLeftover =
  /** As it should be. */
  | { readonly kind: 'leave' }
  /** Of a VPS that was removed, or from before it went to another node. */
  | { readonly kind: 'remove' }
  /** It rests, and somebody started it on the node: it would use what it does not hold. */
  | { readonly kind: 'stop' }
  /** It ran without us and has ended again: that run belongs to no attempt to come. */
  | { readonly kind: 'settled'; readonly run: Instant };

/** Judges a container of a VPS of ours that was found on a node. */
export function judgeVps(
  task: Task,
  seen: { readonly nodeId: NodeId; readonly condition: ObservedCondition },
): VpsLeftover {
  const { state, disk } = task;
  if (state.status === 'KILLED') return { kind: 'remove' };
  const isAlive = seen.condition.kind === 'running' || seen.condition.kind === 'paused';
  const home = 'kill' in state ? state.place.nodeId : disk?.nodeId;
  if (home !== seen.nodeId) return { kind: isAlive ? 'leave' : 'remove' };
  // At work: its driver looks after it.
  if ('kill' in state) return { kind: 'leave' };
  return isAlive ? { kind: 'stop' } : judgeRun(disk?.lastRun ?? null, seen.condition);
}

function judgeRun(lastRun: Instant | null, condition: ObservedCondition): VpsLeftover {
  if (condition.kind !== 'ended' || condition.startedAt === null) return { kind: 'leave' };
  const isSettled = condition.startedAt === lastRun;
  return isSettled ? { kind: 'leave' } : { kind: 'settled', run: condition.startedAt };
}
