// Layers of images on their way from one node to others: files named by their content, in the data
// directory, for as long as somebody waits for them. What is here was hashed while it was written.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Pack } from 'tar-stream';
import { codeOf } from './errors.ts';

export interface LoadPlan {
  /** The configuration as text, or its digest where it is kept here. */
  readonly config: { readonly text: string } | { readonly digest: string };
  /** Every layer of the image, from the bottom. */
  readonly layers: readonly string[];
  /** Those that go along; the others are there already. */
  readonly carried: readonly string[];
  readonly names: readonly string[];
}

export class LayerFiles {
  readonly #dir: string;
  #parts = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** In bytes; undefined for what is not here. */
  async sizeOf(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.#pathOf(digest))).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Reads an image as `docker save` writes it and keeps what is wanted of it: layers, and the
   * configuration, which is named by its content as well. Returns what was not in it. Throws what
   * the stream and the file system throw; what was whole by then stays.
   */
  async take(
    saved: Readable,
    { wanted, signal }: { wanted: readonly string[]; signal: AbortSignal },
  ): Promise<string[]> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const missing = new Set(wanted);
    const entries = extract();
    const reading = pipeline(saved, entries, { signal });
    // Its failure comes out of the loop as well; it is looked at there.
    reading.catch(() => undefined);
    for await (const entry of entries) {
      if (entry.header.type === 'file' && mayHold(entry.header.name)) {
        await this.#keep(entry as AsyncIterable<Buffer>, missing);
      } else entry.resume();
    }
    await reading;
    return [...missing];
  }

  /** What hashes to none of what is wanted is not kept. */
  async #keep(entry: AsyncIterable<Buffer>, missing: Set<string>): Promise<void> {
    const part = join(this.#dir, `part-${String((this.#parts += 1))}`);
    const hash = createHash('sha256');
    const hashed = async function* () {
      for await (const chunk of entry) {
        hash.update(chunk);
        yield chunk;
      }
    };
    try {
      await pipeline(hashed, createWriteStream(part, { mode: 0o600 }));
      const digest = `sha256:${hash.digest('hex')}`;
      if (missing.delete(digest)) await rename(part, this.#pathOf(digest));
      else await rm(part);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  /** The image as `docker load` takes it, without the layers that are there already. */
  stream(plan: LoadPlan, signal: AbortSignal): Readable {
    const archive = pack();
    this.#fill(archive, plan).catch((error: unknown) => {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    return addAbortSignal(signal, Readable.from(archive));
  }

  async #fill(archive: Pack, { config, layers, carried, names }: LoadPlan): Promise<void> {
    const configBytes =
      'text' in config ? Buffer.from(config.text) : await readFile(this.#pathOf(config.digest));
    const configName = `${digestOf(configBytes).slice(7)}.json`;
    const manifest = [
      {
        Config: configName,
        RepoTags: names,
        Layers: layers.map((layer) => `${layer.slice(7)}/layer.tar`),
      },
    ];
    await entryOf(archive, configName, configBytes);
    await entryOf(archive, 'manifest.json', Buffer.from(JSON.stringify(manifest)));
    for (const layer of new Set(carried)) {
      const { size } = await stat(this.#pathOf(layer));
      const entry = archive.entry({ name: `${layer.slice(7)}/layer.tar`, size });
      await pipeline(createReadStream(this.#pathOf(layer), { highWaterMark: 256 * 1024 }), entry);
    }
    archive.finalize();
  }

  /** Forgets all of it: nobody waits for any. */
  async clear(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  #pathOf(layer: string): string {
    const hex = /^sha256:([a-f0-9]{64})$/.exec(layer)?.[1];
    if (hex === undefined) throw new TypeError(`${layer} does not name a layer.`);
    return join(this.#dir, hex);
  }
}

/** A tar with these files in it. */
export function tarOf(
  files: readonly { readonly name: string; readonly text: string }[],
): Readable {
  const archive = pack();
  for (const { name, text } of files) archive.entry({ name }, text);
  archive.finalize();
  return Readable.from(archive);
}

function entryOf(archive: Pack, name: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry({ name }, bytes, (error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });
}

/** Older Engines write `ID.json` and `…/layer.tar`, newer ones `blobs/sha256/…` for both. */
function mayHold(name: string): boolean {
  return /^[a-f0-9]{64}\.json$|\/layer\.tar$|^blobs\/sha256\/[a-f0-9]{64}$/.test(name);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
