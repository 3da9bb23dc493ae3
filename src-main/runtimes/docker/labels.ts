// The names and labels of design section 6, written and read. What is read comes from the node and
// may have been written by anybody: it is checked, and what does not fit counts as absent.
import { coreId, taskId, type CoreId, type TaskId } from '../../contract/ids.ts';
import type { AttemptRef, AttemptSpec } from '../runtime.ts';

/** The one label that makes a container ours to look at, whichever core made it. */
export const managedLabel = 'kohakuriver.managed';

const label = {
  taskId: 'kohakuriver.task_id',
  taskType: 'kohakuriver.task_type',
  node: 'kohakuriver.node',
  core: 'kohakuriver.core',
  attempt: 'kohakuriver.attempt',
  batchId: 'kohakuriver.batch_id',
  owner: 'kohakuriver.owner',
  image: 'kohakuriver.image',
  imageDigest: 'kohakuriver.image_digest',
  cores: 'kohakuriver.cores',
  memory: 'kohakuriver.memory',
  gpus: 'kohakuriver.gpus',
} as const;

/** The container of a task, or of a VPS. */
export function containerName(taskType: 'command' | 'vps', id: TaskId): string {
  return `kohakuriver-${taskType === 'vps' ? 'vps' : 'task'}-${id}`;
}

/** Where a kept container of an attempt is moved, out of the way of the next one. */
export function keptName(ref: AttemptRef): string {
  return `kohakuriver-task-${ref.taskId}-attempt-${String(ref.attempt)}`;
}

/** Whether a container's name says that it was kept for a look. */
export function isKeptName(name: string): boolean {
  return /^kohakuriver-task-\d+-attempt-\d+$/.test(name);
}

/** All labels of an attempt's container. The user's own never replace ours. */
export function labelsOf(
  core: CoreId,
  spec: AttemptSpec,
  image: { readonly reference: string; readonly digest: string },
): Record<string, string> {
  return {
    ...spec.labels,
    'app.kubernetes.io/name': spec.name ?? containerName(spec.taskType, spec.taskId),
    'app.kubernetes.io/instance': spec.taskId,
    'app.kubernetes.io/component': spec.taskType,
    'app.kubernetes.io/part-of': 'kohakuriver',
    'app.kubernetes.io/managed-by': 'kohakuriver',
    [managedLabel]: 'true',
    [label.taskId]: spec.taskId,
    [label.taskType]: spec.taskType,
    [label.node]: spec.nodeName,
    [label.core]: core,
    [label.attempt]: String(spec.attempt),
    [label.batchId]: spec.batchId,
    [label.owner]: spec.owner,
    [label.image]: image.reference,
    [label.imageDigest]: image.digest,
    // What the attempt holds, for other cores on the node: 0 cores counts as one.
    [label.cores]: String(Math.max(1, spec.cores)),
    [label.memory]: String(spec.memoryBytes ?? 0),
    [label.gpus]: spec.gpus.map((gpu) => gpu.uuid).join(','),
  };
}

/** What marks containers and images of environments. */
export const environmentType = 'environment';

/** What says of a container that it is ours, and whose of us. */
export const ownedLabels = [managedLabel, label.core, label.taskType, label.node];

/** Labels of the container an environment is made in. */
export function environmentLabels(
  core: CoreId,
  what: { readonly environment: string; readonly reference: string; readonly node: string },
): Record<string, string> {
  return {
    'app.kubernetes.io/name': what.environment,
    'app.kubernetes.io/instance': what.environment,
    'app.kubernetes.io/component': environmentType,
    'app.kubernetes.io/part-of': 'kohakuriver',
    'app.kubernetes.io/managed-by': 'kohakuriver',
    [managedLabel]: 'true',
    [label.taskType]: environmentType,
    [label.node]: what.node,
    [label.core]: core,
    [label.image]: what.reference,
  };
}

/** What the labels of a managed container tell. */
export interface ReadLabels {
  /** It runs no task: an environment is made in it. */
  readonly isEnvironment: boolean;
  readonly core: CoreId | null;
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly owner: string | null;
  readonly imageDigest: string | null;
  /** Null where the label is missing or makes no sense. */
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly gpuUuids: readonly string[] | null;
}

/** Reads labels as they came from the node. */
export function readLabels(labels: Readonly<Record<string, string>>): ReadLabels {
  return {
    isEnvironment: labels[label.taskType] === environmentType,
    core: coreId.safeParse(labels[label.core]).data ?? null,
    taskId: taskId.safeParse(labels[label.taskId]).data ?? null,
    attempt: wholeNumber(labels[label.attempt], 1_000_000) ?? 0,
    owner: labels[label.owner]?.slice(0, 64) ?? null,
    imageDigest: /^sha256:[a-f0-9]{64}$/.exec(labels[label.imageDigest] ?? '')?.[0] ?? null,
    cores: wholeNumber(labels[label.cores], 4096),
    memoryBytes: wholeNumber(labels[label.memory], 2 ** 50),
    gpuUuids: uuids(labels[label.gpus]),
  };
}

/** Whether the labels are those of this attempt of this core. */
export function isAttempt(read: ReadLabels, core: CoreId, ref: AttemptRef): boolean {
  return read.core === core && read.taskId === ref.taskId && read.attempt === ref.attempt;
}

/** Filter for the Engine's list that finds one attempt whatever its container is called. */
export function attemptFilter(core: CoreId, ref: AttemptRef): string[] {
  return [
    `${managedLabel}=true`,
    `${label.core}=${core}`,
    `${label.taskId}=${ref.taskId}`,
    `${label.attempt}=${String(ref.attempt)}`,
  ];
}

function wholeNumber(text: string | undefined, max: number): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

function uuids(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const parts = text.split(',').filter((part) => part !== '');
  const areSane = parts.length <= 64 && parts.every((part) => /^[\w:.-]{1,128}$/.test(part));
  return areSane ? parts : null;
}
