// What the end of an attempt means: exit code, signal and OOM flag to a status and a sentence.
import type { AttemptEnd, KillWish, Task } from './task.ts';
import { formatBytes } from './size.ts';

/** What an end comes to. */
export interface Ending {
  readonly status: 'COMPLETED' | 'FAILED' | 'KILLED' | 'KILLED_OOM' | 'STOPPED';
  readonly reason: string | null;
  readonly warning: string | null;
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
};
const signalNames = new Map(Object.entries(signalNumbers).map(([name, number]) => [number, name]));

/**
 * Settles how an attempt ended (spec/tasks.md, «Ending»):
 * a kill that reached it wins; an OOM kill is one only when the Engine says so (137 alone is not);
 * a finish that raced a kill which reached nothing is reported as what it was, unless it is the end
 * that the kill would have brought about, or its node went down with it. `why` is what the
 * runtime knows about a failure, in words.
 */
export function settleEnd(
  task: Task,
  fact: { readonly end: AttemptEnd; readonly kill: KillWish | null; readonly why: string | null },
): Ending {
  const { end, kill } = fact;
  if (task.type === 'vps') return endOfVps(task, fact);
  const isKilled = kill?.deliveredAt != null || (kill !== null && end.lostWithNode === true);
  if (isKilled) return { status: 'KILLED', reason: killedBy(kill), warning: null };
  if (end.exitCode === 0) return cleanEnd(task, end);
  if (end.oomKilled) {
    return { status: 'KILLED_OOM', reason: `out of memory${limitOf(task)}`, warning: null };
  }
  if (kill !== null && isEndBy(kill, end)) {
    return { status: 'KILLED', reason: killedBy(kill), warning: null };
  }
  return { status: 'FAILED', reason: fact.why ?? describeEnd(end), warning: null };
}

/** A VPS only ever rests or is removed: whatever ended in it, its disk is there and can be started again. */
function endOfVps(
  task: Task,
  { end, kill, why }: { end: AttemptEnd; kill: KillWish | null; why: string | null },
): Ending {
  if (kill !== null) {
    const status = kill.then === undefined ? 'KILLED' : 'STOPPED';
    return { status, reason: killedBy(kill), warning: null };
  }
  if (end.oomKilled) {
    return { status: 'STOPPED', reason: `out of memory${limitOf(task)}`, warning: null };
  }
  if (end.exitCode === 0) return cleanEnd(task, end);
  return { status: 'STOPPED', reason: why ?? describeEnd(end), warning: null };
}

/**
 * The core may have gone down between sending the signal and writing that it arrived: the end tells. A
 * wish that was made stronger may have sent SIGTERM before.
 */
function isEndBy(kill: KillWish, end: AttemptEnd): boolean {
  return [kill.signal, 'SIGTERM', 'SIGKILL'].some((signal) => {
    const number = signalNumbers[signal];
    return end.signal === signal || (number !== undefined && end.exitCode === 128 + number);
  });
}

function cleanEnd(task: Task, end: AttemptEnd): Ending {
  return {
    status: task.type === 'vps' ? 'STOPPED' : 'COMPLETED',
    reason: null,
    warning: end.oomKilled
      ? `Something in it was killed for want of memory${limitOf(task)}, but it ended with exit code 0.`
      : null,
  };
}

/** `killed by anna`; of a VPS also `stopped by anna` and `restarted by anna`. */
export function killedBy(kill: KillWish): string {
  const words = { rest: 'stopped', restart: 'restarted' };
  return `${kill.then === undefined ? 'killed' : words[kill.then]} by ${kill.by}`;
}

function limitOf(task: Task): string {
  const limit = task.spec.memoryBytes;
  return limit === null ? '' : ` (its limit is ${formatBytes(limit)})`;
}

/** `exit code 3`, `exit code 139 (signal 11, SIGSEGV)`, `killed by signal 9 from outside`. */
export function describeEnd(end: AttemptEnd): string {
  if (end.signal === 'SIGKILL' || end.exitCode === 137) return 'killed by signal 9 from outside';
  if (end.signal !== null) {
    const number = signalNumbers[end.signal];
    return number === undefined
      ? `ended by ${end.signal}`
      : `ended by signal ${String(number)} (${end.signal})`;
  }
  if (end.exitCode === null) return 'ended without an exit code';
  const name = signalNames.get(end.exitCode - 128);
  const detail = name === undefined ? '' : ` (signal ${String(end.exitCode - 128)}, ${name})`;
  return `exit code ${String(end.exitCode)}${detail}`;
}
