import type { TaskView } from '../../contract/task.ts';
import { awaitEnds } from './await-ends.ts';
import type { Call } from './call.ts';
import { copyLog, copyRecords } from './copy-log.ts';

/**
 * Passes on what a task prints until it has ended: standard output to standard output and standard
 * error to standard error, each byte as it was; with `--json`, records of both. Resolves with the task.
 */
export async function followTask(call: Call, task: string): Promise<TaskView> {
  const { io } = call;
  const asked = { task, follow: true } as const;
  const copies = call.isJson
    ? [copyRecords(call, { ...asked, stream: 'both' }, (record) => call.line({ task, ...record }))]
    : [
        copyLog(call, { ...asked, stream: 'stdout' }, (bytes) => io.out.write(bytes)),
        copyLog(call, { ...asked, stream: 'stderr' }, (bytes) => io.err.write(bytes)),
      ];
  await Promise.all(copies);
  const [ended] = await awaitEnds(call, [task]);
  if (ended === undefined) throw new Error('A task was waited for and is not there.');
  return ended;
}
