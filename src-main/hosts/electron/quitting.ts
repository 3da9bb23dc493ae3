// What closing and quitting mean, decided without Electron.
import type { DesktopPreferences } from '../../contract/desktop.ts';
import type { CoreStatus } from '../../contract/procedures.ts';
import type { TaskStatus } from '../../contract/task.ts';

const runningStatuses: readonly TaskStatus[] = ['ASSIGNING', 'RUNNING', 'PAUSED', 'LOST'];
const waitingStatuses: readonly TaskStatus[] = ['PENDING', 'PENDING_APPROVAL'];

export interface WorkAtHand {
  /** On nodes; goes on whatever this app does. */
  running: number;
  /** Starts only while a core runs. */
  waiting: number;
}

export function workAtHand({ tasks }: Pick<CoreStatus, 'tasks'>): WorkAtHand {
  const count = (statuses: readonly TaskStatus[]): number =>
    statuses.reduce((sum, status) => sum + (tasks[status] ?? 0), 0);
  return { running: count(runningStatuses), waiting: count(waitingStatuses) };
}

export type CloseAction = 'quit' | 'background' | 'ask';

/**
 * What closing the last window does. With nothing to look after there is nothing to ask. On macOS
 * apps stay when their windows close.
 */
export function onLastWindowClosed(
  preference: DesktopPreferences['whenWindowCloses'],
  work: WorkAtHand | undefined,
  platform: NodeJS.Platform,
): CloseAction {
  if (platform === 'darwin') return 'background';
  if (preference !== 'ask') return preference;
  return work !== undefined && work.running + work.waiting > 0 ? 'ask' : 'quit';
}

/** Only what waits is held up by quitting; what runs goes on by itself. */
export function mustAskToQuit(work: WorkAtHand | undefined): boolean {
  return work !== undefined && work.waiting > 0;
}

/** What quitting leaves to itself, in words; undefined when there is nothing. */
export function whatGoesOn({ running, waiting }: WorkAtHand): string | undefined {
  if (running + waiting === 0) return undefined;
  const sentences: string[] = [];
  if (running > 0)
    sentences.push(`${tasks(running, 'goes', 'go')} on at the nodes, without this app.`);
  if (waiting > 0)
    sentences.push(`${tasks(waiting, 'waits', 'wait')} in the queue until KohakuRiver runs again.`);
  return sentences.join(' ');
}

function tasks(count: number, one: string, several: string): string {
  return count === 1 ? `1 task ${one}` : `${String(count)} tasks ${several}`;
}
