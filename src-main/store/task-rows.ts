// Between the rows of `tasks` and the Task of the domain, both ways. Nothing else knows the columns.
import { z } from 'zod';
import { batchId, nodeId, taskId, type NodeId, type TaskId } from '../contract/ids.ts';
import { dependency, retryPolicy } from '../contract/task-shape.ts';
import {
  heldGpu,
  isFinal,
  taskStatus,
  taskSubmission,
  vessel,
  type TaskStatus,
} from '../contract/task.ts';
import type {
  Active,
  AttemptEnd,
  Ended,
  KillWish,
  Place,
  Task,
  TaskSpec,
  TaskState,
  VpsDisk,
} from '../domain/task.ts';
import type { SqlValue } from './connection.ts';
import { StoreError } from './errors.ts';
import { parseJson } from './json.ts';

/** A task with what the store counts beside it. */
export interface StoredTask {
  readonly task: Task;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/**
 * A task whose request or holding cannot be read. It is set aside: not planned, not ended, and
 * whatever it may hold on `nodeId` must be taken as held.
 */
export interface UnreadableTask {
  readonly id: TaskId;
  readonly status: TaskStatus;
  readonly nodeId: NodeId | null;
  readonly attempt: number;
  /** A sentence. */
  readonly problem: string;
}

/** Columns every reader of tasks selects, from `tasks t JOIN task_specs s`. IDs come as text. */
export const taskColumns = `
  CAST(t.id AS TEXT) AS id, CAST(t.batch_id AS TEXT) AS batch_id, t.type, t.owner, t.priority,
  t.status, t.since, t.is_held, t.attempt, CAST(t.node_id AS TEXT) AS node_id, t.place_json,
  t.kill_json, t.lost_was, t.reason, t.exit_code, t.signal, t.is_oom_killed, t.submitted_at,
  t.assigned_at, t.started_at, t.image_digest, t.disk_json, t.stdout_bytes, t.stderr_bytes,
  t.warnings_json, t.not_before, t.blocked_json, s.spec_json`;
export const taskTables = 'tasks t JOIN task_specs s ON s.task_id = t.id';

const text = z.string();
const int = z.number().int();

const taskRow = z.object({
  id: taskId,
  batch_id: batchId,
  type: z.enum(['command', 'vps']),
  owner: text,
  priority: int,
  status: taskStatus,
  since: int,
  is_held: int,
  attempt: int,
  node_id: nodeId.nullable(),
  place_json: text.nullable(),
  kill_json: text.nullable(),
  lost_was: z.enum(['ASSIGNING', 'RUNNING', 'PAUSED']).nullable(),
  reason: text.nullable(),
  exit_code: int.nullable(),
  signal: text.nullable(),
  is_oom_killed: int.nullable(),
  submitted_at: int,
  assigned_at: int.nullable(),
  started_at: int.nullable(),
  image_digest: text.nullable(),
  disk_json: text.nullable(),
  stdout_bytes: int,
  stderr_bytes: int,
  warnings_json: text,
  not_before: int.nullable(),
  blocked_json: text,
  spec_json: text,
});
type TaskRow = z.infer<typeof taskRow>;

const target = z.strictObject({
  node: text,
  numa: int.nullable(),
  gpus: z.array(int).nullable(),
});

// Of the submission's fields, but none with a default: a request that lost a field must not read as
// one that asks for nothing. A field added later gets its default in a migration, not here.
const asked = taskSubmission.shape;
const storedRetries = z.strictObject({
  count: retryPolicy.shape.count,
  on: retryPolicy.shape.on,
  backoffSeconds: retryPolicy.shape.backoffSeconds.unwrap(),
});
const taskSpec: z.ZodType<TaskSpec> = z.strictObject({
  target: target.nullable(),
  vessel,
  secretEnvNames: z.array(text),
  cores: asked.cores.unwrap(),
  memoryBytes: asked.memoryBytes.unwrap(),
  gpus: asked.gpus.unwrap(),
  work: asked.work,
  env: asked.env.unwrap(),
  mounts: asked.mounts.unwrap(),
  workdir: asked.workdir.unwrap(),
  user: asked.user.unwrap(),
  privileged: asked.privileged.unwrap(),
  name: asked.name.unwrap(),
  labels: asked.labels.unwrap(),
  exclusive: asked.exclusive.unwrap(),
  onNodeLabels: asked.onNodeLabels.unwrap(),
  avoidNodes: asked.avoidNodes.unwrap(),
  keepFailed: asked.keepFailed.unwrap(),
  after: z.array(dependency),
  arrayIndex: int.nonnegative().nullable(),
  arrayMaxRunning: int.positive().nullable(),
  timeLimitSeconds: asked.timeLimitSeconds.unwrap(),
  retries: storedRetries.nullable(),
  notBefore: asked.notBefore.unwrap(),
  gang: asked.gang.unwrap(),
  sync: asked.sync.unwrap(),
  fetch: asked.fetch.unwrap(),
});

const place: z.ZodType<Place> = z.strictObject({
  nodeId,
  runtime: z.enum(['docker', 'process']),
  gpus: z.array(heldGpu),
  cores: z.number().nonnegative(),
  memoryBytes: z.number().nonnegative(),
  numa: int.nullable(),
  exclusive: z.boolean(),
  isBackfilled: z.literal(true).exactOptional(),
});

const killWish: z.ZodType<KillWish> = z.strictObject({
  at: int,
  by: text,
  signal: text,
  graceMs: z.number().nonnegative(),
  deliveredAt: int.nullable(),
  then: z.enum(['rest', 'restart']).exactOptional(),
});

const vpsDisk: z.ZodType<VpsDisk> = z.strictObject({ nodeId, lastRun: int.nullable() });

const warnings = z.array(text);
const taskIds = z.array(taskId);

/**
 * The task of a row of `taskColumns`.
 * @throws StoreError `store/corrupt` when any part of it cannot be read.
 */
export function toStoredTask(found: unknown): StoredTask {
  const parsed = taskRow.safeParse(found);
  if (!parsed.success) {
    throw new StoreError('store/corrupt', 'A task row has columns that cannot be read.', {
      cause: parsed.error,
    });
  }
  const row = parsed.data;
  const task: Task = {
    id: row.id,
    batchId: row.batch_id,
    type: row.type,
    spec: parseJson(taskSpec, row.spec_json, 'spec_json'),
    owner: row.owner,
    priority: row.priority,
    submittedAt: row.submitted_at,
    attempt: row.attempt,
    imageDigest: row.image_digest,
    warnings: parseJson(warnings, row.warnings_json, 'warnings_json'),
    disk: row.disk_json === null ? null : parseJson(vpsDisk, row.disk_json, 'disk_json'),
    state: toState(row),
  };
  return { task, stdoutBytes: row.stdout_bytes, stderrBytes: row.stderr_bytes };
}

/** What can still be said of a row that `toStoredTask` refused. */
export function toUnreadableTask(found: unknown, error: StoreError): UnreadableTask {
  const known = taskRow
    .pick({ id: true, status: true, attempt: true })
    .extend({ node_id: nodeId.nullable().catch(null) })
    .parse(found);
  return {
    id: known.id,
    status: known.status,
    nodeId: known.node_id,
    attempt: known.attempt,
    problem: error.message,
  };
}

function toState(row: TaskRow): TaskState {
  const { since, status } = row;
  switch (status) {
    case 'PENDING_APPROVAL':
      return { status, since };
    case 'PENDING':
      return {
        status,
        since,
        held: row.is_held === 1,
        reason: row.reason,
        notBefore: row.not_before,
        blockedBy: parseJson(taskIds, row.blocked_json, 'blocked_json'),
      };
    case 'ASSIGNING':
      return { status, ...toActive(row) };
    case 'RUNNING':
    case 'PAUSED':
      return { status, ...toActive(row), startedAt: present(row.started_at, 'started_at') };
    case 'LOST':
      return {
        status,
        ...toActive(row),
        reason: present(row.reason, 'reason'),
        was: present(row.lost_was, 'lost_was'),
        startedAt: row.started_at,
      };
    default:
      return { status, ...toEnded(row) };
  }
}

function toActive(row: TaskRow): Active {
  return {
    since: row.since,
    place: parseJson(place, present(row.place_json, 'place_json'), 'place_json'),
    assignedAt: present(row.assigned_at, 'assigned_at'),
    kill: row.kill_json === null ? null : parseJson(killWish, row.kill_json, 'kill_json'),
  };
}

function toEnded(row: TaskRow): Ended {
  return {
    since: row.since,
    reason: row.reason,
    place: row.place_json === null ? null : parseJson(place, row.place_json, 'place_json'),
    assignedAt: row.assigned_at,
    startedAt: row.started_at,
    end: toAttemptEnd(row),
    ...(row.kill_json === null
      ? {}
      : { missedKill: parseJson(killWish, row.kill_json, 'kill_json') }),
  };
}

function toAttemptEnd(row: TaskRow): AttemptEnd | null {
  if (row.is_oom_killed === null) return null;
  return { exitCode: row.exit_code, signal: row.signal, oomKilled: row.is_oom_killed === 1 };
}

function present<T>(value: T | null, column: string): T {
  if (value !== null) return value;
  throw new StoreError('store/corrupt', `${column} is missing.`, { details: { column } });
}

/** The columns that transitions change, in the order of `changingColumns`. */
export function changingValues({ state, ...task }: Task): SqlValue[] {
  const flat = flatten(state);
  return [
    task.priority,
    state.status,
    state.since,
    Number(flat.held),
    task.attempt,
    orNull(flat.place, ({ nodeId: id }) => BigInt(id)),
    orNull(flat.place, JSON.stringify),
    orNull(flat.kill, JSON.stringify),
    flat.was,
    flat.reason,
    orNull(flat.end, ({ exitCode }) => exitCode),
    orNull(flat.end, ({ signal }) => signal),
    orNull(flat.end, ({ oomKilled }) => Number(oomKilled)),
    flat.assignedAt,
    flat.startedAt,
    isFinal(state.status) || state.status === 'STOPPED' ? state.since : null,
    task.imageDigest,
    JSON.stringify(task.warnings),
    flat.notBefore,
    JSON.stringify(flat.blockedBy),
    orNull(task.disk, JSON.stringify),
  ];
}

function orNull<T>(value: T | null, toValue: (value: T) => SqlValue): SqlValue {
  return value === null ? null : toValue(value);
}

export const changingColumns = [
  'priority',
  'status',
  'since',
  'is_held',
  'attempt',
  'node_id',
  'place_json',
  'kill_json',
  'lost_was',
  'reason',
  'exit_code',
  'signal',
  'is_oom_killed',
  'assigned_at',
  'started_at',
  'finished_at',
  'image_digest',
  'warnings_json',
  'not_before',
  'blocked_json',
  'disk_json',
] as const;

interface FlatState {
  readonly held: boolean;
  readonly was: TaskStatus | null;
  readonly place: Place | null;
  readonly kill: KillWish | null;
  readonly reason: string | null;
  readonly end: AttemptEnd | null;
  readonly assignedAt: number | null;
  readonly startedAt: number | null;
  readonly notBefore: number | null;
  readonly blockedBy: readonly TaskId[];
}

/** A state with null for every field that is not true in it, which is how columns must have it. */
function flatten(state: TaskState): FlatState {
  const nothing: FlatState = {
    held: false,
    was: null,
    place: null,
    kill: null,
    reason: null,
    end: null,
    assignedAt: null,
    startedAt: null,
    notBefore: null,
    blockedBy: [],
  };
  const kill = 'missedKill' in state ? { kill: state.missedKill } : {};
  return { ...nothing, ...state, ...kill };
}

/** What text search looks through: name, command and ID, lower-cased. Long scripts count by their beginning. */
export function searchText(task: Task): string {
  const { work, name } = task.spec;
  const command = work.kind === 'command' ? work.argv.join(' ') : work.text;
  return `${name ?? ''}\n${task.id}\n${command.slice(0, 4096)}`.toLowerCase();
}
