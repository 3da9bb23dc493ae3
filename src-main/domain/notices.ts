// What is worth a notice, and its words. Pure: what changed goes in, a notice or nothing comes out.
import type { Instant, NodeId, TaskId } from '../contract/ids.ts';
import type { NoticeKind, NoticeView } from '../contract/notices.ts';
import { formatDuration } from './duration.ts';
import type { Ended, Task } from './task.ts';

/** What happened, before the store gives it a number. */
export interface NoticeDraft {
  readonly kind: NoticeKind;
  readonly at: Instant;
  readonly count: number;
  readonly title: string;
  readonly text: string;
  readonly taskId: TaskId | null;
  readonly nodeId: NodeId | null;
}

export interface NoticeRules {
  readonly tasks: 'all' | 'failed' | 'none';
  /** Tasks that are done sooner give none. */
  readonly minRunMs: number;
}

/** Things of one kind that follow each other this closely are one notice. */
const burstMs = 15_000;
const longestName = 80;
const longestText = 300;

/** Names and reasons come from people and nodes: one line, of a length a notice can show. */
function line(text: string, longest: number): string {
  const clean = text
    .slice(0, longest * 4)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return clean.length > longest ? `${clean.slice(0, longest - 1)}…` : clean;
}

function nameOf({ spec, id }: Task): string {
  const work = spec.work.kind === 'command' ? spec.work.argv.slice(0, 8).join(' ') : spec.work.text;
  const named = line(spec.name ?? work, longestName);
  return named === '' ? `Task ${id.slice(-6)}` : named;
}

/** The notice of a task that has just ended; undefined where there is nothing to tell. */
export function endedNotice(task: Task, at: Instant, rules: NoticeRules): NoticeDraft | undefined {
  const { state } = task;
  if (rules.tasks === 'none' || task.type !== 'command') return undefined;
  const about = { at, count: 1, taskId: task.id, nodeId: null };
  if (state.status === 'FAILED' || state.status === 'KILLED_OOM') {
    const why = state.status === 'KILLED_OOM' ? 'It ran out of memory.' : failure(state);
    return { ...about, kind: 'task-failed', title: `${nameOf(task)} failed`, text: why };
  }
  if (state.status !== 'COMPLETED' || rules.tasks === 'failed') return undefined;
  const ranMs = state.startedAt === null ? 0 : state.since - state.startedAt;
  if (ranMs < rules.minRunMs) return undefined;
  const text = `It ran for ${formatDuration(ranMs)}.`;
  return { ...about, kind: 'task-ended', title: `${nameOf(task)} is done`, text };
}

function failure(state: Ended): string {
  if (state.reason !== null) return line(state.reason, longestText);
  const code = state.end?.exitCode;
  return code == null
    ? 'It ended without an exit code.'
    : `It ended with exit code ${String(code)}.`;
}

/** One notice for all tasks that have begun to wait too long; undefined when there are none. */
export function waitNotice(
  tasks: readonly Task[],
  at: Instant,
  limitMs: number,
): NoticeDraft | undefined {
  const [first] = tasks;
  if (first === undefined) return undefined;
  const one: NoticeDraft = {
    kind: 'task-waits',
    at,
    count: tasks.length,
    title: `${nameOf(first)} has waited for ${formatDuration(limitMs)}`,
    text: 'Its page says what it waits for.',
    taskId: first.id,
    nodeId: null,
  };
  return tasks.length === 1 ? one : several(one, nameOf(first));
}

/** Tasks that wait for nothing but room, and crossed the limit in (`after`, `now`]. */
export function waitedTooLong(
  tasks: Iterable<Task>,
  { after, now, limitMs }: { after: Instant; now: Instant; limitMs: number },
): Task[] {
  const found: Task[] = [];
  for (const task of tasks) {
    if (task.state.status !== 'PENDING') continue;
    const { held, blockedBy, notBefore, since } = task.state;
    if (held || blockedBy.length > 0) continue;
    const crossed = Math.max(since, notBefore ?? 0) + limitMs;
    if (crossed > after && crossed <= now) found.push(task);
  }
  return found;
}

export interface NoticedNode {
  readonly id: NodeId;
  readonly name: string;
}

export function nodeNotice(
  node: NoticedNode,
  at: Instant,
  change: { readonly isOnline: true } | { readonly isOnline: false; readonly reason: string },
): NoticeDraft {
  const about = { at, count: 1, taskId: null, nodeId: node.id };
  const name = line(node.name, longestName);
  return change.isOnline
    ? { ...about, kind: 'node-online', title: `${name} is back`, text: 'It takes tasks again.' }
    : {
        ...about,
        kind: 'node-offline',
        title: `${name} is offline`,
        text: line(change.reason, longestText),
      };
}

const severalWords: Readonly<Record<NoticeKind, string>> = {
  'task-ended': 'tasks are done',
  'task-failed': 'tasks failed',
  'task-waits': 'tasks have waited long',
  'node-offline': 'nodes are offline',
  'node-online': 'nodes are back',
};

/** The newest notice grown by one that belongs to the same burst; undefined when it stands alone. */
export function grown(last: NoticeView | undefined, next: NoticeDraft): NoticeDraft | undefined {
  if (last?.kind !== next.kind || last.readAt !== null) return undefined;
  // A clock that stepped back makes no burst of yesterday.
  if (Math.abs(next.at - last.at) > burstMs) return undefined;
  const name = last.count === 1 ? last.title : firstOf(last.text);
  return several({ ...next, count: last.count + next.count }, name);
}

function several(draft: NoticeDraft, first: string): NoticeDraft {
  const { kind, count } = draft;
  return {
    ...draft,
    title: `${String(count)} ${severalWords[kind]}`,
    text: `${first}${separator}${String(count - 1)} more.`,
    taskId: null,
    nodeId: null,
  };
}

const separator = ', and ';
function firstOf(text: string): string {
  const at = text.lastIndexOf(separator);
  return at === -1 ? text : text.slice(0, at);
}
