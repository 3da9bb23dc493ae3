// From a task to what a runtime is told to create.
import type { NodeFacts } from '../../contract/node.ts';
import type { VpsPort } from '../../contract/vps.ts';
import type { Mount } from '../../contract/task.ts';
import { isWithin, trimSlashes } from '../../domain/files/paths.ts';
import type { Place, Task, TaskSpec } from '../../domain/task.ts';
import type { AttemptSpec } from '../../runtimes/runtime.ts';
import type { FleetNode } from '../fleet.ts';
import { attemptRef } from './attempt-ref.ts';

export interface SpecInputs {
  readonly task: Task;
  readonly place: Place;
  readonly node: FleetNode;
  /** Values of the secret variables, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly logBufferBytes: number;
  /** Of a VPS: what the node publishes. */
  readonly ports?: readonly VpsPort[];
}

/** The variables every task sees; the user's own win over none of them. */
function ourVariables({ task, place, node }: SpecInputs): Record<string, string> {
  return {
    KOHAKURIVER_TASK_ID: task.id,
    KOHAKURIVER_BATCH_ID: task.batchId,
    KOHAKURIVER_NODE: node.name,
    KOHAKURIVER_GPUS: place.gpus.map((gpu) => gpu.index).join(','),
    KOHAKURIVER_ATTEMPT: String(task.attempt),
    ...(task.spec.arrayIndex === null
      ? {}
      : { KOHAKURIVER_ARRAY_INDEX: String(task.spec.arrayIndex) }),
  };
}

function pinned(place: Place, facts: NodeFacts | null): AttemptSpec['numa'] {
  if (place.numa === null) return null;
  const cpus = facts?.numa.find((numa) => numa.id === place.numa)?.cores ?? [];
  return { id: place.numa, cpus };
}

function heldGpus(place: Place, facts: NodeFacts | null): AttemptSpec['gpus'] {
  return place.gpus.map((held) => {
    const gpu = facts?.gpus.find((candidate) => candidate.uuid === held.uuid);
    return { ...held, vendor: gpu?.vendor ?? 'nvidia', pciBusId: gpu?.pciBusId ?? '' };
  });
}

/** Those asked for, and the folders of the node that files are put in or brought back from. */
export function mountsOf({ vessel, mounts, sync, fetch }: TaskSpec): readonly Mount[] {
  if (vessel.kind === 'process') return mounts;
  const folders = new Set([...sync.map(({ to }) => to), ...fetch.map(({ from }) => from)]);
  // Whoever shows a folder, or one it lies in, knows where it is to be found.
  const isShown = (path: string) =>
    mounts.some(({ source }) => isWithin(trimSlashes(path), trimSlashes(source)));
  const missing = [...folders].filter((path) => !isShown(path));
  return [
    ...mounts,
    ...missing.map((path) => ({ source: path, destination: path, readOnly: false })),
  ];
}

/** Everything a runtime needs to create this task's current attempt. */
export function attemptSpec(inputs: SpecInputs): AttemptSpec {
  const { task, place, node, ports = [] } = inputs;
  const { spec } = task;
  const { vps, ...ref } = attemptRef(task);
  return {
    ...ref,
    ...(vps === undefined ? {} : { vps: { ...vps, ports, hasDisk: task.disk !== null } }),
    batchId: task.batchId,
    taskType: task.type,
    nodeName: node.name,
    owner: task.owner,
    name: spec.name,
    work: spec.work,
    vessel: spec.vessel,
    env: { ...spec.env, ...inputs.secrets, ...ourVariables(inputs) },
    mounts: mountsOf(spec),
    workdir: spec.workdir,
    user: spec.user,
    privileged: spec.privileged,
    cores: spec.cores,
    memoryBytes: spec.memoryBytes,
    numa: pinned(place, node.facts),
    gpus: heldGpus(place, node.facts),
    labels: spec.labels,
    logBufferBytes: inputs.logBufferBytes,
  };
}
