// A snapshot of a VPS as one file: what `docker save` writes of its image, with what the snapshot is
// in front and a hash of everything at the end, compressed. Written and read as a stream: nothing of
// it is held but small descriptions. `docker load` takes such a file, too.
import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import { extract, pack, type Extract, type Pack } from 'tar-stream';
import { z } from 'zod';
import { isAppError } from '../contract/errors.ts';
import { snapshotHead, type SnapshotHead } from '../contract/snapshot-files.ts';
import {
  damagedSnapshot,
  hostileSnapshot,
  newerSnapshot,
  notASnapshot,
} from './snapshot-file-errors.ts';

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

const headName = 'kohakuriver-snapshot.json';
const sealName = 'kohakuriver-seal.json';
const manifestName = 'manifest.json';
/** Descriptions are small; layers may be as large as they are. */
const mostTextBytes = 1024 * 1024;
const mostEntries = 4000;
const chunkBytes = 256 * 1024;

const layerName = /^[a-f0-9]{64}\/layer\.tar$/;
const configName = /^(?:[a-f0-9]{64}\.json|blobs\/sha256\/[a-f0-9]{64})$/;
const seal = z.object({ sha256: z.string().regex(/^[a-f0-9]{64}$/) });
const imageManifest = z
  .array(
    z.object({
      Config: z.string().regex(configName),
      Layers: z
        .array(z.string().regex(/^(?:[a-f0-9]{64}\/layer\.tar|blobs\/sha256\/[a-f0-9]{64})$/))
        .max(1000),
    }),
  )
  .length(1);

/** What was opened: what it says about itself, and its image as `docker load` takes it. */
export interface OpenSnapshot {
  readonly head: SnapshotHead;
  /**
   * Ends only when the file was whole and what it says it is; otherwise it fails, and the Engine,
   * which looks at an archive when it has all of it, has taken nothing. To be destroyed when it is left.
   */
  readonly image: Readable;
}

/** The file of a snapshot, from its image as `docker save` writes it. Fails with what the source fails with. */
export function packSnapshot(saved: Readable, head: SnapshotHead, signal: AbortSignal): Readable {
  const archive = newArchive();
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: chunkBytes });
  fillFile(archive, saved, head).catch((error: unknown) => archive.destroy(asError(error)));
  pipeline(Readable.from(archive), gzip, { signal })
    // Whoever reads the file is told by the stream itself.
    .catch(() => undefined)
    .finally(() => saved.destroy());
  return gzip;
}

/** Whoever reads it is told what breaks it; that may be before anybody does. */
function newArchive(): Pack {
  const archive = pack();
  archive.on('error', () => undefined);
  return archive;
}

async function fillFile(archive: Pack, saved: Readable, head: SnapshotHead): Promise<void> {
  const hash = createHash('sha256');
  await putText(archive, { name: headName, text: JSON.stringify(head) }, hash);
  const entries = extract();
  const reading = pipeline(saved, entries);
  // Its failure comes out of the loop as well; it is looked at there.
  reading.catch(() => undefined);
  for await (const entry of entries) {
    const { name } = entry.header;
    if (name === manifestName) {
      await putText(archive, { name, text: manifestOf(await textOf(entry)) }, hash);
    } else if (isOfImage(entry)) await copy(entry, archive, hash);
    else await drain(entry);
  }
  await reading;
  await putText(archive, { name: sealName, text: JSON.stringify({ sha256: hash.digest('hex') }) });
  archive.finalize();
}

/** Opens a file as it comes. Throws SnapshotFileError for what is none. */
export async function openSnapshot(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<OpenSnapshot> {
  const entries = extract();
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const reading = pipeline(bytes, gunzip, entries, { signal });
  reading.catch(() => undefined);
  const iterator = entries[Symbol.asyncIterator]();
  const hash = createHash('sha256');
  let head: SnapshotHead;
  try {
    head = await readHead(await iterator.next(), hash);
  } catch (error) {
    entries.destroy();
    signal.throwIfAborted();
    throw isAppError(error) ? error : notASnapshot(error);
  }
  const archive = newArchive();
  const fill = async () => {
    try {
      await fillImage({ archive, entries: iterator, head, hash });
      await reading;
      signal.throwIfAborted();
      archive.finalize();
    } catch (error) {
      entries.destroy();
      archive.destroy(asError(error));
    }
  };
  void fill();
  const image = Readable.from(saying(archive, signal));
  // Whoever leaves it must not wait for bytes that may never come.
  image.once('close', () => {
    archive.destroy();
    entries.destroy();
  });
  return { head, image };
}

/** What breaks the archive, in our words: a part that breaks off takes it along by itself. */
async function* saying(archive: Pack, signal: AbortSignal): AsyncGenerator {
  try {
    yield* archive;
  } catch (error) {
    throw isAppError(error) || signal.aborted ? error : damagedSnapshot(error);
  }
}

async function readHead(first: IteratorResult<Entry, unknown>, hash: Hash): Promise<SnapshotHead> {
  if (first.done === true || first.value.header.name !== headName) throw notASnapshot();
  const text = await textOf(first.value);
  note(hash, first.value.header, text);
  const said = parseJson(text);
  const versioned = z.object({ format: z.string(), version: z.number() }).safeParse(said);
  if (versioned.success && versioned.data.version > 1) throw newerSnapshot();
  const head = snapshotHead.safeParse(said);
  if (!head.success) throw notASnapshot(head.error);
  return head.data;
}

/** Lets through what an image consists of, and nothing else; throws unless the seal at the end holds. */
async function fillImage(given: {
  archive: Pack;
  entries: AsyncIterator<Entry, unknown>;
  head: SnapshotHead;
  hash: Hash;
}): Promise<void> {
  const { archive, entries, head, hash } = given;
  let count = 0;
  let isConfigThere = false;
  let isManifestThere = false;
  for (let next = await entries.next(); next.done !== true; next = await entries.next()) {
    const { value: entry } = next;
    const { name } = entry.header;
    count += 1;
    if (count > mostEntries) throw hostileSnapshot('more parts than any image');
    if (name === sealName) {
      const { sha256 } = seal.parse(parseJson(await textOf(entry)));
      if (sha256 !== hash.digest('hex') || !isConfigThere || !isManifestThere) {
        throw damagedSnapshot();
      }
      if ((await entries.next()).done !== true) throw hostileSnapshot('something after its end');
      return;
    }
    if (name === manifestName) {
      const text = await textOf(entry);
      note(hash, { name }, text);
      await putText(archive, { name, text: manifestOf(text) });
      isManifestThere = true;
    } else if (isOfImage(entry)) {
      const digest = await copy(entry, archive, hash);
      isConfigThere ||= digest === head.imageId;
    } else throw hostileSnapshot(`a part called ${JSON.stringify(name.slice(0, 100))}`);
  }
  throw damagedSnapshot();
}

/** A file, or one layer that is the same as another: older Engines write a link then. */
function isOfImage({ header: { name, type, linkname } }: Entry): boolean {
  if (type === 'symlink') {
    return layerName.test(name) && /^\.\.\/[a-f0-9]{64}\/layer\.tar$/.test(linkname);
  }
  return type === 'file' && (layerName.test(name) || configName.test(name));
}

/** The names an image had go: under which it is kept, whoever takes it in decides. */
function manifestOf(text: string): string {
  const read = imageManifest.safeParse(parseJson(text));
  if (!read.success) throw hostileSnapshot('a description that is none of one image');
  return JSON.stringify(read.data.map((one) => ({ ...one, RepoTags: [] })));
}

/** Returns `sha256:…` of what it is. */
async function copy(entry: Entry, archive: Pack, hash: Hash): Promise<string | undefined> {
  const { name, type, linkname, size } = entry.header;
  if (type === 'symlink') {
    note(hash, entry.header, linkname);
    await drain(entry);
    await put(archive, { name, type, linkname }, '');
    return undefined;
  }
  note(hash, entry.header);
  const own = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      hash.update(chunk);
      own.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashed, archive.entry({ name, size }));
  return `sha256:${own.digest('hex')}`;
}

function note(
  hash: Hash,
  { name, size = 0 }: { name: string; size?: number | undefined },
  text = '',
) {
  hash.update(`${name}\0${String(text === '' ? size : Buffer.byteLength(text))}\0`).update(text);
}

function putText(archive: Pack, { name, text }: { name: string; text: string }, hash?: Hash) {
  if (hash !== undefined) note(hash, { name }, text);
  return put(archive, { name }, text);
}

function put(
  archive: Pack,
  header: { name: string; type?: 'symlink'; linkname?: string },
  text: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(header, text, (error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });
}

async function textOf(entry: Entry): Promise<string> {
  const parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    held += chunk.length;
    if (held > mostTextBytes) throw hostileSnapshot('a description that is far too long');
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function drain(entry: Entry): Promise<void> {
  for await (const _chunk of entry as AsyncIterable<Buffer>) continue;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
