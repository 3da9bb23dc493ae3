// Processes of a node in an order people choose.
import type { ProcessInfo } from '../../src-main/contract/node.ts';

export const processSorts = ['cpu', 'memory', 'pid', 'user', 'started', 'command'] as const;
export type ProcessSort = (typeof processSorts)[number];

const compare: Readonly<Record<ProcessSort, (a: ProcessInfo, b: ProcessInfo) => number>> = {
  cpu: (a, b) => b.cpuPercent - a.cpuPercent,
  memory: (a, b) => b.memoryBytes - a.memoryBytes,
  pid: (a, b) => a.pid - b.pid,
  user: (a, b) => a.user.localeCompare(b.user),
  // The newest first; what is not known last.
  started: (a, b) => (b.startedAt ?? -Infinity) - (a.startedAt ?? -Infinity),
  command: (a, b) => a.command.localeCompare(b.command),
};

/** Those whose user, command or PID has all the words, sorted; equals by PID. */
export function orderProcesses(
  list: readonly ProcessInfo[],
  { sort, isReversed, text }: { sort: ProcessSort; isReversed: boolean; text: string },
): ProcessInfo[] {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = list.filter(({ pid, user, command }) => {
    const all = `${pid} ${user} ${command}`.toLowerCase();
    return parts.every((part) => all.includes(part));
  });
  const turn = isReversed ? -1 : 1;
  return found.sort((a, b) => compare[sort](a, b) * turn || a.pid - b.pid);
}
