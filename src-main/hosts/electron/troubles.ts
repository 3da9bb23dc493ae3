// Crashes and errors, kept on this computer and nowhere else, so that a person can look at them and
// copy what a report needs.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { trouble, type Trouble } from '../../contract/desktop.ts';
import { writeFileAtomicallySync } from '../../store/atomic-file.ts';

/** An error in a loop must not fill the disk. */
const keptTroubles = 30;
const longestDetails = 20_000;
const fileName = /^\d+-\d+[.]json$/;

export interface TroublesOptions {
  dataDir: string;
  version: string;
  now: () => number;
}

/** One file each in `troubles/` of the data directory; the oldest go first. */
export class Troubles {
  readonly #dir: string;
  readonly #version: string;
  readonly #now: () => number;
  #count = 0;

  constructor({ dataDir, version, now }: TroublesOptions) {
    this.#dir = join(dataDir, 'troubles');
    this.#version = version;
    this.#now = now;
  }

  /** Written before it returns: the process may be about to end. */
  keep(kind: Trouble['kind'], message: string, details: string): string {
    this.#count += 1;
    const at = this.#now();
    const id = `${String(at)}-${String(this.#count)}`;
    const entry: Trouble = {
      id,
      at,
      kind,
      message: message.slice(0, 2000),
      details: details.slice(0, longestDetails),
      version: this.#version,
    };
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    writeFileAtomicallySync(join(this.#dir, `${id}.json`), JSON.stringify(entry));
    for (const old of this.#files().slice(keptTroubles)) rmSync(join(this.#dir, old));
    return id;
  }

  keepError(kind: Trouble['kind'], error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return this.keep(kind, message, inspect(error, { depth: 3, maxStringLength: 2000 }));
  }

  /** Newest first. A file that cannot be read as one is passed over. */
  list(): Trouble[] {
    return this.#files().flatMap((file) => {
      const read = trouble.safeParse(json(readFileSync(join(this.#dir, file), 'utf8')));
      return read.success ? [read.data] : [];
    });
  }

  removeAll(): number {
    const files = this.#files();
    for (const file of files) rmSync(join(this.#dir, file), { force: true });
    return files.length;
  }

  #files(): string[] {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const order = new Intl.Collator('en', { numeric: true });
    return readdirSync(this.#dir)
      .filter((file) => fileName.test(file))
      .toSorted((left, right) => order.compare(right, left));
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
