// What the system tells a person about tasks that have ended.
import type { DesktopPreferences } from '../../contract/desktop.ts';
import type { TaskView } from '../../contract/task.ts';

export interface Notice {
  title: string;
  body: string;
  /** Where clicking it leads. */
  place: string[];
}

/** More at once are told of in one. */
const singlyTold = 3;

type Ended = Pick<TaskView, 'id' | 'name' | 'status' | 'reason' | 'node' | 'exitCode'>;

/** Notices for tasks that ended together. What a person ended themselves is no news. */
export function noticesFor(
  ended: readonly Ended[],
  wanted: DesktopPreferences['notifications'],
): Notice[] {
  const told = ended.filter(({ status }) => isTold(status, wanted));
  if (told.length <= singlyTold) return told.map(noticeFor);
  const failed = told.filter(({ status }) => status !== 'COMPLETED').length;
  return [
    {
      title: `${String(told.length)} tasks have ended`,
      body: failed === 0 ? 'All completed.' : `${String(failed)} of them failed.`,
      place: ['tasks'],
    },
  ];
}

function isTold(status: TaskView['status'], wanted: DesktopPreferences['notifications']): boolean {
  const isFailure = status === 'FAILED' || status === 'KILLED_OOM';
  return wanted === 'all'
    ? isFailure || status === 'COMPLETED'
    : wanted === 'failures' && isFailure;
}

function noticeFor({ id, name, status, reason, node }: Ended): Notice {
  const what = oneLine(name ?? `Task ${id.slice(-6)}`);
  const where = node === null ? '' : ` on ${oneLine(node)}`;
  const place = ['tasks', id];
  if (status === 'COMPLETED') return { title: `${what} completed`, body: `It ran${where}.`, place };
  return { title: `${what} failed`, body: oneLine(reason ?? `It ran${where}.`), place };
}

/** Names and reasons can come from a node: no control characters, and no more than a notice shows. */
function oneLine(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return clean.length > 160 ? `${clean.slice(0, 159)}…` : clean;
}
