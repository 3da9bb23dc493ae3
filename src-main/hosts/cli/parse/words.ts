import { taskStatuses, type TaskStatus } from '../../../contract/task.ts';
import { UsageError } from '../errors.ts';

const signals = [
  'SIGTERM',
  'SIGINT',
  'SIGKILL',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
] as const;

/** `TERM`, `sigterm`, `SIGTERM`: a signal a task can be sent. Throws UsageError. */
export function parseSignal(text: string): (typeof signals)[number] {
  const upper = text.toUpperCase();
  const found = signals.find((name) => name === upper || name === `SIG${upper}`);
  if (found !== undefined) return found;
  throw new UsageError(`"${text}" is not a signal for tasks: choose from ${signals.join(', ')}.`);
}

/** `running,lost`: statuses in any case, with commas between. Throws UsageError. */
export function parseStatuses(text: string): readonly TaskStatus[] {
  return text.split(',').map((word) => {
    const upper = word.trim().toUpperCase().replaceAll('-', '_');
    const found = taskStatuses.find((status) => status === upper);
    if (found !== undefined) return found;
    throw new UsageError(`"${word}" is not a status: choose from ${taskStatuses.join(', ')}.`);
  });
}
