// Sync: a folder brought in step with another, one way. Every sync is a transfer; this is what it is
// asked for, and what it would do.
import { z } from 'zod';
import { fileKind } from './files.ts';

export const syncOptions = z.strictObject({
  /** Patterns as in a `.gitignore`, of what is neither moved nor removed. */
  exclude: z.array(z.string().min(1).max(1024)).max(1000).default([]),
  /** Whether `.gitignore` and `.kohakuriverignore` of the folder on the core's computer count. */
  ignoreFiles: z.boolean().default(true),
  /** Remove in the target what is not in the source. */
  delete: z.boolean().default(false),
  /** What tells that a file is the same: its size and time, or its content. */
  compare: z.enum(['times', 'checksums']).default('times'),
});
export type SyncOptions = z.output<typeof syncOptions>;

export const syncStep = z.object({
  action: z.enum(['add', 'replace', 'remove']),
  /** Below the target folder. */
  path: z.string(),
  kind: fileKind,
  /** Of a file that would be moved. */
  size: z.number(),
});
export type SyncStep = z.infer<typeof syncStep>;

/** Steps told one by one; the counts are of all. */
export const mostSyncSteps = 50_000;

/** What a sync would do if it were started now. */
export const syncPreview = z.object({
  /** Of the source and the target, absolute. */
  fromPath: z.string(),
  toPath: z.string(),
  counts: z.object({
    add: z.number().int(),
    replace: z.number().int(),
    remove: z.number().int(),
    same: z.number().int(),
    ignored: z.number().int(),
  }),
  /** That would be moved. */
  bytes: z.number(),
  /** In the order of their paths; the first of them, where there are more than anybody reads. */
  steps: z.array(syncStep),
  /** What could not be moved, as far as looking tells. */
  problems: z.array(
    z.object({ path: z.string(), outcome: z.enum(['failed', 'skipped']), message: z.string() }),
  ),
});
export type SyncPreview = z.infer<typeof syncPreview>;
