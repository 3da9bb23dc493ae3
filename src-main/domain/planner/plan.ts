// Plans from scratch: functions of their input alone.
import type { Instant } from '../../contract/ids.ts';
import type { GpuRule } from './constraints.ts';
import type { Reservation } from './guards.ts';
import type { Holding, Placement, PlannerNode, QueuedTask } from './model.ts';
import { emptiedNode } from './node-state.ts';
import { Planner } from './planner.ts';
import { plainPolicy, type PlannerPolicy } from './policy.ts';

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

/** Which of the waiting tasks start where, in the order of the queue. */
export function plan(input: PlanInput): Placement[] {
  return plannerOf(input).pass(input.now);
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
