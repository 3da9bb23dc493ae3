// What the command line says in its exit code (spec «For every command»).
import type { ErrorCode } from '../../contract/error-codes.ts';
import type { TaskView } from '../../contract/task.ts';
import { signalOfExitCode } from '../../runtimes/signals.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  noCore: 4,
  notAllowed: 5,
  timeout: 124,
  interrupted: 130,
  outOfMemory: 137,
  terminated: 143,
} as const;

const byCode: Partial<Record<ErrorCode, number>> = {
  'input/invalid': exitCodes.usage,
  'input/unknown-field': exitCodes.usage,
  'ambiguous/id': exitCodes.usage,
  'target/syntax': exitCodes.usage,
  'settings/invalid': exitCodes.usage,
  'not-found/task': exitCodes.notFound,
  'not-found/node': exitCodes.notFound,
  'not-found/batch': exitCodes.notFound,
  'not-found/setting': exitCodes.notFound,
  'not-found/log': exitCodes.notFound,
  'not-found/vps': exitCodes.notFound,
  'not-found/snapshot': exitCodes.notFound,
  'not-found/environment': exitCodes.notFound,
  'not-found/registry': exitCodes.notFound,
  'not-found/image': exitCodes.notFound,
  'not-found/terminal': exitCodes.notFound,
  'link/file-not-found': exitCodes.notFound,
  'not-found/transfer': exitCodes.notFound,
  'not-found/forward': exitCodes.notFound,
  'not-found/reservation': exitCodes.notFound,
  'target/unknown-node': exitCodes.notFound,
  'target/unknown-gpu': exitCodes.notFound,
  'target/unknown-numa': exitCodes.notFound,
  'core/unavailable': exitCodes.noCore,
  'core/stopping': exitCodes.noCore,
  'auth/required': exitCodes.notAllowed,
  'auth/forbidden': exitCodes.notAllowed,
};

/** The exit code for an error: what is not one of the named kinds is «it failed». */
export function exitCodeOfError(code: ErrorCode): number {
  return byCode[code] ?? exitCodes.failed;
}

/**
 * The exit code of a task that has ended: its own, 128 + n when a signal ended it, 137 when its
 * memory ran out, 1 when there is none or when it says success and the task was none.
 */
export function exitCodeOfTask(task: Pick<TaskView, 'status' | 'exitCode' | 'signal'>): number {
  if (task.status === 'COMPLETED') return task.exitCode ?? exitCodes.done;
  if (task.status === 'KILLED_OOM') return exitCodes.outOfMemory;
  const bySignal = task.signal === null ? undefined : signalNumber(task.signal);
  if (bySignal !== undefined) return 128 + bySignal;
  return task.exitCode === null || task.exitCode === 0 ? exitCodes.failed : task.exitCode;
}

/** Of several tasks: the first that is not zero, in the order given. */
export function firstFailure(codes: readonly number[]): number {
  return codes.find((code) => code !== exitCodes.done) ?? exitCodes.done;
}

const largestSignal = 64;

/** Linux's number of a signal, whatever system this runs on: that is where tasks run. */
export function signalNumber(name: string): number | undefined {
  for (let number = 1; number <= largestSignal; number += 1) {
    if (signalOfExitCode(128 + number) === name) return number;
  }
  return undefined;
}
