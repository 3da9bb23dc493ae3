// Snapshots of VPSes: images made of their containers, and containers made of them again.
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { TaskId } from '../../../contract/ids.ts';
import type { SnapshotInfo } from '../../vps-engine.ts';
import { loadImage } from '../environments/images.ts';
import { DockerDiskFullError, fromDocker, ImageNotFoundError, readComplaint } from '../errors.ts';
import type { FoundContainer } from '../observed.ts';
import { asReadable } from '../reply-stream.ts';

const imageReply = z.object({
  Id: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  Created: z.string().max(64),
  Comment: z.string().max(4096).nullish(),
  Size: z.number().nonnegative(),
});
const historyReply = z.array(z.object({ Size: z.number().nonnegative() })).min(1);
const listReply = z.array(z.object({ RepoTags: z.array(z.string().max(600)).nullish() }));

/** More snapshots of one VPS than that are not shown. */
const mostSnapshots = 1000;

/** `kohakuriver-snapshot/vps-{id}`. */
export function snapshotRepository(id: TaskId): string {
  return `kohakuriver-snapshot/vps-${id}`;
}

export interface CommitOptions {
  readonly id: TaskId;
  readonly tag: string;
  readonly note: string;
  /** Variables whose values must not go into the image. */
  readonly secretNames: readonly string[];
}

/** Makes an image of a container. Nothing is there when it throws, and the container is as it was. */
export async function commitVps(
  docker: Dockerode,
  found: FoundContainer,
  { id, tag, note, secretNames }: CommitOptions,
): Promise<void> {
  try {
    await docker.getContainer(found.id).commit({
      repo: snapshotRepository(id),
      tag,
      comment: note,
      // What runs is held still meanwhile, so that its files belong together.
      pause: true,
      // The Engine refuses an empty list.
      ...(secretNames.length === 0
        ? {}
        : { changes: secretNames.map((name) => `ENV ${name}=""`).join('\n') }),
    });
  } catch (error) {
    if (/no space left|disk quota exceeded/i.test(readComplaint(error).text)) {
      throw new DockerDiskFullError(
        "The disk that holds Docker's data is full: no snapshot was made, and nothing was changed. Free some space on the node, or delete old snapshots.",
        { cause: error },
      );
    }
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

/** The newest first. */
export async function listSnapshots(docker: Dockerode, id: TaskId): Promise<SnapshotInfo[]> {
  const repository = snapshotRepository(id);
  try {
    const images = listReply.parse(
      await docker.listImages({ filters: JSON.stringify({ reference: [repository] }) }),
    );
    const tags = images
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((reference) => reference.startsWith(`${repository}:`))
      .map((reference) => reference.slice(repository.length + 1))
      .filter((tag) => /^\d{1,12}$/.test(tag))
      .sort((a, b) => Number(b) - Number(a))
      .slice(0, mostSnapshots);
    const found = await Promise.all(tags.map((tag) => describe(docker, id, tag)));
    return found.filter((one) => one !== undefined);
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}

async function describe(
  docker: Dockerode,
  id: TaskId,
  tag: string,
): Promise<SnapshotInfo | undefined> {
  const image = docker.getImage(`${snapshotRepository(id)}:${tag}`);
  try {
    const reply = imageReply.parse(await image.inspect());
    const [top] = historyReply.parse(await image.history());
    return {
      tag,
      takenAt: Number(tag) * 1000,
      note: (reply.Comment ?? '').slice(0, 500),
      addedBytes: top?.Size ?? 0,
      totalBytes: reply.Size,
    };
  } catch (error) {
    // Deleted while it was looked at.
    if (readComplaint(error).status === 404) return undefined;
    throw error;
  }
}

/** `in-use`: a container was made from it, so the Engine keeps it. */
export async function removeSnapshot(
  docker: Dockerode,
  id: TaskId,
  tag: string,
): Promise<'removed' | 'in-use'> {
  try {
    await docker.getImage(`${snapshotRepository(id)}:${tag}`).remove();
    return 'removed';
  } catch (error) {
    const { status } = readComplaint(error);
    if (status === 404) return 'removed';
    if (status === 409) return 'in-use';
    throw fromDocker(error, { kind: 'ask' });
  }
}

/** The image as one stream, as `docker save` writes it. */
export async function saveSnapshot(docker: Dockerode, id: TaskId, tag: string): Promise<Readable> {
  const reference = `${snapshotRepository(id)}:${tag}`;
  try {
    return asReadable(await docker.getImage(reference).get());
  } catch (error) {
    if (readComplaint(error).status === 404) throw noSnapshot(tag, error);
    throw fromDocker(error, { kind: 'ask' });
  }
}

/** Takes in what `saveSnapshot` gave out. Throws when the Engine refuses it. */
export async function loadSnapshot(docker: Dockerode, from: Readable): Promise<void> {
  try {
    await loadImage(docker, from);
  } finally {
    from.destroy();
  }
}

export function noSnapshot(tag: string, cause?: unknown): ImageNotFoundError {
  return new ImageNotFoundError(`There is no snapshot ${tag} of this VPS on its node.`, {
    ...(cause === undefined ? {} : { cause }),
    details: { snapshot: tag },
  });
}
