import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../../src-main/contract/error-codes.ts';
import {
  exitCodeOfError,
  exitCodeOfTask,
  firstFailure,
} from '../../../src-main/hosts/cli/exit-codes.ts';

describe('the exit code of an error', () => {
  test.each([
    ['input/invalid', 2],
    ['target/syntax', 2],
    ['ambiguous/id', 2],
    ['not-found/task', 3],
    ['not-found/node', 3],
    ['target/unknown-gpu', 3],
    ['core/unavailable', 4],
    ['core/stopping', 4],
    ['auth/required', 5],
    ['auth/forbidden', 5],
    ['task/never-fits', 1],
    ['link/auth', 1],
    ['conflict/state', 1],
  ] as const)('%s is %i', (code, expected) => {
    expect(exitCodeOfError(code)).toBe(expected);
  });

  test('no error ever says success', () => {
    expect(errorCodes.map(exitCodeOfError)).not.toContain(0);
  });
});

describe('the exit code of a task', () => {
  test.each([
    ['ended well', { status: 'COMPLETED', exitCode: 0, signal: null }, 0],
    ['its own code', { status: 'FAILED', exitCode: 7, signal: null }, 7],
    ['ended by a signal', { status: 'KILLED', exitCode: null, signal: 'SIGTERM' }, 143],
    ['killed from outside', { status: 'FAILED', exitCode: 137, signal: 'SIGKILL' }, 137],
    ['out of memory', { status: 'KILLED_OOM', exitCode: null, signal: null }, 137],
    ['never started', { status: 'FAILED', exitCode: null, signal: null }, 1],
    ['killed before it started', { status: 'KILLED', exitCode: null, signal: null }, 1],
    ['caught the signal and left with 0', { status: 'KILLED', exitCode: 0, signal: null }, 1],
  ] as const)('%s', (_what, task, expected) => {
    expect(exitCodeOfTask(task)).toBe(expected);
  });

  test('of several, the first that is not zero counts', () => {
    expect(firstFailure([0, 0])).toBe(0);
    expect(firstFailure([0, 3, 1])).toBe(3);
  });
});
