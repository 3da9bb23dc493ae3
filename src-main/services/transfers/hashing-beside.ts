// The hash of a file that is being written at another end, made there meanwhile by a program of its own.
// In one pipeline with the one that writes, each would wait for the other, 8 KiB at a time.
import { AppError } from '../../contract/errors.ts';
import { brokenOutput } from '../../link/end-on-abort.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import type { Root } from '../files/places.ts';
import { digestIn, type Digest } from './digests.ts';
import type { HashingEnd } from './far-side.ts';

/** Each time that more is told to be there, a program is started that reads it. */
const stepBytes = 16 * 1024 * 1024;
const mostSaid = 4000;
/** With fewer, what moves the file has all of them. */
const enoughCores = 4;

/**
 * Whether an end hashes a file while it is moved, and not when it is there: what moves it may need all of its
 * cores. Handed from one program to another, its bytes cost three times what it takes to read them once more
 * from memory.
 */
export function isHashedBeside(
  { tools, digest, thread }: Pick<HashingEnd, 'tools' | 'digest' | 'thread'>,
  size: number,
): boolean {
  const { cores } = tools;
  if (cores === 1 && thread === undefined) return false;
  const isCheap = digest.kind === 'gmac' && cores > 0 && cores < enoughCores;
  return !(isCheap && size <= tools.memoryBytes / 4);
}

/** For every line that it is given, it goes on to where the file ends by then. */
function textFor(command: string): string {
  const loop = 'while IFS= read -r _; do cat <&3 || exit 1; done; echo whole >&2';
  return `umask 077; : >> "$1" && exec 3< "$1" || exit 1; { ${loop}; } | ${command}`;
}

interface Following {
  readonly path: string;
  readonly digest: Digest;
  /** What makes it of its input. */
  readonly command: string;
  readonly signal: AbortSignal;
}

/** Whatever goes wrong with it, the file is there all the same: it is hashed afterwards. */
export class HashingBeside implements AsyncDisposable {
  readonly #process: Promise<RemoteProcess | undefined>;
  readonly #digest: Digest;
  #broken: Promise<never> | undefined;
  #output = '';
  #complaint = '';
  #told: number;

  constructor(root: Root, { path, digest, command, signal }: Following) {
    this.#told = 0;
    this.#digest = digest;
    const words = ['sh', '-c', textFor(command), 'sh', path];
    this.#process = root.spawn(words, { isBulk: true, signal }).then(
      (process) => this.#listen(process),
      () => undefined,
    );
  }

  /** So much was sent: most of it is there. */
  advance(to: number): void {
    if (to - this.#told < stepBytes) return;
    this.#told = to;
    void this.#process.then((process) => process?.stdin.write('\n'));
  }

  /** Of all that is there now, when nothing more comes. Undefined where it could not be made. */
  async finish(): Promise<string | undefined> {
    const process = await this.#process;
    const broken = this.#broken;
    if (process === undefined || broken === undefined) return undefined;
    process.stdin.end('\n');
    try {
      const { exitCode } = await Promise.race([process.ended, broken]);
      const isWhole = exitCode === 0 && this.#complaint.split('\n').includes('whole');
      return isWhole ? digestIn(this.#output, this.#digest) : undefined;
    } catch (error) {
      // With the link gone, whoever comes next will say so.
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const process = await this.#process;
    await process?.[Symbol.asyncDispose]();
  }

  #listen(process: RemoteProcess): RemoteProcess {
    this.#broken = brokenOutput(process);
    process.stdin.on('error', () => undefined);
    process.stdout.on('data', (bytes: Buffer) => {
      if (this.#output.length < mostSaid) this.#output += bytes.toString('latin1');
    });
    process.stderr.on('data', (bytes: Buffer) => {
      if (this.#complaint.length < mostSaid) this.#complaint += bytes.toString('latin1');
    });
    return process;
  }
}
