// A task in words: what it runs, what it asks for, how long it took.
import type { TaskView, Work } from '../../src-main/contract/task.ts';
import { formatBytes, plural } from './format.ts';
import { joinWords } from './shell-words.ts';

/** What runs, in one line: the command, or the first line of a script that does something. */
export function workLine(work: Work): string {
  if (work.kind === 'command') return joinWords(work.argv);
  const lines = work.text.split('\n').map((line) => line.trim());
  return (
    lines.find((line) => line !== '' && !line.startsWith('#') && !line.startsWith('set -')) ??
    lines[0] ??
    ''
  );
}

/** The name people gave it, or what it runs. */
export function taskTitle(task: Pick<TaskView, 'name' | 'work'>): string {
  return task.name ?? workLine(task.work);
}

/** What it asks for or holds: `2 GPUs · 8 cores · 16 GiB`. */
export function needsLine(
  task: Pick<TaskView, 'gpus' | 'gpuRequest' | 'cores' | 'memoryBytes'>,
): string {
  const gpus = task.gpus.length > 0 ? task.gpus.length : (task.gpuRequest?.count ?? 0);
  const model = task.gpuRequest?.model;
  return [
    ...(gpus > 0 ? [`${plural(gpus, 'GPU')}${model === undefined ? '' : ` (${model})`}`] : []),
    task.cores === 0 ? 'no core limit' : plural(task.cores, 'core'),
    ...(task.memoryBytes === null ? [] : [formatBytes(task.memoryBytes)]),
  ].join(' · ');
}

/** How long it has run; null when it never started. */
export function runMs(
  task: Pick<TaskView, 'startedAt' | 'finishedAt'>,
  now: number,
): number | null {
  return task.startedAt === null ? null : (task.finishedAt ?? now) - task.startedAt;
}
