// The container people make an environment in, and Dockerfiles.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { CoreId } from '../../../contract/ids.ts';
import { buildContainerName } from '../../../domain/environments/names.ts';
import { inspectContainer } from '../containers.ts';
import {
  ContainerNotFoundError,
  DockerDiskFullError,
  fromDocker,
  ImageBuildError,
  NameTakenError,
  readComplaint,
} from '../errors.ts';
import { environmentLabels, ownedLabels } from '../labels.ts';
import type { FoundContainer } from '../observed.ts';
import { asReadable } from '../reply-stream.ts';
import { replyLines, type ReplyLine } from './reply-lines.ts';

const commitReply = z.object({ Id: z.string().regex(/^(sha256:)?[a-f0-9]{64}$/) });

/** Stays, and ends at once when it is told to. */
const stay = ['/bin/sh', '-c', 'trap "exit 0" TERM INT; while :; do sleep 2147483 & wait $!; done'];
const stopSeconds = 5;

/** This core's container of that name; undefined when there is none. Throws NameTakenError for another's. */
export async function findBuild(
  docker: Dockerode,
  core: CoreId,
  container: string,
): Promise<FoundContainer | undefined> {
  const found = await inspectContainer(docker, container);
  if (found === undefined || found.labels.core === core) return found;
  throw new NameTakenError(
    `A container named ${container} is on the node and was not made by this core. It was left alone.`,
    { details: { container } },
  );
}

export async function needBuild(
  docker: Dockerode,
  core: CoreId,
  container: string,
): Promise<FoundContainer> {
  const found = await findBuild(docker, core, container);
  if (found !== undefined) return found;
  throw new ContainerNotFoundError(`The container ${container} is not on the node any more.`, {
    details: { container },
  });
}

export async function createBuild(
  docker: Dockerode,
  core: CoreId,
  what: { environment: string; imageId: string; reference: string; node: string },
): Promise<void> {
  const name = buildContainerName(what.environment);
  try {
    await docker.createContainer({
      name,
      Image: what.imageId,
      Entrypoint: stay,
      Cmd: [],
      Hostname: what.environment.replace(/[^a-z0-9-]+/g, '-'),
      Labels: environmentLabels(core, what),
      Healthcheck: { Test: ['NONE'] },
      User: '0',
      HostConfig: { Init: true, RestartPolicy: { Name: 'unless-stopped' } },
    });
  } catch (error) {
    throw fromDocker(error, { kind: 'create', container: name });
  }
}

export async function startBuild(docker: Dockerode, { id, name }: FoundContainer): Promise<void> {
  try {
    await docker.getContainer(id).start();
  } catch (error) {
    if (readComplaint(error).status === 304) return;
    throw fromDocker(error, { kind: 'start', container: name });
  }
}

export async function stopBuild(docker: Dockerode, { id, name }: FoundContainer): Promise<void> {
  try {
    await docker.getContainer(id).stop({ t: stopSeconds });
  } catch (error) {
    if (readComplaint(error).status === 304) return;
    throw fromDocker(error, { kind: 'other', container: name });
  }
}

export async function removeBuild(docker: Dockerode, { id, name }: FoundContainer): Promise<void> {
  try {
    await docker.getContainer(id).remove({ v: true, force: true });
  } catch (error) {
    const { status, text } = readComplaint(error);
    if (status === 404 || text.includes('already in progress')) return;
    throw fromDocker(error, { kind: 'other', container: name });
  }
}

/** What is made of it later is not where the environment is made: it gets none of its labels. */
const changes = [
  'ENTRYPOINT []',
  'CMD ["/bin/sh"]',
  ...ownedLabels.map((label) => `LABEL ${label}=""`),
].join('\n');

/** The image of the environment, not of the container. */
export async function commitBuild(
  docker: Dockerode,
  found: FoundContainer,
  { note }: { note: string },
): Promise<string> {
  try {
    const made = commitReply.parse(
      await docker.getContainer(found.id).commit({ comment: note, pause: true, changes }),
    );
    return `sha256:${made.Id.replace('sha256:', '')}`;
  } catch (error) {
    if (/no space left|disk quota exceeded/i.test(readComplaint(error).text)) {
      throw new DockerDiskFullError(
        "The disk that holds Docker's data is full: nothing was saved, and nothing was changed. Free some space on the node, or prune old versions.",
        { cause: error },
      );
    }
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

export async function runDockerfile(
  docker: Dockerode,
  context: Readable,
  options: {
    labels: Record<string, string>;
    registryconfig: Dockerode.RegistryConfig;
    onLine: (line: string) => void;
    signal: AbortSignal;
  },
): Promise<string> {
  const { labels, registryconfig, onLine, signal } = options;
  try {
    signal.throwIfAborted();
    const asked = { labels, registryconfig, rm: true, forcerm: true, abortSignal: signal };
    const reply = asReadable(await docker.buildImage(context, asked));
    return await followBuild(reply, { onLine, signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason as Error;
    const { status, text } = readComplaint(error);
    if (error instanceof ImageBuildError) throw error;
    throw status === null ? fromDocker(error, { kind: 'ask' }) : buildFailed(text, error);
  }
}

/** Reads what the Engine says to its end; what it made, or why it made nothing. */
async function followBuild(
  reply: Readable,
  { onLine, signal }: { onLine: (line: string) => void; signal: AbortSignal },
): Promise<string> {
  let id: string | undefined;
  let complaint: string | undefined;
  const onAbort = () => reply.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const line of replyLines(reply)) {
      for (const text of printedIn(line)) onLine(text);
      id = line.aux?.ID ?? id;
      complaint = line.error ?? complaint;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!reply.closed) {
      reply.destroy();
      await once(reply, 'close');
    }
  }
  if (complaint === undefined && id !== undefined) return id;
  throw buildFailed(complaint ?? 'it made nothing');
}

/** The lines a person would see, cut where they are endless. */
function printedIn({ stream, status }: ReplyLine): string[] {
  const lines = (stream ?? status ?? '').split('\n').filter((text) => text.trim() !== '');
  return lines.map((text) => text.slice(0, 500));
}

function buildFailed(text: string, cause?: unknown): ImageBuildError {
  return new ImageBuildError(
    `The Dockerfile could not be carried out: ${text.slice(0, 600)}`,
    cause === undefined ? {} : { cause },
  );
}
