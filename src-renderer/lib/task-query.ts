// What the list of tasks shows, as the address says it: so that every view has an address, Back works
// and a link leads there. Filters are also words one can type: `owner:anna label:team=vision`.
import {
  taskFilter,
  taskStatuses,
  type TaskFilter,
  type TaskSort,
  type TaskStatus,
} from '../../src-main/contract/task.ts';
import { tasks as words } from './texts/tasks.ts';

export type PlaceQuery = Readonly<Record<string, string | undefined>>;

/** The groups of statuses people filter by; a single status can be one too. */
export const statusGroups = {
  all: undefined,
  active: ['ASSIGNING', 'RUNNING', 'PAUSED'],
  lost: ['LOST'],
  waiting: ['PENDING', 'PENDING_APPROVAL'],
  ended: ['COMPLETED', 'KILLED', 'STOPPED', 'FAILED', 'KILLED_OOM', 'REJECTED'],
  failed: ['FAILED', 'KILLED_OOM', 'REJECTED'],
} as const satisfies Record<string, readonly TaskStatus[] | undefined>;
export type StatusGroup = keyof typeof statusGroups;

/** The statuses a word in an address stands for, or several with commas; undefined means all of them. */
export function statusesOf(word: string | undefined): readonly TaskStatus[] | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(statusGroups, word)) return statusGroups[word as StatusGroup];
  const found = word
    .toUpperCase()
    .split(',')
    .flatMap((part) => taskStatuses.find((each) => each === part) ?? []);
  return found.length === 0 ? undefined : found;
}

/** The shortest word for some statuses. */
function wordOf(statuses: readonly TaskStatus[]): string {
  const key = statuses.toSorted().join();
  const group = Object.entries(statusGroups).find(([, each]) => each?.toSorted().join() === key);
  return group?.[0] ?? statuses.join().toLowerCase();
}

export function sortOf(query: PlaceQuery): TaskSort {
  const { sort } = query;
  return sort !== undefined && Object.hasOwn(words.sorts, sort) ? (sort as TaskSort) : 'newest';
}

/** What an address asks for. What is not valid in it is left out: an address cannot be refused. */
export function filterOf(query: PlaceQuery): TaskFilter {
  const statuses = statusesOf(query['status']);
  const label = labelOf(query['label']);
  const wished = {
    statuses: statuses === undefined ? undefined : [...statuses],
    text: query['text']?.slice(0, 200),
    nodeId: query['node'],
    owner: query['owner'],
    batchId: query['batch'],
    label,
  };
  const valid = Object.entries(wished).filter(
    ([key, value]) => value !== undefined && taskFilter.safeParse({ [key]: value }).success,
  );
  return Object.fromEntries(valid);
}

/** The address of a filter and an order. */
export function queryOf(filter: TaskFilter, sort: TaskSort): Record<string, string> {
  const { statuses, label } = filter;
  const query = {
    status: statuses === undefined ? undefined : wordOf(statuses),
    text: filter.text,
    node: filter.nodeId,
    owner: filter.owner,
    batch: filter.batchId,
    label: label === undefined ? undefined : `${label.key}=${label.value}`,
    sort: sort === 'newest' ? undefined : sort,
  };
  return Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function labelOf(text: string | undefined): { key: string; value: string } | undefined {
  const at = text?.indexOf('=') ?? -1;
  return text === undefined || at < 1
    ? undefined
    : { key: text.slice(0, at), value: text.slice(at + 1) };
}

export interface TypedFilter {
  /** The text without the words that are filters. */
  readonly text: string;
  /** Filters found in it, as an address has them. */
  readonly query: Readonly<Record<string, string>>;
}

const filterWord = /(?:^|\s)(owner|label|batch|status):(\S+)(?=\s)/g;

/** Takes `owner:`, `label:`, `batch:` and `status:` out of a typed text, once a space ends them. */
export function readTyped(typed: string): TypedFilter {
  const query: Record<string, string> = {};
  const text = typed.replace(filterWord, (whole, key: string, value: string) => {
    const isValid = Object.keys(filterOf({ [key]: value })).length > 0;
    if (!isValid) return whole;
    query[key] = value;
    return '';
  });
  return { text, query };
}

export interface Chip {
  /** The part of the address it stands for. */
  readonly key: 'owner' | 'label' | 'batch' | 'status';
  readonly label: string;
}

/** The filters that have no control of their own, as chips. */
export function chipsOf(query: PlaceQuery): readonly Chip[] {
  const filter = filterOf(query);
  const { owner, label, batchId } = filter;
  const { status } = query;
  const isGroup = status === undefined || Object.hasOwn(statusGroups, status);
  const chips: (Chip | undefined)[] = [
    isGroup || filter.statuses === undefined
      ? undefined
      : { key: 'status', label: words.chips.status(filter.statuses.join(', ')) },
    owner === undefined ? undefined : { key: 'owner', label: words.chips.owner(owner) },
    label === undefined
      ? undefined
      : { key: 'label', label: words.chips.label(`${label.key}=${label.value}`) },
    batchId === undefined ? undefined : { key: 'batch', label: words.chips.batch(batchId) },
  ];
  return chips.filter((chip) => chip !== undefined);
}
