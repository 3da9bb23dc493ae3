// One version to one node: what the node has already is found by its content and not sent; the rest
// goes in loads that stay when a later one is broken off; at its end the node has exactly the image
// that was saved, or it says so.
import { isAppError, RequestError } from '../../contract/errors.ts';
import { PassThrough, type Readable } from 'node:stream';
import type { VersionRecord } from '../../domain/environments/environment.ts';
import { layersThere, loadSteps, partConfig } from '../../domain/environments/layers.ts';
import { partImage, partRepository } from '../../domain/environments/names.ts';
import type { ImageEngine, ImageInfo } from '../../runtimes/image-engine.ts';
import type { EnvironmentParts } from './ports.ts';
import { notDelivered } from './errors.ts';

export interface DeliveryProgress {
  readonly words: string;
  readonly movedBytes: number;
  readonly totalBytes: number | null;
  readonly layersMoved: number;
  readonly layersThere: number;
}

export interface Route {
  readonly version: VersionRecord;
  readonly from: { readonly engine: ImageEngine; readonly name: string; readonly info: ImageInfo };
  readonly to: { readonly engine: ImageEngine; readonly name: string };
  readonly layers: EnvironmentParts['layers'];
  readonly signal: AbortSignal;
  /** Called often. */
  readonly onProgress: (progress: DeliveryProgress) => void;
  /** One reading of an image at a time: the others find what it left. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Throws LinkError, DockerError, EnvironmentError; what has arrived by then stays and is not sent again. */
export async function deliver(route: Route): Promise<DeliveryProgress> {
  const { version, to, from } = route;
  const { layers } = from.info;
  const there = layersThere(layers, await to.engine.layersOfAll());
  const missing = layers.slice(there);
  const start = { movedBytes: 0, totalBytes: null, layersMoved: 0, layersThere: there };
  route.onProgress({ ...start, words: `reading it from ${from.name}` });
  const unread = await route.alone(() => fetchMissing(route, [version.imageId, ...missing]));
  const done = unread.length > 0 ? await deliverWhole(route) : await deliverLayers(route, there);
  const found = await to.engine.image(version.imageId);
  if (found === undefined) {
    throw notDelivered(`${to.name} has another image than ${from.name} after it was sent.`);
  }
  await to.engine.tag(version.imageId, version.image);
  const parts = await to.engine.named(partRepository(version.imageId));
  for (const name of parts.flatMap(({ names }) => names)) await to.engine.untag(name);
  return done;
}

/** Brings what is wanted to this computer, unless it is here. Returns what could not be had by its content. */
async function fetchMissing(route: Route, wanted: readonly string[]): Promise<string[]> {
  const { layers, from, version, signal } = route;
  const unread: string[] = [];
  for (const digest of wanted) {
    if ((await layers.sizeOf(digest)) === undefined) unread.push(digest);
  }
  if (unread.length === 0) return [];
  const saved = await from.engine.save(version.imageId);
  try {
    return await layers.take(saved, { wanted: unread, signal });
  } catch (error) {
    throw readingFailed(error, from.name);
  } finally {
    saved.destroy();
  }
}

/** A stream that breaks off says nothing about why: the way to where it comes from did. */
function readingFailed(error: unknown, from: string): unknown {
  if (isAppError(error) || !(error instanceof Error) || error.name === 'AbortError') return error;
  if ('code' in error && error.code === 'ENOSPC') {
    return notDelivered(
      `This computer has no room for the layers that come from ${from}. Free some, and bring it again.`,
      error,
    );
  }
  return new RequestError('link/lost', `Reading it from ${from} broke off.`, {
    cause: error,
    retry: 'later',
  });
}

async function deliverLayers(route: Route, there: number): Promise<DeliveryProgress> {
  const { version, from, to, layers: files } = route;
  const { layers } = from.info;
  const sizes: number[] = [];
  for (const [at, digest] of layers.entries()) {
    sizes.push(at < there ? 0 : ((await files.sizeOf(digest)) ?? 0));
  }
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let progress: DeliveryProgress = {
    words: `sending it to ${to.name}`,
    movedBytes: 0,
    totalBytes,
    layersMoved: 0,
    layersThere: there,
  };
  let begin = there;
  for (const end of loadSteps(sizes, there)) {
    const isLast = end === layers.length;
    const name = isLast ? version.image : partImage(version.imageId, end);
    const before = progress.movedBytes;
    const stepBytes = sizes.slice(begin, end).reduce((sum, size) => sum + size, 0);
    const plan = {
      config: isLast
        ? { digest: version.imageId }
        : { text: partConfig(layers.slice(0, end), from.info) },
      layers: layers.slice(0, end),
      carried: layers.slice(begin, end),
      names: [name],
    };
    await load(route, files.stream(plan, route.signal), (sent) => {
      // The archive around the layers is not counted.
      progress = { ...progress, movedBytes: before + Math.min(sent, stepBytes) };
      route.onProgress(progress);
    });
    progress = {
      ...progress,
      movedBytes: before + stepBytes,
      layersMoved: end - there,
      words: isLast ? `checking it on ${to.name}` : progress.words,
    };
    route.onProgress(progress);
    begin = end;
  }
  return progress;
}

/** For Engines that keep layers in another form: all of it, straight through. */
async function deliverWhole(route: Route): Promise<DeliveryProgress> {
  const { version, from, to } = route;
  const layerCount = from.info.layers.length;
  let progress: DeliveryProgress = {
    words: `sending all of it to ${to.name}`,
    movedBytes: 0,
    totalBytes: null,
    layersMoved: 0,
    layersThere: 0,
  };
  const saved = await from.engine.save(version.imageId);
  await load(route, saved, (sent) => {
    progress = { ...progress, movedBytes: sent };
    route.onProgress(progress);
  });
  return { ...progress, totalBytes: progress.movedBytes, layersMoved: layerCount };
}

async function load(
  { to, signal }: Route,
  source: Readable,
  onSent: (bytes: number) => void,
): Promise<void> {
  let sent = 0;
  const counted = new PassThrough({ highWaterMark: 1024 * 1024 });
  const broken = (error: Error) => counted.destroy(error);
  source.on('error', broken);
  source.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    onSent(sent);
  });
  const abort = () => source.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await to.engine.load(source.pipe(counted));
  } finally {
    signal.removeEventListener('abort', abort);
    source.destroy();
    counted.destroy();
  }
}
