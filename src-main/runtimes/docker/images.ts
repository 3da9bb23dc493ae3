// Images on the node: looking one up, and pulling it when it is not there.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import { registryOf } from '../../domain/registries/registry.ts';
import type { FindAccount } from '../image-engine.ts';
import type { Prepared, PrepareOptions } from '../runtime.ts';
import { fromDocker, ImageNotFoundError, readComplaint } from './errors.ts';
import { PullProgress } from './pull-progress.ts';
import type { ImageReference } from './reference.ts';
import { authOf } from './registry.ts';
import { asReadable } from './reply-stream.ts';

const imageId = z.string().regex(/^sha256:[a-f0-9]{64}$/);
const imageReply = z.object({
  Id: imageId,
  RepoDigests: z.array(z.string().max(1000)).max(1000).nullish(),
});

export interface PullOptions extends PrepareOptions {
  readonly clock: Clock;
  readonly account: FindAccount;
}

/** How often progress is told at most. */
const progressIntervalMs = 250;
/** Longest progress line taken from the Engine. */
const longestLineBytes = 64 * 1024;

/** What is on the node under this reference; undefined when nothing is. */
export async function findImage(
  docker: Dockerode,
  reference: ImageReference,
): Promise<(Prepared & { readonly imageId: string }) | undefined> {
  try {
    const found = imageReply.parse(await docker.getImage(reference.text).inspect());
    return {
      imageId: found.Id,
      imageDigest: digestOf(found.RepoDigests ?? [], reference) ?? found.Id,
    };
  } catch (error) {
    if (readComplaint(error).status === 404) return undefined;
    throw fromDocker(error, { kind: 'ask' });
  }
}

/** The registry's digest of the image under this name; an image made here has none. */
function digestOf(repoDigests: readonly string[], reference: ImageReference): string | undefined {
  if (reference.digest !== null) return reference.digest;
  const isOfRepository = (entry: string) =>
    familiar(entry).startsWith(`${familiar(reference.repository)}@`);
  return repoDigests.find(isOfRepository)?.split('@')[1];
}

/** The short form of a Docker Hub name, as the Engine lists it. */
function familiar(name: string): string {
  return name.replace(/^(index\.)?docker\.io\/(library\/)?/, '').replace(/^library\//, '');
}

/** Uses the image that is there, or pulls it. Aborting ends the pull on the node, too. */
export async function ensureImage(
  docker: Dockerode,
  reference: ImageReference,
  options: PullOptions,
): Promise<Prepared> {
  options.signal.throwIfAborted();
  const present = await findImage(docker, reference);
  if (present !== undefined) return present;
  if (reference.isEnvironment) {
    throw new ImageNotFoundError(
      `The environment ${reference.text} is not on this node. Build it there or bring it over first.`,
      { details: { image: reference.text } },
    );
  }
  return pullImage(docker, reference, options);
}

/** Pulls what the registry has under this name now. Aborting ends the pull on the node, too. */
export async function pullImage(
  docker: Dockerode,
  reference: ImageReference,
  options: PullOptions,
): Promise<Prepared & { readonly imageId: string }> {
  await pull(docker, reference, options);
  const pulled = await findImage(docker, reference);
  if (pulled !== undefined) return pulled;
  throw new ImageNotFoundError(`The image ${reference.text} vanished right after it was pulled.`, {
    retry: 'later',
    details: { image: reference.text },
  });
}

async function pull(
  docker: Dockerode,
  reference: ImageReference,
  options: PullOptions,
): Promise<void> {
  const registry = registryOf(reference.repository);
  const account = options.account(registry);
  const tell = teller(reference.text, options);
  tell(null);
  try {
    const reply = await docker.createImage({
      fromImage: reference.repository,
      tag: reference.digest ?? reference.tag ?? 'latest',
      abortSignal: options.signal,
      ...(account === undefined ? {} : { authconfig: authOf(registry, account) }),
    });
    await followPull(asReadable(reply), options.signal, tell);
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason as Error;
    throw fromDocker(error, {
      kind: 'pull',
      image: reference.text,
      registry,
      isKnown: account !== undefined,
    });
  }
}

async function followPull(
  stream: Readable,
  signal: AbortSignal,
  tell: (percent: number | null) => void,
): Promise<void> {
  const progress = new PullProgress();
  let complaint: string | undefined;
  let rest = '';
  const onAbort = () => stream.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(0, longestLineBytes);
      for (const line of lines) complaint ??= progress.add(line);
      tell(progress.percent());
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!stream.closed) {
      stream.destroy();
      await once(stream, 'close');
    }
  }
  complaint ??= progress.add(rest);
  if (complaint !== undefined) throw new Error(complaint);
}

/** Tells a phase when it changed, and not too often. */
function teller(image: string, options: PrepareOptions & { readonly clock: Clock }) {
  let last = '';
  let toldAt = -Infinity;
  return (percent: number | null) => {
    const phase = percent === null ? `pulling ${image}` : `pulling ${image}, ${String(percent)} %`;
    const now = options.clock.monotonic();
    if (phase === last || now - toldAt < progressIntervalMs) return;
    last = phase;
    toldAt = now;
    options.onProgress(phase);
  };
}
