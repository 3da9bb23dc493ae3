// Giving a VPS another disk: its container is made anew from an image, with everything else as it was.
// The old one is moved aside and goes only when the new one is there.
import type Dockerode from 'dockerode';
import {
  ContainerExecutionError,
  fromDocker,
  ImageNotFoundError,
  readComplaint,
} from '../errors.ts';
import { containerName } from '../labels.ts';
import { madeWith } from '../made-again.ts';
import type { CoreId, TaskId } from '../../../contract/ids.ts';
import { inspectContainer } from '../containers.ts';
import type { FoundContainer } from '../observed.ts';

/** Where the old container waits while the new one is made. */
export function asideName(id: TaskId): string {
  return `${containerName('vps', id)}-before`;
}

/**
 * Makes the container of a VPS that rests anew from an image. Whatever fails, the VPS has a disk
 * afterwards: the new one, or the one it had.
 */
export async function remakeFrom(
  docker: Dockerode,
  found: FoundContainer,
  { id, image }: { readonly id: TaskId; readonly image: string },
): Promise<void> {
  const kind = found.attempt.condition.kind;
  if (kind === 'running' || kind === 'paused') {
    throw new ContainerExecutionError(`${found.name} still runs: stop it before it is restored.`);
  }
  const old = docker.getContainer(found.id);
  const name = containerName('vps', id);
  const config = await configOf(docker, old, image);
  await rename(old, asideName(id));
  try {
    await docker.createContainer({ ...config, name });
  } catch (error) {
    await rename(old, name);
    throw fromDocker(error, { kind: 'create', container: name });
  }
  await removeAside(old, id);
}

/** Puts back what a crash left aside; where the new container was made, the old one goes. */
export async function settleAside(docker: Dockerode, core: CoreId, id: TaskId): Promise<void> {
  const aside = await inspectContainer(docker, asideName(id));
  if (aside?.labels.core !== core || aside.labels.taskId !== id) return;
  const name = containerName('vps', id);
  const container = docker.getContainer(aside.id);
  if ((await inspectContainer(docker, name)) === undefined) await rename(container, name);
  else await removeAside(container, id);
}

async function removeAside(container: Dockerode.Container, id: TaskId): Promise<void> {
  try {
    await container.remove({ v: true });
  } catch (error) {
    if (readComplaint(error).status === 404) return;
    throw fromDocker(error, { kind: 'other', container: asideName(id) });
  }
}

/** What the container was made with, for another image. */
async function configOf(
  docker: Dockerode,
  old: Dockerode.Container,
  image: string,
): Promise<Dockerode.ContainerCreateOptions> {
  try {
    const { Id: imageId } = await docker.getImage(image).inspect();
    const config = madeWith(await old.inspect());
    return {
      ...config,
      Image: imageId,
      Labels: {
        ...config.Labels,
        'kohakuriver.image': image,
        'kohakuriver.image_digest': imageId,
      },
    };
  } catch (error) {
    if (readComplaint(error).status === 404) {
      throw new ImageNotFoundError(`The image ${image} is not on the node any more.`, {
        cause: error,
      });
    }
    throw fromDocker(error, { kind: 'ask' });
  }
}

async function rename(container: Dockerode.Container, name: string): Promise<void> {
  try {
    await container.rename({ name });
  } catch (error) {
    throw fromDocker(error, { kind: 'other', container: name });
  }
}
