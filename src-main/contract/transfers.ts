// Transfers: files moved between places in the background, in a queue that survives restarts.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { errorShape } from './errors.ts';
import { feedOf } from './feed.ts';
import { filePath, filePlace } from './files.ts';
import { batchId, instant, nodeId, taskId } from './ids.ts';
import { syncOptions, syncPreview } from './sync.ts';

export const transferId = z
  .string()
  .regex(/^[1-9]\d{0,18}$/, 'must be a decimal ID')
  .brand<'TransferId'>();
export type TransferId = z.infer<typeof transferId>;

export const transferStatus = z.enum([
  'QUEUED',
  'RUNNING',
  /** Files of the same name are there; a person says what to do. */
  'ASKING',
  /** A node or container is not there at the moment; goes on by itself. */
  'WAITING',
  'PAUSED',
  'DONE',
  /** Ended with files that could not be moved; each is named. */
  'FAILED',
  'CANCELLED',
]);
export type TransferStatus = z.infer<typeof transferStatus>;

/** What to do with a file that is there already. `rename` keeps both. */
export const conflictPolicy = z.enum(['ask', 'skip', 'overwrite', 'newer', 'rename']);
export type ConflictPolicy = z.infer<typeof conflictPolicy>;

const transferRequestShape = z.strictObject({
  from: z.strictObject({ place: filePlace, paths: z.array(filePath).min(1).max(10_000) }),
  to: z.strictObject({
    place: filePlace,
    /** A folder that is there, or the new name of a single source. */
    path: filePath,
    /** `into`: a folder, made when it is missing; `auto`: as cp has it. */
    as: z.enum(['auto', 'into']).default('auto'),
  }),
  /** Without it, a folder among the sources is refused. */
  recursive: z.boolean().default(true),
  conflicts: conflictPolicy.default('ask'),
  /** Compare hashes of both ends afterwards. */
  verify: z.boolean().default(true),
  /** Bytes a second, at most; null: as fast as it goes. */
  rateLimit: z.number().int().min(1024).nullable().default(null),
  /** What is in the one folder named goes into the target folder, where it is not there already. */
  sync: syncOptions.nullable().default(null),
});
export const transferRequest = transferRequestShape.refine(
  ({ sync, from }) => sync === null || from.paths.length === 1,
  { message: 'one folder is brought in step with one other', path: ['from', 'paths'] },
);
export type TransferRequest = z.output<typeof transferRequest>;

export const transferProgress = z.object({
  phase: z.enum(['waiting', 'looking', 'moving', 'verifying', 'placing', 'ended']),
  filesTotal: z.number().int(),
  filesDone: z.number().int(),
  bytesTotal: z.number(),
  bytesDone: z.number(),
  /** Bytes that really went over the way in this run: what was there from an earlier one is not among them. */
  bytesMoved: z.number(),
  current: z.string().nullable(),
  bytesPerSecond: z.number().nullable(),
  etaSeconds: z.number().nullable(),
});
export type TransferProgress = z.infer<typeof transferProgress>;

/**
 * What the core itself started it for: to put on a node what the tasks of a batch there want, or to
 * bring back what a task made.
 */
export const transferPurpose = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sync'),
    batch: batchId,
    node: nodeId,
    /** Which of the folders asked for. */
    index: z.number().int(),
  }),
  z.strictObject({
    kind: z.literal('fetch'),
    task: taskId,
    attempt: z.number().int(),
    index: z.number().int(),
  }),
]);
export type TransferPurpose = z.infer<typeof transferPurpose>;

/** How the result was proven. */
export const transferProof = z.enum(['hashes', 'sizes', 'none']);

export const transferView = z.object({
  id: transferId,
  status: transferStatus,
  request: transferRequest,
  /** Null for what a person asked for. */
  purpose: transferPurpose.nullable(),
  /** For people. */
  fromLabel: z.string(),
  toLabel: z.string(),
  title: z.string(),
  progress: transferProgress,
  /** Files that failed or were skipped, as far as they were counted. */
  failed: z.number().int(),
  skipped: z.number().int(),
  proof: transferProof,
  /** While ASKING: how many files are in the way, and some of them. */
  conflicts: z.object({ count: z.number().int(), some: z.array(z.string()) }).nullable(),
  error: errorShape.nullable(),
  createdAt: instant,
  finishedAt: instant.nullable(),
});
export type TransferView = z.infer<typeof transferView>;

export const transferProblem = z.object({
  path: z.string(),
  outcome: z.enum(['failed', 'skipped']),
  message: z.string(),
});
export type TransferProblem = z.infer<typeof transferProblem>;

const ids = z.array(transferId).min(1).max(1000);
const orderResults = z.array(
  z.object({ id: transferId, ok: z.boolean(), status: z.string(), message: z.string().nullable() }),
);

export const transfers = {
  start: oc.input(transferRequest).output(transferView),
  /** What a sync would do now; changes nothing. */
  previewSync: oc.input(transferRequest).output(syncPreview),
  list: oc.output(z.array(transferView)),
  watch: oc.output(
    feedOf(
      z.array(transferView),
      z.union([z.object({ upsert: transferView }), z.object({ removed: transferId })]),
    ),
  ),
  get: oc.input(z.object({ id: transferId })).output(transferView),
  /** Every file that failed or was skipped, the first 10,000 of them. */
  problems: oc.input(z.object({ id: transferId })).output(z.array(transferProblem)),
  pause: oc.input(z.object({ ids })).output(orderResults),
  resume: oc.input(z.object({ ids })).output(orderResults),
  /** What was moved so far is removed. */
  cancel: oc.input(z.object({ ids })).output(orderResults),
  /** Runs an ended one again: what is there and the same is not moved again. */
  retry: oc.input(z.object({ ids })).output(orderResults),
  /** Answers an ASKING one, for all files in the way. */
  answer: oc
    .input(z.object({ id: transferId, conflicts: conflictPolicy.exclude(['ask']) }))
    .output(transferView),
  /** Moves one in the queue, right before another (null: to the end). */
  move: oc
    .input(z.object({ id: transferId, before: transferId.nullable() }))
    .output(z.array(transferId)),
  /** Takes ended ones off the list. */
  clear: oc
    .input(z.object({ ids: z.array(transferId).max(1000).optional() }))
    .output(z.object({ removed: z.number().int() })),
};
