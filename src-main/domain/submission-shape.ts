// Whether the parts of a submission that make many tasks of it go together.
import type { Instant } from '../contract/ids.ts';
import { mostInGang } from '../contract/task-shape.ts';
import type { TaskSubmission } from '../contract/task.ts';
import { elementsOf } from './elements.ts';
import { SubmissionError } from './errors.ts';

const longestWaitMs = 3650 * 86_400_000;

/** Throws SubmissionError with `input/invalid`. Returns warnings. */
export function checkShape(submission: TaskSubmission, now: Instant): string[] {
  checkElements(submission);
  checkGang(submission);
  const { notBefore } = submission;
  if (notBefore === null) return [];
  if (notBefore > now + longestWaitMs) {
    throw invalid('notBefore', 'A task may wait for its time at most 3650 days.');
  }
  return notBefore > now ? [] : ['The time before which it must not start has passed already.'];
}

function checkElements({ array, sweep, targets, env, secretEnv }: TaskSubmission): void {
  if (array !== null && sweep !== null) {
    throw invalid('sweep', 'A sweep makes its own array: give "array" or "sweep", not both.');
  }
  if ((array !== null || sweep !== null) && targets.length > 1) {
    throw invalid(
      'targets',
      `An array goes to one target or to wherever there is room; here are ${String(targets.length)} targets. Submit it once for each.`,
    );
  }
  for (const name of Object.keys(sweep?.parameters ?? {})) {
    if (name in env || name in secretEnv) {
      throw invalid('sweep', `The variable ${name} is both a parameter of the sweep and given.`);
    }
    if (name.startsWith('KOHAKURIVER_')) {
      throw invalid('sweep', `${name} is a variable that the app sets; choose another name.`);
    }
  }
}

function checkGang(submission: TaskSubmission): void {
  if (!submission.gang) return;
  const count = (elementsOf(submission)?.length ?? 1) * Math.max(1, submission.targets.length);
  if (count > mostInGang) {
    throw invalid(
      'gang',
      `At most ${String(mostInGang)} tasks can start together; these are ${String(count)}. Leave "gang" off, or let each task do more.`,
    );
  }
  const most = submission.array?.maxRunning ?? submission.sweep?.maxRunning ?? null;
  if (most !== null && most < count) {
    throw invalid(
      'gang',
      `All ${String(count)} tasks are to start together, and at most ${String(most)} may run at a time: give one or the other.`,
    );
  }
}

function invalid(field: string, message: string): SubmissionError {
  return new SubmissionError('input/invalid', message, { field });
}
