// One file that is looked at or edited: what it is decides how it is shown, of a large one only a part is
// read, and nothing is written over that was changed by somebody else meanwhile.
import type { FileInfo, FileLocation } from '../../src-main/contract/files.ts';
import type { SaveAnswer } from '../../src-main/contract/workspace.ts';
import type { CoreClient } from '../lib/client.ts';
import { imageTypeOf } from '../lib/files/file-types.ts';
import { readableTextOf, textOf, wholeLines } from '../lib/files/text-of.ts';
import { jsonLines } from '../lib/json-lines.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

/** Which bytes of the file are shown. */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/** Why a text is shown and not edited. */
export type ReadOnlyReason = 'large' | 'encoding' | 'denied';

export interface TextContent {
  readonly kind: 'text';
  readonly text: string;
  /** What the text was made of. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly part: Part;
  readonly readOnly: ReadOnlyReason | undefined;
}

export type Content =
  | { readonly kind: 'reading' }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | TextContent
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array; readonly part: Part };

/** Larger text is shown in parts, and not edited. */
export const mostTextBytes = 2 * 1024 * 1024;
export const partBytes = 256 * 1024;
export const hexBytes = 16 * 1024;
const mostImageBytes = 32 * 1024 * 1024;

export class OpenedFile {
  readonly #client: CoreClient;
  readonly location: FileLocation;
  #info = $state.raw<FileInfo | undefined>(undefined);
  #content = $state.raw<Content>({ kind: 'reading' });
  /** As it was read or written last, where it is whole. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #isWritable = true;
  /** Only what was asked for last is shown. */
  #turn = 0;

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
  /** The part that is shown, where it is one. */
  get part(): Part | undefined {
    return this.#content.kind === 'text' || this.#content.kind === 'binary'
      ? this.#content.part
      : undefined;
  }

  /** Reads it from its beginning. False where what was read is not wanted any more, and not shown. */
  async load(isWanted: () => boolean = () => true): Promise<boolean> {
    return this.#show(() => this.#read(), isWanted);
  }

  /** Shows another part of a large file, from a position on. */
  async move(position: number): Promise<void> {
    const { content } = this;
    const isBinary = content.kind === 'binary';
    await this.#show(async () => {
      this.#info = await this.#look();
      const size = Math.max(this.#info.size, 0);
      const length = isBinary ? hexBytes : partBytes;
      // Rows of bytes begin where they always do.
      const from = isBinary ? position - (position % 16) : position;
      return this.#readPart(Math.max(0, Math.min(from, size - 1)), length, size);
    });
  }

  /** What the whole file is now, where it is a text; undefined where it is none any more. */
  async textNow(): Promise<string | undefined> {
    return textOf(await this.#bytesOf(0, mostTextBytes + 1), false);
  }

  /**
   * Writes it under its name in one step. Nothing is written when it is not what was read here, unless it
   * is forced.
   */
  async save(text: string, { isForced }: { isForced: boolean }): Promise<SaveAnswer['outcome']> {
    const bytes = new TextEncoder().encode(text);
    const basis = this.#bytes;
    const input = {
      ...this.location,
      basisBytes: basis.length,
      size: bytes.length,
      isForced,
    };
    const upload = inOrder([basis, bytes]);
    const answers = this.#client.openStream('workspace.save', input, { upload });
    let outcome: SaveAnswer['outcome'] = 'changed';
    for await (const answer of jsonLines<SaveAnswer>(answers)) {
      ({ outcome } = answer);
      if (answer.outcome !== 'saved') continue;
      this.#bytes = bytes;
      this.#info = answer.info;
    }
    return outcome;
  }

  /**
   * Looks whether it is still what was read: by what is in it where it is edited, as times are whole seconds
   * and sizes may be equal.
   */
  async difference(): Promise<'same' | 'changed' | 'gone'> {
    const basis = this.#bytes;
    try {
      // Not as it is opened: to try whether it may be written would look like a change to whoever watches.
      const info = await this.#client.api.files.info(this.location);
      if (this.#isEdited()) {
        const bytes = await this.#bytesOf(0, mostTextBytes + 1);
        // What was saved meanwhile is ours, and newer than what was seen.
        if (this.#bytes !== basis) return 'same';
        if (!isEqual(bytes, basis)) return 'changed';
        this.#info = info;
        return 'same';
      }
      const { size, modifiedAt } = this.#info ?? { size: -1, modifiedAt: -1 };
      return info.size === size && info.modifiedAt === modifiedAt ? 'same' : 'changed';
    } catch (error) {
      if (isNotFound(error)) return 'gone';
      throw error;
    }
  }

  close(): void {
    this.#turn += 1;
    this.#release();
  }

  #isEdited(): boolean {
    return this.#content.kind === 'text' && this.#content.readOnly !== 'large';
  }

  /** What is shown stays until there is something else to show. */
  async #show(
    read: () => Promise<Content>,
    isWanted: () => boolean = () => true,
  ): Promise<boolean> {
    this.#turn += 1;
    const turn = this.#turn;
    const content = await read().catch((error: unknown): Content => ({
      kind: 'problem',
      problem: toProblem(error),
    }));
    if (turn !== this.#turn || !isWanted()) {
      drop(content);
      return false;
    }
    this.#put(content);
    return true;
  }

  #put(content: Content): void {
    this.#release();
    this.#content = content;
    if (content.kind === 'text') this.#bytes = content.bytes;
  }

  async #look(): Promise<FileInfo> {
    const { info, isWritable } = await this.#client.api.workspace.look(this.location);
    this.#isWritable = isWritable;
    return info;
  }

  async #read(): Promise<Content> {
    this.#info = await this.#look();
    const { name, size, kind, targetKind } = this.#info;
    const type = imageTypeOf(name);
    // What is behind a link has another size than the link says.
    const isLink = kind === 'link' && targetKind === 'file';
    if (type !== undefined && size <= mostImageBytes) {
      const bytes = await this.#bytesOf(0, mostImageBytes);
      return { kind: 'image', url: URL.createObjectURL(new Blob([bytes], { type })) };
    }
    if (!isLink && size > mostTextBytes) return this.#readPart(0, partBytes, size);
    const bytes = await this.#bytesOf(0, mostTextBytes + 1);
    if (bytes.length > mostTextBytes) return this.#readPart(0, partBytes, bytes.length);
    return this.#whole(bytes);
  }

  #whole(bytes: Uint8Array<ArrayBuffer>): Content {
    const size = bytes.length;
    const text = textOf(bytes, false);
    const part = { from: 0, to: size, size };
    if (text !== undefined) {
      return { kind: 'text', text, bytes, part, readOnly: this.#isWritable ? undefined : 'denied' };
    }
    const readable = readableTextOf(bytes);
    if (readable === undefined) return binary(bytes.slice(0, hexBytes), 0, size);
    return { kind: 'text', text: readable, bytes, part, readOnly: 'encoding' };
  }

  async #readPart(from: number, length: number, size: number): Promise<Content> {
    const bytes = await this.#bytesOf(from, length);
    const isText = length > hexBytes && !bytes.includes(0);
    if (!isText) return binary(bytes.slice(0, hexBytes), from, size);
    const isLast = from + bytes.length >= size;
    const cut = wholeLines(bytes, { isFirst: from === 0, isLast });
    const part = { from: from + cut.from, to: from + cut.to, size: Math.max(size, from + cut.to) };
    const lines = bytes.subarray(cut.from, cut.to);
    const text = readableTextOf(lines) ?? '';
    return { kind: 'text', text, bytes: lines, part, readOnly: 'large' };
  }

  async #bytesOf(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    const input = { ...this.location, position, length };
    for await (const part of this.#client.openStream('files.read', input)) parts.push(part);
    return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  }

  #release(): void {
    drop(this.#content);
  }
}

function binary(bytes: Uint8Array, from: number, size: number): Content {
  const to = from + bytes.length;
  return { kind: 'binary', bytes, part: { from, to, size: Math.max(size, to) } };
}

function drop(content: Content): void {
  if (content.kind === 'image') URL.revokeObjectURL(content.url);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'link/file-not-found';
}

async function* inOrder(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, undefined> {
  for (const part of parts) {
    await Promise.resolve();
    if (part.length > 0) yield part;
  }
}
