// What runs where, as bars on a line of time: one lane a GPU, what holds several beside each other
// drawn once; what needs no GPU in lanes of its own.
import type { NodeView } from '../../src-main/contract/node.ts';
import type { KeptRoom, ReservationView } from '../../src-main/contract/queue.ts';
import type { TaskView } from '../../src-main/contract/task.ts';

export interface TimelineBar {
  task: TaskView;
  /** Which lane it begins in, and how many it covers. */
  lane: number;
  lanes: number;
  from: number;
  /** When it ends at the latest; null without a time limit. */
  until: number | null;
}
/** Room that is kept for a task, or reserved, in some lanes of a node. */
export interface TimelineMark {
  kind: 'kept' | 'reserved';
  key: string;
  lane: number;
  lanes: number;
  from: number;
  /** Null: until it is needed. */
  until: number | null;
}
export interface TimelineNode {
  node: NodeView;
  /** Lanes that are GPUs come first, in the order of their indices. */
  gpuLanes: number;
  lanes: number;
  bars: TimelineBar[];
  marks: TimelineMark[];
  /** More without a GPU than lanes are drawn for. */
  more: number;
}

/** Lanes for what needs no GPU, at most. */
const plainLanes = 3;

/** When it ends at the latest, by its time limit. */
export function latestEnd(task: TaskView): number | null {
  const begun = task.startedAt ?? task.assignedAt;
  return task.timeLimitSeconds === null || begun === null
    ? null
    : begun + task.timeLimitSeconds * 1000;
}

/** Runs of neighbours: [0, 1, 2, 5] as [0, 3] and [5, 1]. */
function runsOf(indices: readonly number[]): { at: number; length: number }[] {
  const runs: { at: number; length: number }[] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.at + last.length === index) last.length += 1;
    else runs.push({ at: index, length: 1 });
  }
  return runs;
}

/** What is kept beside what runs. */
export interface Kept {
  kept: readonly KeptRoom[];
  reservations: readonly ReservationView[];
}

function marksOf(node: NodeView, { kept, reservations }: Kept, lanes: number): TimelineMark[] {
  const laneOf = new Map((node.facts?.gpus ?? []).map(({ index }, lane) => [index, lane]));
  const whole = [{ at: 0, length: lanes }];
  const runs = (gpus: readonly number[] | null) =>
    gpus === null || gpus.length === 0
      ? whole
      : runsOf(gpus.flatMap((index) => laneOf.get(index) ?? []));
  return [
    ...reservations
      .filter(({ nodeId }) => nodeId === node.id)
      .flatMap(({ id, gpus, from, to }) =>
        runs(gpus).map(({ at, length }): TimelineMark => ({
          ...{ kind: 'reserved', key: id, lane: at, lanes: length, from, until: to },
        })),
      ),
    ...kept
      .filter(({ nodeId }) => nodeId === node.id)
      .flatMap(({ taskId, gpus, at: from }) =>
        runs(gpus).map(({ at, length }): TimelineMark => ({
          ...{ kind: 'kept', key: taskId, lane: at, lanes: length, from: from ?? 0, until: null },
        })),
      ),
  ];
}

function timelineNode(node: NodeView, tasks: readonly TaskView[], also: Kept): TimelineNode {
  const gpus = node.facts?.gpus ?? [];
  const laneOf = new Map(gpus.map(({ uuid }, lane) => [uuid, lane]));
  const bars: TimelineBar[] = [];
  const plain: TaskView[] = [];
  for (const task of tasks) {
    const lanes = task.gpus.flatMap(({ uuid }) => laneOf.get(uuid) ?? []);
    const from = task.startedAt ?? task.assignedAt ?? task.submittedAt;
    const until = latestEnd(task);
    if (lanes.length === 0) plain.push(task);
    for (const { at, length } of runsOf(lanes))
      bars.push({ task, lane: at, lanes: length, from, until });
  }
  const shown = plain.slice(0, plainLanes);
  shown.forEach((task, i) =>
    bars.push({
      task,
      lane: gpus.length + i,
      lanes: 1,
      from: task.startedAt ?? task.assignedAt ?? task.submittedAt,
      until: latestEnd(task),
    }),
  );
  const isKept = [...also.kept, ...also.reservations].some(({ nodeId }) => nodeId === node.id);
  const lanes = Math.max(isKept ? 1 : 0, gpus.length + shown.length);
  return {
    node,
    gpuLanes: gpus.length,
    lanes,
    bars,
    marks: marksOf(node, also, lanes),
    more: plain.length - shown.length,
  };
}

const nothing: Kept = { kept: [], reservations: [] };

/** Nodes with GPUs, or with something that runs or is kept, in their order. */
export function timelineOf(
  nodes: readonly NodeView[],
  tasks: Iterable<TaskView>,
  also: Kept = nothing,
): TimelineNode[] {
  const byNode = Map.groupBy(tasks, ({ nodeId }) => nodeId);
  return nodes
    .filter(({ state }) => state !== 'disabled')
    .map((node) => timelineNode(node, byNode.get(node.id) ?? [], also))
    .filter(({ lanes }) => lanes > 0);
}

/** Where a moment lies between two others, as a share that is cut at the ends. */
export function shareOf(at: number, start: number, end: number): number {
  return Math.min(1, Math.max(0, (at - start) / (end - start)));
}
