import { constants, fchmodSync, futimesSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { joinPath } from '../../../domain/files/paths.ts';
import { codeOf } from '../../../link/errors.ts';
import { localPath } from '../../../link/local/local-path.ts';
import { readTar, type TarFile } from '../tar.ts';
import { entriesOf, type TreeEntry } from './columns.ts';
import type { Begin, Further } from './orders.ts';
import { Passing, withFile, type Giving, type Work } from './work.ts';

/** What ends it as a whole: the next file would fail by it, too. */
const ending: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE']);

/** Takes archives apart, one after the other. Only what is wanted is written, and only once. */
export class UnpackingWork implements Work {
  readonly #directory: string;
  readonly #items: readonly TreeEntry[];
  /** Numbers of what has not come yet. */
  readonly #wanted: Map<string, number>;
  readonly #answer: Giving;
  readonly #passing: Passing;
  readonly #parts: (Uint8Array | 'end')[] = [];
  #wake: (() => void) | undefined;
  #hasFinished = false;

  constructor(order: Extract<Begin, { kind: 'unpack' }>, answer: Giving) {
    this.#directory = order.directory;
    this.#items = entriesOf(order.items);
    this.#wanted = new Map(this.#items.map(({ path }, at) => [path, at]));
    this.#answer = answer;
    this.#passing = new Passing(order.digests);
  }

  take(order: Further): void {
    if (order.kind === 'part') this.#parts.push(order.bytes);
    else if (order.kind === 'archive-end') this.#parts.push('end');
    else if (order.kind === 'finish') this.#hasFinished = true;
    this.#wake?.();
  }

  drop(): void {
    this.#hasFinished = true;
    this.#wake?.();
  }

  /** To the end of the last archive. Throws what ends it. */
  async run(): Promise<void> {
    while (await this.#hasMore()) {
      for await (const file of readTar(this.#archive())) await this.#takeFile(file);
      this.#answer({ kind: 'archive-read', passed: this.#passing.take() }, []);
    }
    this.#answer({ kind: 'ended', hash: this.#passing.finish() }, []);
  }

  async #hasMore(): Promise<boolean> {
    for (;;) {
      if (this.#parts.length > 0) return true;
      if (this.#hasFinished) return false;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async *#archive(): AsyncGenerator<Uint8Array> {
    while (await this.#hasMore()) {
      const part = this.#parts.shift();
      if (part === undefined || part === 'end') return;
      yield part;
      this.#answer({ kind: 'took', passed: this.#passing.take() }, []);
    }
  }

  async #takeFile({ name, size, bytes }: TarFile): Promise<void> {
    const path = name.startsWith('./') ? name.slice(2) : name;
    const at = this.#wanted.get(path);
    const item = at === undefined ? undefined : this.#items[at];
    // Not asked for, or twice: passed over unread.
    if (at === undefined || item === undefined) return;
    this.#wanted.delete(path);
    if (size !== item.size) {
      this.#passing.changed(at);
      return;
    }
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    const [first = Buffer.alloc(0), ...more] = parts;
    const whole = more.length === 0 ? first : Buffer.concat(parts);
    try {
      this.#write(item, whole);
    } catch (error) {
      if (ending.has(codeOf(error))) throw error;
      this.#passing.failed(at, error);
      return;
    }
    this.#passing.done(at, whole);
  }

  #write({ path, mode, modifiedAt }: TreeEntry, bytes: Uint8Array): void {
    withFile(openNew(joinPath(this.#directory, path)), (file) => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fchmodSync(file, mode & 0o7777);
      futimesSync(file, modifiedAt, modifiedAt);
    });
  }
}

function openNew(path: string): number {
  const place = localPath(path);
  const open = () =>
    openSync(place, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    return open();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // The folder is ours alone: what is there is from a run that was broken off.
    unlinkSync(place);
    return open();
  }
}
