import { z } from 'zod';
import { batchId, instant, nodeId, nodeName, taskId } from './ids.ts';
import { mostTaskFolders, taskFetch, taskSync } from './task-files.ts';
import {
  arrayRequest,
  dependency,
  dependencyRequest,
  retryPolicy,
  sweepRequest,
  timeLimitSeconds,
} from './task-shape.ts';

export const taskStatuses = [
  'PENDING_APPROVAL',
  'PENDING',
  'ASSIGNING',
  'RUNNING',
  'PAUSED',
  'COMPLETED',
  'FAILED',
  'KILLED',
  'KILLED_OOM',
  'REJECTED',
  'STOPPED',
  'LOST',
] as const;
export const taskStatus = z.enum(taskStatuses);
export type TaskStatus = z.infer<typeof taskStatus>;

/** Statuses that end an attempt for good (a VPS at rest is STOPPED, which is not an end). */
export const finalStatuses = [
  'COMPLETED',
  'FAILED',
  'KILLED',
  'KILLED_OOM',
  'REJECTED',
] as const satisfies readonly TaskStatus[];
/** Statuses in which an attempt holds its GPUs, cores and memory. */
export const holdingStatuses = [
  'ASSIGNING',
  'RUNNING',
  'PAUSED',
  'LOST',
] as const satisfies readonly TaskStatus[];

export function isFinal(status: TaskStatus): boolean {
  return (finalStatuses as readonly TaskStatus[]).includes(status);
}

const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name such as MY_VAR');
const noNul = z.string().refine((text) => !text.includes('\0'), 'must not contain a NUL character');
const labelKey = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/,
    'must be a label name such as team or app.example/role',
  );
export const labels = z.record(labelKey, noNul.max(256));
export type Labels = z.infer<typeof labels>;

/** What runs: an argument vector as it is, or the text of a shell script given to `/bin/sh -c` unmodified. */
export const work = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('command'), argv: z.array(noNul).min(1).max(4096) }),
  z.object({ kind: z.literal('script'), text: noNul.min(1).max(1_048_576) }),
]);
export type Work = z.infer<typeof work>;

/** In what it runs. An environment is the image `kohakuriver/<name>:<tag>`. */
export const vessel = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('environment'),
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$/),
  }),
  z.object({
    kind: z.literal('image'),
    reference: z
      .string()
      .regex(/^[^\s\0-][^\s\0]{0,511}$/, 'must be an image reference such as debian:12'),
  }),
  z.object({ kind: z.literal('process') }),
]);
export type Vessel = z.infer<typeof vessel>;
export type RuntimeKind = 'docker' | 'process';

export const mount = z.object({
  source: z.string().regex(/^\/[^\0]*$/, 'must be an absolute path on the node'),
  destination: z.string().regex(/^\/[^\0:]*$/, 'must be an absolute path without ":"'),
  readOnly: z.boolean().default(false),
});
export type Mount = z.infer<typeof mount>;

/** GPUs by number, for tasks that do not name them in their target. */
export const gpuRequest = z.object({
  count: z.number().int().min(1).max(64),
  /** Substring of the model name, compared without case. */
  model: z.string().min(1).max(128).optional(),
  minMemoryBytes: z.number().int().positive().optional(),
});
export type GpuRequest = z.infer<typeof gpuRequest>;

/** A target in words, `node`, `node:numa`, `node::gpu,gpu` or `node:numa::gpu,gpu`. */
const targetText = z.string().min(1).max(256);

/** What a person asks for. Sizes are bytes; the CLI and the form translate `8G` before. */
export const taskSubmission = z.strictObject({
  targets: z.array(targetText).max(1000).default([]),
  cores: z.number().int().min(0).max(4096).default(1),
  memoryBytes: z
    .number()
    .int()
    .positive()
    .max(2 ** 50)
    .nullable()
    .default(null),
  gpus: gpuRequest.nullable().default(null),
  work,
  /** Absent: the default image of the settings, or the process runtime where none is set. */
  vessel: vessel.nullable().default(null),
  env: z.record(envName, noNul).default({}),
  /** Values that go to the vault and are masked everywhere. */
  secretEnv: z.record(envName, noNul).default({}),
  mounts: z.array(mount).max(64).default([]),
  workdir: z
    .string()
    .regex(/^\/[^\0]*$/, 'must be an absolute path')
    .nullable()
    .default(null),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/)
    .nullable()
    .default(null),
  privileged: z.boolean().default(false),
  name: noNul.min(1).max(128).nullable().default(null),
  labels: labels.default({}),
  priority: z.number().int().min(-100).max(100).default(0),
  hold: z.boolean().default(false),
  exclusive: z.boolean().default(false),
  onNodeLabels: labels.default({}),
  avoidNodes: z.array(nodeName).max(1000).default([]),
  owner: noNul.min(1).max(64).nullable().default(null),
  keepFailed: z.boolean().default(false),
  /** Tasks or batches that must end first. */
  after: z.array(dependencyRequest).max(1000).default([]),
  /** Many alike, in one batch. Not together with `sweep` or several targets. */
  array: arrayRequest.nullable().default(null),
  /** A grid of parameters: becomes an array. */
  sweep: sweepRequest.nullable().default(null),
  timeLimitSeconds: timeLimitSeconds.nullable().default(null),
  retries: retryPolicy.nullable().default(null),
  /** Not to start before this. */
  notBefore: instant.nullable().default(null),
  /** All tasks of the batch start together or none does. */
  gang: z.boolean().default(false),
  /** Put on the node before the start. */
  sync: z.array(taskSync).max(mostTaskFolders).default([]),
  /** Brought back after the end, however it ended. */
  fetch: z.array(taskFetch).max(mostTaskFolders).default([]),
});
export type TaskSubmission = z.infer<typeof taskSubmission>;
/** The same before defaults are filled in. */
export type TaskSubmissionInput = z.input<typeof taskSubmission>;

type WithoutDefaults<Shape extends z.ZodRawShape> = {
  [K in keyof Shape]: z.ZodOptional<
    Shape[K] extends z.ZodDefault<infer Inner extends z.core.SomeType> ? Inner : Shape[K]
  >;
};

/** The fields of a schema, each optional and with nothing filled in (`partial` alone keeps defaults). */
function withoutDefaults<Shape extends z.ZodRawShape>(shape: Shape): WithoutDefaults<Shape> {
  const fields = Object.entries(shape).map(([name, field]) => {
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    return [name, z.optional(inner)];
  });
  return Object.fromEntries(fields) as WithoutDefaults<Shape>;
}

/** Changes to a submission: what is not given stays as it was. */
export const submissionChanges = z.strictObject(withoutDefaults(taskSubmission.shape));
export type SubmissionChanges = z.infer<typeof submissionChanges>;

/** What can be changed of a task that still waits. */
export const taskAmendment = z
  .strictObject(withoutDefaults(taskSubmission.shape))
  .pick({
    cores: true,
    memoryBytes: true,
    gpus: true,
    exclusive: true,
    onNodeLabels: true,
    avoidNodes: true,
    priority: true,
    timeLimitSeconds: true,
    retries: true,
    notBefore: true,
    after: true,
    hold: true,
  })
  .extend({
    /** In words; null: wherever the scheduler chooses. */
    target: targetText.nullable().optional(),
  });
export type TaskAmendment = z.infer<typeof taskAmendment>;

/** A GPU a task holds: the UUID is what is held, the index is what people read. */
export const heldGpu = z.object({ uuid: z.string().min(1), index: z.number().int().nonnegative() });
export type HeldGpu = z.infer<typeof heldGpu>;

/** A task as every client sees it: the task JSON of the CLI with instants in milliseconds. */
export const taskView = z.object({
  id: taskId,
  batchId,
  name: z.string().nullable(),
  type: z.enum(['command', 'vps']),
  status: taskStatus,
  /** In words: why it waits, why it failed, who ended it. */
  reason: z.string().nullable(),
  /** Waiting only because a person asked for it. */
  held: z.boolean(),
  /** What the attempt is doing while ASSIGNING, e.g. `pulling river/busybox:1 (40 %)`. */
  phase: z.string().nullable(),
  /** A person asked to end it and it has not ended yet. */
  killRequested: z.boolean(),
  exitCode: z.number().int().nullable(),
  /** The signal that ended it, e.g. `SIGKILL`. */
  signal: z.string().nullable(),
  node: z.string().nullable(),
  nodeId: nodeId.nullable(),
  target: z.string().nullable(),
  gpus: z.array(heldGpu),
  gpuRequest: gpuRequest.nullable(),
  cores: z.number().int(),
  memoryBytes: z.number().int().nullable(),
  numa: z.number().int().nullable(),
  runtime: z.enum(['docker', 'process']),
  image: z.string().nullable(),
  imageDigest: z.string().nullable(),
  container: z.string().nullable(),
  work,
  env: z.record(z.string(), z.string()),
  secretEnvNames: z.array(z.string()),
  mounts: z.array(mount),
  workdir: z.string().nullable(),
  user: z.string().nullable(),
  privileged: z.boolean(),
  exclusive: z.boolean(),
  keepFailed: z.boolean(),
  onNodeLabels: labels,
  avoidNodes: z.array(z.string()),
  priority: z.number().int(),
  labels,
  attempt: z.number().int().nonnegative(),
  owner: z.string(),
  /** What it waits for or waited for. */
  after: z.array(dependency),
  /** Those of `after` that have not ended yet. */
  blockedBy: z.array(taskId),
  arrayIndex: z.number().int().nullable(),
  /** At most so many of its array hold something at a time. */
  arrayMaxRunning: z.number().int().nullable(),
  timeLimitSeconds: z.number().int().nullable(),
  retries: retryPolicy.nullable(),
  /** Waiting, and not to start before this: as asked for, or until a retry is due. */
  notBefore: instant.nullable(),
  gang: z.boolean(),
  /** It started while one before it in the queue waited for more room. */
  isBackfilled: z.boolean(),
  sync: z.array(taskSync),
  fetch: z.array(taskFetch),
  submittedAt: instant,
  assignedAt: instant.nullable(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  stdoutBytes: z.number().int().nonnegative(),
  stderrBytes: z.number().int().nonnegative(),
  warnings: z.array(z.string()),
});
export type TaskView = z.infer<typeof taskView>;

/** One line of a task's history. Every change of status is one. */
export const taskEventView = z.object({
  seq: z.number().int(),
  at: instant,
  from: taskStatus.nullable(),
  to: taskStatus,
  /** What happened, e.g. `placed`, `started`, `kill-requested`; phases of a start are events too. */
  kind: z.string(),
  why: z.string().nullable(),
  attempt: z.number().int().nonnegative(),
  who: z.string(),
});
export type TaskEventView = z.infer<typeof taskEventView>;

/** Which tasks a list shows. Evaluated in the store. */
export const taskFilter = z.strictObject({
  statuses: z.array(taskStatus).optional(),
  nodeId: nodeId.optional(),
  /** Part of the name, command or ID, without case. */
  text: z.string().max(200).optional(),
  /** Glob over the name (`*` and `?`). */
  nameGlob: z.string().max(200).optional(),
  label: z.object({ key: z.string(), value: z.string() }).optional(),
  batchId: batchId.optional(),
  owner: z.string().optional(),
});
export type TaskFilter = z.infer<typeof taskFilter>;

export const taskSort = z.enum(['newest', 'oldest', 'queue', 'name', 'finished']);
export type TaskSort = z.infer<typeof taskSort>;

/** A window into a filtered, sorted list. */
export const taskWindowQuery = z.strictObject({
  filter: taskFilter.default({}),
  sort: taskSort.default('newest'),
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(500).default(100),
});
export type TaskWindowQuery = z.infer<typeof taskWindowQuery>;

export const statusCounts = z.partialRecord(taskStatus, z.number().int().nonnegative());
export type StatusCounts = z.infer<typeof statusCounts>;

export const taskWindow = z.object({
  /** Tasks that match the filter. */
  total: z.number().int(),
  /** Of the filter without its statuses, by status. */
  counts: statusCounts,
  offset: z.number().int(),
  rows: z.array(taskView),
});
export type TaskWindow = z.infer<typeof taskWindow>;

/** Why a task is not running yet, from the same predicates that place it. */
export const waitReason = z.object({
  /** A sentence for a person. */
  summary: z.string(),
  /** Tasks before it in the queue; null when it does not wait. */
  ahead: z.number().int().nonnegative().nullable(),
  /** When it can start, and what that rests on; null where nothing tells, and for one that fits now. */
  expected: z
    .object({
      /** Null where nobody knows. */
      at: instant.nullable(),
      /** Room is kept for it; otherwise tasks before it may take what it needs. */
      isPromise: z.boolean(),
      why: z.string(),
    })
    .nullable(),
  /** Single changes, each of which would let it start now. */
  suggestions: z.array(z.object({ words: z.string(), node: z.string(), changes: taskAmendment })),
  nodes: z.array(
    z.object({
      nodeId,
      node: z.string(),
      /** Could start here right now. */
      fits: z.boolean(),
      /** Could ever run here, were the node empty. */
      possible: z.boolean(),
      /** What is missing, in words; empty when it fits. */
      lacks: z.array(z.string()),
    }),
  ),
});
export type WaitReason = z.infer<typeof waitReason>;
