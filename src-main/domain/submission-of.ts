// Back from a task to what a person would submit to get it again.
import type { TaskSubmission } from '../contract/task.ts';
import { formatTarget } from './target.ts';
import type { Task } from './task.ts';

/**
 * The submission a task came from, without its secret values. An element of an array comes out as an
 * array of that one, so that it sees the same number; what it waited for and the time before which
 * it was not to start are over and left out.
 */
export function submissionOf(task: Task): TaskSubmission {
  const {
    target,
    secretEnvNames: _names,
    arrayIndex,
    arrayMaxRunning,
    after: _after,
    ...rest
  } = task.spec;
  return {
    ...rest,
    targets: target === null ? [] : [formatTarget(target)],
    secretEnv: {},
    priority: task.priority,
    hold: false,
    owner: task.owner,
    after: [],
    array: arrayIndex === null ? null : { indices: [arrayIndex], maxRunning: arrayMaxRunning },
    sweep: null,
    notBefore: null,
    gang: false,
  };
}
