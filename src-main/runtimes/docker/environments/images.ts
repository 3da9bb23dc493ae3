// Looking at the images of a node, naming them, and letting them in and out.
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { ImageInfo, NamedImage } from '../../image-engine.ts';
import {
  DockerDiskFullError,
  DockerError,
  fromDocker,
  ImageImportError,
  ImageNotFoundError,
  readComplaint,
} from '../errors.ts';
import { asReadable } from '../reply-stream.ts';
import { lastError } from './reply-lines.ts';

const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/);
const imageReply = z.object({
  Id: digest,
  RootFS: z.object({ Layers: z.array(digest).max(1000).nullish() }),
  Size: z.number().nonnegative(),
  Architecture: z.string().max(64),
  Os: z.string().max(64),
});
const listReply = z.array(
  z.object({
    Id: digest,
    RepoTags: z.array(z.string().max(600)).nullish(),
    Size: z.number().nonnegative(),
  }),
);
const containersReply = z.array(
  z.object({ ImageID: z.string().max(100), Names: z.array(z.string().max(300)).max(100) }),
);

/** More images than that are not looked through for layers that need not be sent. */
const mostImages = 2000;
const parallelInspections = 8;

export async function describeImage(
  docker: Dockerode,
  reference: string,
): Promise<ImageInfo | undefined> {
  try {
    const reply = imageReply.parse(await docker.getImage(reference).inspect());
    return {
      id: reply.Id,
      layers: reply.RootFS.Layers ?? [],
      sizeBytes: reply.Size,
      architecture: reply.Architecture,
      os: reply.Os,
    };
  } catch (error) {
    if (readComplaint(error).status === 404) return undefined;
    throw fromDocker(error, { kind: 'ask' });
  }
}

/** `known` remembers the layers of images by ID: what an ID means never changes. */
export async function layersOfAll(
  docker: Dockerode,
  known: Map<string, readonly string[]>,
): Promise<readonly (readonly string[])[]> {
  const ids = (await list(docker, { all: true })).map(({ Id }) => Id).slice(0, mostImages);
  for (const id of known.keys()) if (!ids.includes(id)) known.delete(id);
  const unknown = ids.filter((id) => !known.has(id)).values();
  const inspectAll = async () => {
    for (const id of unknown) {
      const found = await describeImage(docker, id);
      if (found !== undefined) known.set(id, found.layers);
    }
  };
  await Promise.all(Array.from({ length: parallelInspections }, inspectAll));
  return [...known.values()];
}

export async function namedImages(
  docker: Dockerode,
  repositories: string,
): Promise<readonly NamedImage[]> {
  const found = await list(docker, { filters: JSON.stringify({ reference: [repositories] }) });
  return found.map(({ Id, RepoTags, Size }) => ({
    id: Id,
    names: RepoTags ?? [],
    sizeBytes: Size,
  }));
}

async function list(docker: Dockerode, options: { all?: boolean; filters?: string }) {
  try {
    return listReply.parse(await docker.listImages(options));
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}

export async function imageUsers(
  docker: Dockerode,
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const users = new Map<string, string[]>();
    for (const one of containersReply.parse(await docker.listContainers({ all: true }))) {
      const name = one.Names[0]?.replace(/^\//, '') ?? 'a container';
      users.set(one.ImageID, [...(users.get(one.ImageID) ?? []), name]);
    }
    return users;
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}

const usageReply = z.object({
  Images: z.array(z.object({ Id: digest, Size: z.number(), SharedSize: z.number() })).nullish(),
});

interface Dialler {
  dial(call: object, done: (error: Error | null, reply: unknown) => void): void;
}

/** Only of images: for all the Engine looks through every file of every volume. */
function imageUsage({ modem }: Dockerode): Promise<unknown> {
  const call = {
    path: '/system/df?',
    method: 'GET',
    options: { type: 'image' },
    statusCodes: { 200: true, 500: 'server error' },
  };
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  (modem as Dialler).dial(call, (error, reply) => {
    if (error === null) resolve(reply);
    else reject(error);
  });
  return promise;
}

export async function ownBytes(docker: Dockerode): Promise<ReadonlyMap<string, number>> {
  try {
    const { Images } = usageReply.parse(await imageUsage(docker));
    return new Map(
      (Images ?? []).map(({ Id, Size, SharedSize }) => [
        Id,
        Math.max(0, Size - Math.max(0, SharedSize)),
      ]),
    );
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}

export async function tagImage(docker: Dockerode, id: string, reference: string): Promise<void> {
  const at = reference.lastIndexOf(':');
  try {
    await docker.getImage(id).tag({ repo: reference.slice(0, at), tag: reference.slice(at + 1) });
  } catch (error) {
    throw fromDocker(error, { kind: 'other', container: reference });
  }
}

export async function untagImage(
  docker: Dockerode,
  reference: string,
): Promise<'removed' | 'in-use'> {
  try {
    await docker.getImage(reference).remove();
    return 'removed';
  } catch (error) {
    const { status } = readComplaint(error);
    if (status === 404) return 'removed';
    if (status === 409) return 'in-use';
    throw fromDocker(error, { kind: 'ask' });
  }
}

export async function saveImage(docker: Dockerode, id: string): Promise<Readable> {
  try {
    return asReadable(await docker.getImage(id).get());
  } catch (error) {
    if (readComplaint(error).status !== 404) throw fromDocker(error, { kind: 'ask' });
    throw new ImageNotFoundError(`The image ${id.slice(0, 19)} is not on the node any more.`, {
      cause: error,
    });
  }
}

export async function loadImage(docker: Dockerode, from: Readable): Promise<void> {
  // A source that breaks must not leave the Engine waiting for the rest of it.
  const abort = new AbortController();
  let broken: Error | undefined;
  from.once('error', (error) => {
    broken = error;
    abort.abort(error);
  });
  try {
    const options = { quiet: true, abortSignal: abort.signal };
    const complaint = await lastError(asReadable(await docker.loadImage(from, options)));
    if (complaint !== undefined) throw refusedImage(complaint);
  } catch (error) {
    if (broken !== undefined) throw broken;
    if (error instanceof DockerError) throw error;
    const { status, text } = readComplaint(error);
    throw status === null ? fromDocker(error, { kind: 'ask' }) : refusedImage(text, error);
  }
}

function refusedImage(text: string, cause?: unknown): Error {
  const options = cause === undefined ? {} : { cause };
  return /no space left|disk quota exceeded/i.test(text)
    ? new DockerDiskFullError(
        "The disk that holds Docker's data is full. Free some space on the node, or prune old versions.",
        options,
      )
    : new ImageImportError(`The Engine did not take the image: ${text.slice(0, 600)}`, options);
}
