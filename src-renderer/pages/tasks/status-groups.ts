import { taskStatuses, type TaskStatus } from '../../../src-main/contract/task.ts';

/** The groups of statuses people filter by; a single status can be one too. */
export const statusGroups = {
  all: undefined,
  active: ['ASSIGNING', 'RUNNING', 'PAUSED'],
  lost: ['LOST'],
  waiting: ['PENDING', 'PENDING_APPROVAL'],
  ended: ['COMPLETED', 'KILLED', 'STOPPED', 'FAILED', 'KILLED_OOM', 'REJECTED'],
  failed: ['FAILED', 'KILLED_OOM', 'REJECTED'],
} as const satisfies Record<string, readonly TaskStatus[] | undefined>;
export type StatusGroup = keyof typeof statusGroups;

/** The statuses a word in an address stands for; undefined means all of them. */
export function statusesOf(word: string | undefined): readonly TaskStatus[] | undefined {
  if (word === undefined) return undefined;
  if (word in statusGroups) return statusGroups[word as StatusGroup];
  const status = taskStatuses.find((each) => each === word.toUpperCase());
  return status === undefined ? undefined : [status];
}
