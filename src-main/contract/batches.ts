// Batches: tasks that were submitted together (an array, a sweep, several targets, a gang).
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { batchId, instant, taskId } from './ids.ts';
import { killOptions, orderResults } from './orders.ts';
import { statusCounts, work } from './task.ts';

/** A batch as people write it: its whole ID, or an unambiguous ending of it (6 digits or more). */
const batchRef = z.string().min(1).max(64);
const about = z.object({ batch: batchRef });

export const batchView = z.object({
  id: batchId,
  /** Of its tasks. */
  name: z.string().nullable(),
  owner: z.string(),
  kind: z.enum(['single', 'array', 'targets', 'gang']),
  /** What its first task runs; in a sweep the others differ in their parameters. */
  work,
  firstTask: taskId,
  total: z.number().int(),
  counts: statusCounts,
  maxRunning: z.number().int().nullable(),
  submittedAt: instant,
  /** When the last of them ended; null while one has not. */
  finishedAt: instant.nullable(),
});
export type BatchView = z.infer<typeof batchView>;

export const batchWindowQuery = z.strictObject({
  owner: z.string().optional(),
  /** Only those of which something has not ended. */
  activeOnly: z.boolean().default(false),
  /** Batches of a single task are no batches to people. */
  leastTasks: z.number().int().min(1).max(10_000).default(2),
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(200).default(50),
});
export type BatchWindowQuery = z.infer<typeof batchWindowQuery>;

export const batchWindow = z.object({
  total: z.number().int(),
  offset: z.number().int(),
  /** Newest first. */
  rows: z.array(batchView),
});
export type BatchWindow = z.infer<typeof batchWindow>;

export const batches = {
  list: oc.input(batchWindowQuery).output(batchWindow),
  watchList: oc.input(batchWindowQuery).output(feedOf(batchWindow, batchWindow)),
  get: oc.input(about).output(batchView),
  watch: oc.input(about).output(feedOf(batchView, batchView)),
  /** Ends all of it that has not ended. */
  kill: oc.input(about.extend(killOptions)).output(orderResults),
  hold: oc.input(about).output(orderResults),
  release: oc.input(about).output(orderResults),
  setPriority: oc
    .input(about.extend({ priority: z.number().int().min(-100).max(100) }))
    .output(orderResults),
  /** Submits those that failed or were killed again, with their numbers, as a new batch. */
  resubmitFailed: oc
    .input(about)
    .output(z.object({ taskIds: z.array(taskId), batchId, warnings: z.array(z.string()) })),
};
