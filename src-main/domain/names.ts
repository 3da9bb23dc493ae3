// Names of what we run, as other tools rely on them (design, section 6).
import type { TaskId } from '../contract/ids.ts';
import type { RuntimeKind, Vessel } from '../contract/task.ts';

/** The container of a task; deterministic, so that a create that may have happened is settled by looking. */
export function containerName(task: {
  readonly id: TaskId;
  readonly type: 'command' | 'vps';
}): string {
  return `kohakuriver-${task.type === 'vps' ? 'vps' : 'task'}-${task.id}`;
}

/** The image reference a vessel stands for; null for a plain process. */
export function imageOf(vessel: Vessel): string | null {
  switch (vessel.kind) {
    case 'environment':
      return `kohakuriver/${vessel.name.includes(':') ? vessel.name : `${vessel.name}:base`}`;
    case 'image':
      return vessel.reference;
    case 'process':
      return null;
  }
}

/** Which runtime a vessel needs. */
export function runtimeOf(vessel: Vessel): RuntimeKind {
  return vessel.kind === 'process' ? 'process' : 'docker';
}
