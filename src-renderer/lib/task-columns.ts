// The columns a list of tasks can have beside status and name: people choose which, and those that do
// not fit give way in the reverse of their order here.
import type { TaskView } from '../../src-main/contract/task.ts';
import { formatAgo, formatDuration, formatMoment, shortId } from './format.ts';
import { needsLine, runMs } from './task-words.ts';
import { tasks as words } from './texts/tasks.ts';

export const taskColumnIds = [
  'submitted',
  'time',
  'place',
  'needs',
  'owner',
  'priority',
  'exit',
  'labels',
  'batch',
  'id',
] as const;
export type TaskColumnId = (typeof taskColumnIds)[number];

export interface TaskColumn {
  readonly id: TaskColumnId;
  readonly title: string;
  /** Its place from left to right. */
  readonly order: number;
  /** Pixels it needs at least. */
  readonly least: number;
  /** Its track of the grid. */
  readonly track: string;
  readonly isEnd?: boolean;
  text(task: TaskView, now: number): string;
  /** Said where the pointer rests; without it, the text itself. */
  hint?(task: TaskView): string;
}

export const defaultColumns: readonly TaskColumnId[] = [
  'place',
  'needs',
  'owner',
  'submitted',
  'time',
];

function placeText({ node, target, gpus }: TaskView): string {
  const on = gpus.length === 0 ? '' : ` · GPU ${gpus.map(({ index }) => index).join(',')}`;
  return `${node ?? target ?? '–'}${on}`;
}

const columns: Readonly<Record<TaskColumnId, Omit<TaskColumn, 'id' | 'title'>>> = {
  place: { order: 1, least: 110, track: 'minmax(110px, 1.1fr)', text: placeText },
  needs: { order: 2, least: 140, track: 'minmax(140px, 1.5fr)', text: needsLine },
  owner: { order: 3, least: 84, track: '84px', text: ({ owner }) => owner },
  labels: {
    order: 4,
    least: 120,
    track: 'minmax(120px, 1fr)',
    text: ({ labels }) =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
  },
  priority: {
    order: 5,
    least: 68,
    track: '68px',
    isEnd: true,
    text: ({ priority }) => String(priority),
  },
  exit: {
    order: 6,
    least: 60,
    track: '60px',
    isEnd: true,
    text: ({ exitCode }) => (exitCode === null ? '–' : String(exitCode)),
  },
  batch: {
    order: 7,
    least: 100,
    track: '100px',
    text: ({ batchId }) => shortId(batchId),
    hint: ({ batchId }) => batchId,
  },
  id: { order: 8, least: 100, track: '100px', text: ({ id }) => shortId(id), hint: ({ id }) => id },
  submitted: {
    order: 9,
    least: 92,
    track: '96px',
    isEnd: true,
    text: ({ submittedAt }, now) => formatAgo(submittedAt, now),
    hint: ({ submittedAt }) => formatMoment(submittedAt),
  },
  time: {
    order: 10,
    least: 92,
    track: '96px',
    isEnd: true,
    text: (task, now) => {
      const ran = runMs(task, now);
      return ran === null ? '–' : formatDuration(ran);
    },
  },
};

/** All there are, in the order they stand in. */
export const taskColumns: readonly TaskColumn[] = taskColumnIds
  .map((id) => ({ id, title: words.columns[id], ...columns[id] }))
  .sort((a, b) => a.order - b.order);

/** Tick, status and name, which are always there, and the edges. */
const fixedLeast = 36 + 138 + 200 + 32;

/** Those of the chosen that fit into so many pixels, in the order they stand in. */
export function fittingColumns(
  chosen: readonly TaskColumnId[],
  width: number,
): readonly TaskColumn[] {
  let rest = width - fixedLeast;
  const kept = new Set<TaskColumnId>();
  for (const id of taskColumnIds) {
    if (!chosen.includes(id)) continue;
    rest -= columns[id].least;
    if (rest < 0) break;
    kept.add(id);
  }
  return taskColumns.filter(({ id }) => kept.has(id));
}

/** What is kept may be older or newer than this app: unknown names are left out. */
export function knownColumns(names: readonly string[]): TaskColumnId[] {
  return taskColumnIds.filter((id) => names.includes(id));
}
