import type { TaskSubmissionInput } from '../../../contract/task.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes, exitCodeOfTask, firstFailure } from '../exit-codes.ts';
import { followTask } from '../follow.ts';
import { readSubmission, type SubmissionOptions } from '../submission.ts';
import { awaitEnds } from '../await-ends.ts';
import { clean } from '../text/clean.ts';

interface SubmitOptions extends SubmissionOptions {
  wait?: boolean;
  follow?: boolean;
}

interface Accepted {
  taskIds: string[];
  batchId: string;
  warnings: string[];
}

/** `task submit`: queues, says the IDs, and waits where asked. */
export async function submitTask(call: Call<SubmitOptions>, command: string[]): Promise<number> {
  const { work, ...rest } = await readSubmission(call, command);
  if (work === undefined) {
    throw new UsageError('There is no command: give it after --, or a script with --script.');
  }
  const { tasks } = await call.api();
  return afterSubmitting(call, await tasks.submit({ ...rest, work }));
}

/** `task resubmit`: the same with what a task was as the start. */
export async function resubmitTask(
  call: Call<SubmitOptions>,
  task: string,
  command: string[],
): Promise<number> {
  const given = await readSubmission(call, command);
  const { tasks } = await call.api();
  const changes = await addedTo(given, () => tasks.submission({ task }));
  return afterSubmitting(call, await tasks.resubmit({ task, changes }));
}

/** Variables and labels are added to those the task had; everything else takes the place of what was. */
async function addedTo(
  given: Partial<TaskSubmissionInput>,
  before: () => Promise<Pick<TaskSubmissionInput, 'env' | 'labels'>>,
): Promise<Partial<TaskSubmissionInput>> {
  if (given.env === undefined && given.labels === undefined) return given;
  const { env, labels } = await before();
  return {
    ...given,
    ...(given.env === undefined ? {} : { env: { ...env, ...given.env } }),
    ...(given.labels === undefined ? {} : { labels: { ...labels, ...given.labels } }),
  };
}

async function afterSubmitting(call: Call<SubmitOptions>, accepted: Accepted): Promise<number> {
  const { taskIds, batchId, warnings } = accepted;
  const { follow = false, wait = false } = call.options;
  // What the task prints must come out as it was: nothing of ours among it, but for a person's eyes.
  const maySpeak = !follow || call.io.err.isTerminal;
  if (maySpeak) for (const warning of warnings) await call.say(`warning: ${clean(warning)}`);
  if (call.isJson) await call.line({ taskIds, batchId });
  else if (!follow) await call.io.out.write(taskIds.map((id) => `${id}\n`).join(''));
  else if (maySpeak) await call.say(`Submitted ${taskIds.join(', ')}.`);
  if (follow) return followAll(call, taskIds);
  if (!wait) return exitCodes.done;
  const ended = await leavingThem(call, taskIds, () => awaitEnds(call, taskIds));
  return firstFailure(ended.map(exitCodeOfTask));
}

/** One after another, in the order of submission: so that what they print does not mix. */
async function followAll(call: Call<SubmitOptions>, taskIds: readonly string[]): Promise<number> {
  const codes: number[] = [];
  for (const id of taskIds) {
    if (taskIds.length > 1 && call.io.err.isTerminal) await call.say(`== task ${id} ==`);
    const task = await leavingThem(call, taskIds, () => followTask(call, id));
    codes.push(exitCodeOfTask(task));
    // An exit code speaks for itself; that there is none does not.
    if (task.status !== 'COMPLETED' && (task.exitCode === null || call.io.err.isTerminal)) {
      await call.say(`Task ${id} ended ${task.status}: ${clean(task.reason ?? 'no reason known')}`);
    }
  }
  return firstFailure(codes);
}

/** Whoever stops waiting is told that the tasks go on. */
async function leavingThem<T>(
  call: Call,
  taskIds: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const tell = (): void => {
    if (!call.io.err.isTerminal) return;
    void call.say(`\nLeft ${taskIds.join(' ')} running; "kohakuriver task kill" ends them.`);
  };
  call.signal.addEventListener('abort', tell, { once: true });
  try {
    return await work();
  } finally {
    call.signal.removeEventListener('abort', tell);
  }
}
