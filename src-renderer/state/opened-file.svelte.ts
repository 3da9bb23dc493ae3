// One file that is looked at or edited: what it is decides how it is shown, and nothing is written
// over that was changed by somebody else meanwhile.
import type { FileInfo, FileLocation } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import { textOf } from '../lib/files/text-of.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export type Content =
  | { readonly kind: 'reading' }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'text'; readonly text: string; readonly isPart: boolean }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array };

/** Larger text is shown in part, and not edited. */
export const mostTextBytes = 2 * 1024 * 1024;
export const partBytes = 256 * 1024;
export const hexBytes = 16 * 1024;
const mostImageBytes = 32 * 1024 * 1024;

/** What browsers draw without running anything. */
const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
};

export class OpenedFile {
  readonly #client: CoreClient;
  readonly location: FileLocation;
  #info = $state.raw<FileInfo | undefined>(undefined);
  #content = $state.raw<Content>({ kind: 'reading' });
  /** As it was read or written last. */
  #bytes = new Uint8Array();

  constructor(client: CoreClient, location: FileLocation) {
    this.#client = client;
    this.location = location;
  }

  get info(): FileInfo | undefined {
    return this.#info;
  }
  get content(): Content {
    return this.#content;
  }

  async load(): Promise<void> {
    this.#release();
    this.#content = { kind: 'reading' };
    try {
      this.#info = await this.#look();
      this.#content = await this.#read(this.#info);
    } catch (error) {
      this.#content = { kind: 'problem', problem: toProblem(error) };
    }
  }

  /**
   * Writes it under its name in one step. False, and nothing written, when it was changed since it was
   * read here.
   */
  async save(text: string, { isForced }: { isForced: boolean }): Promise<boolean> {
    if (!isForced && (await this.#isChanged())) return false;
    const bytes = new TextEncoder().encode(text);
    const input = { ...this.location, overwrite: true, size: bytes.length };
    const upload = once(bytes);
    for await (const _written of this.#client.openStream('files.write', input, { upload }))
      continue;
    this.#bytes = bytes;
    this.#info = await this.#look();
    return true;
  }

  close(): void {
    this.#release();
  }

  #look(): Promise<FileInfo> {
    return this.#client.api.files.info(this.location);
  }

  /** By what is in it: times are whole seconds, and sizes may be equal. What is edited is small. */
  async #isChanged(): Promise<boolean> {
    const bytes = await this.#bytesOf(mostTextBytes + 1);
    return (
      bytes.length !== this.#bytes.length || bytes.some((byte, at) => byte !== this.#bytes[at])
    );
  }

  async #read({ name, size, kind, targetKind }: FileInfo): Promise<Content> {
    // What is behind a link has another size than the link says.
    const isLink = kind === 'link' && targetKind === 'file';
    const type = imageTypes[name.slice(name.lastIndexOf('.') + 1).toLowerCase()];
    if (type !== undefined && size <= mostImageBytes) {
      const bytes = await this.#bytesOf(mostImageBytes);
      return { kind: 'image', url: URL.createObjectURL(new Blob([bytes], { type })) };
    }
    const isPart = size > mostTextBytes;
    const limit = isLink ? mostTextBytes + 1 : isPart ? partBytes : size + 1;
    this.#bytes = await this.#bytesOf(limit);
    const text = textOf(this.#bytes, isPart);
    if (text === undefined) return { kind: 'binary', bytes: this.#bytes.slice(0, hexBytes) };
    return { kind: 'text', text, isPart: isPart || this.#bytes.length > mostTextBytes };
  }

  async #bytesOf(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    const input = { ...this.location, length };
    for await (const part of this.#client.openStream('files.read', input)) parts.push(part);
    return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  }

  #release(): void {
    if (this.#content.kind === 'image') URL.revokeObjectURL(this.#content.url);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  await Promise.resolve();
  yield bytes;
}
