// Finding containers on the Engine. Only those that carry this core's labels may be acted upon.
import type Dockerode from 'dockerode';
import type { CoreId } from '../../contract/ids.ts';
import { ZodError } from 'zod';
import type { AttemptRef } from '../runtime.ts';
import { DockerConnectionError, fromDocker, readComplaint } from './errors.ts';
import { attemptFilter, containerName, isAttempt, managedLabel } from './labels.ts';
import { containerReply, toFound, type FoundContainer } from './observed.ts';

/** Inspections under way at the same time while listing. */
const parallelInspections = 8;
/** More managed containers than this on one node are not looked at. */
const mostContainers = 5000;

/** One container by name or ID, whoever it belongs to; undefined when there is none. */
export async function inspectContainer(
  docker: Dockerode,
  nameOrId: string,
): Promise<FoundContainer | undefined> {
  try {
    return toFound(containerReply.parse(await docker.getContainer(nameOrId).inspect()));
  } catch (error) {
    if (readComplaint(error).status === 404) return undefined;
    if (error instanceof ZodError) {
      throw new DockerConnectionError(`The Engine's description of ${nameOrId} makes no sense.`, {
        cause: error,
      });
    }
    throw fromDocker(error, { kind: 'other', container: nameOrId });
  }
}

/** This core's container of an attempt, under its usual name or any other. */
export async function findAttempt(
  docker: Dockerode,
  core: CoreId,
  ref: AttemptRef,
): Promise<FoundContainer | undefined> {
  const usual = await inspectContainer(docker, containerName('command', ref.taskId));
  if (usual !== undefined && isAttempt(usual.labels, core, ref)) return usual;
  const ids = await listIds(docker, attemptFilter(core, ref));
  for (const id of ids) {
    const found = await inspectContainer(docker, id);
    if (found !== undefined && isAttempt(found.labels, core, ref)) return found;
  }
  return undefined;
}

/** Every managed container of every core. What vanishes meanwhile is left out. */
export async function listManaged(docker: Dockerode): Promise<FoundContainer[]> {
  const ids = (await listIds(docker, [`${managedLabel}=true`])).slice(0, mostContainers);
  const found: FoundContainer[] = [];
  const next = ids.values();
  const inspectAll = async () => {
    for (const id of next) {
      const container = await inspectContainer(docker, id);
      if (container !== undefined) found.push(container);
    }
  };
  await Promise.all(Array.from({ length: parallelInspections }, inspectAll));
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function listIds(docker: Dockerode, labels: string[]): Promise<string[]> {
  try {
    const containers = await docker.listContainers({ all: true, filters: { label: labels } });
    return containers.map((container) => container.Id).filter((id) => /^[a-f0-9]{64}$/.test(id));
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}
