// Writing one large file at whatever end it is to lie: through a program where there is one, else part
// by part. What lies there after a break is the beginning of the file, but for its last `unsureBytes`.
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { brokenOutput } from '../../link/end-on-abort.ts';
import type { RemoteFile, RemoteProcess } from '../../link/node-link.ts';
import { writeFrom } from '../files/file-bytes.ts';
import { TransferError } from './errors.ts';
import { digestCommand } from './digests.ts';
import type { HashingEnd } from './far-side.ts';
import { HashingBeside, isHashedBeside } from './hashing-beside.ts';
import type { PartMemory } from './part-memory.ts';
import { given } from './parts.ts';

export interface Target {
  readonly path: string;
  /** So many bytes of it are there. */
  readonly start: number;
  /** That it is to have. */
  readonly size: number;
  readonly mode: number;
  readonly isHashed: boolean;
  /** Ends a program that writes, however long it hangs. */
  readonly signal: AbortSignal;
  /** What the parts lie in, given back when they are written. */
  readonly memory: PartMemory;
}

export interface Written {
  /** The size it then has. */
  readonly end: number;
  /** Of all of it; undefined where it has to be found out otherwise. */
  readonly hash: string | undefined;
}

export function writeLarge(
  to: HashingEnd,
  target: Target,
  source: AsyncIterable<Buffer>,
): Promise<Written> {
  return canSpawn(to, target.path) ? byProgram(to, target, source) : byParts(to, target, source);
}

function canSpawn({ root, tools }: HashingEnd, path: string): boolean {
  return root.nodeId !== undefined && tools.shell && !hasRawBytes(path);
}

/** More than all parts that are written at a time: one may be there before another that comes before it. */
const mostUnderWay = 8 * 1024 * 1024;

/** So much at the end of what lies there may have holes, when whoever wrote it was killed. */
export function unsureBytes(to: HashingEnd, path: string): number {
  return canSpawn(to, path) ? 0 : mostUnderWay;
}

async function byParts(
  to: HashingEnd,
  { path, start, size, isHashed, signal, memory }: Target,
  source: AsyncIterable<Buffer>,
): Promise<Written> {
  const { root, thread, digest } = to;
  await using file = await root.files.open(path, start === 0 ? 'w' : 'r+', 0o600);
  const isBeside = isHashed && isHashedBeside(to, size);
  using following = isBeside ? thread?.hashes.follow(path, digest, signal) : undefined;
  const isHere = thread !== undefined;
  const saving = new Saving(file, isHere ? { from: start, everyBytes: savedBytes } : undefined);
  const onWritten = (position: number) => {
    following?.advance(position);
    saving.advance(position);
  };
  const onTaken = (part: Uint8Array) => memory.giveBack(part);
  const options = { from: start, onWritten, onTaken, ...(isHere ? { ahead: writesHere } : {}) };
  const end = await writeFrom(file, options, source);
  const [hash] = await Promise.all([following?.finish(end), saving.finish()]);
  return { end, hash };
}

/** Of a file of this computer, so much goes to its disk at a time while more comes. */
const savedBytes = 32 * 1024 * 1024;
/** The system writes to one file one part after the other: more at once would only wait in its way. */
const writesHere = 2;

/** Has what is written brought to the disk on the way, so that little of it is waited for at the end. */
class Saving {
  readonly #file: Pick<RemoteFile, 'sync'>;
  readonly #everyBytes: number;
  #saved: number;
  #underway: Promise<void> | undefined;
  /** The system tells of a part that could not be written only once. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    file: Pick<RemoteFile, 'sync'>,
    { from, everyBytes } = { from: 0, everyBytes: Infinity },
  ) {
    this.#file = file;
    this.#everyBytes = everyBytes;
    this.#saved = from;
  }

  advance(position: number): void {
    if (this.#underway !== undefined || position - this.#saved < this.#everyBytes) return;
    this.#saved = position;
    this.#underway = this.#sync().finally(() => (this.#underway = undefined));
  }

  /** Resolves when all of it is on the disk. */
  async finish(): Promise<void> {
    await this.#underway;
    if (this.#failure === undefined) await this.#sync();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}

const append = 'umask 077; exec cat >> "$1"';

async function byProgram(
  to: HashingEnd,
  { path, start, size, isHashed, signal, memory }: Target,
  source: AsyncIterable<Buffer>,
): Promise<Written> {
  const { root, tools, digest } = to;
  const command = ['sh', '-c', append, 'sh', path];
  await using process = await root.spawn(command, { isBulk: true, signal });
  const isBeside = isHashed && isHashedBeside(to, size);
  const sum = isBeside ? digestCommand(tools, digest) : undefined;
  await using hashing =
    sum === undefined ? undefined : new HashingBeside(root, { path, digest, command: sum, signal });
  const output = brokenOutput(process);
  const words = new Words(process, { memory, output });
  let end = start;
  try {
    for await (const part of source) {
      end += part.length;
      await words.given(part);
      hashing?.advance(end);
    }
  } catch (error) {
    throw error instanceof EndedEarly ? failed(path, error.said) : error;
  }
  process.stdin.end();
  const { exitCode } = await Promise.race([process.ended, output]);
  if (exitCode !== 0) throw failed(path, words.complaint);
  return { end, hash: await hashing?.finish() };
}

/** The program is over while there was more to come. */
class EndedEarly extends Error {
  readonly said: string;
  constructor(said: string) {
    super('The program ended early.');
    this.said = said;
  }
}

const mostSaid = 4000;

/** Gives a program its input, and hears what it says meanwhile. */
class Words {
  complaint = '';
  readonly #process: RemoteProcess;
  readonly #memory: PartMemory;
  readonly #failure = Promise.withResolvers<never>();

  constructor(
    process: RemoteProcess,
    { memory, output }: { memory: PartMemory; output: Promise<never> },
  ) {
    this.#process = process;
    this.#memory = memory;
    this.#failure.promise.catch(() => undefined);
    process.stdout.resume();
    process.stderr.on('data', (bytes: Buffer) => {
      if (this.complaint.length < mostSaid) this.complaint += bytes.toString('utf8');
    });
    process.stdin.on('error', (error: Error) => this.#failure.reject(error));
    output.catch((error: unknown) => this.#failure.reject(error));
    process.ended.then(
      () => this.#failure.reject(new EndedEarly(this.complaint)),
      (error: unknown) => this.#failure.reject(error as Error),
    );
  }

  /** Resolves when there is room for more. */
  given(part: Buffer): Promise<void> {
    const broken = this.#failure.promise;
    return given(this.#process.stdin, part, { broken, memory: this.#memory });
  }
}

function failed(path: string, said: string): TransferError {
  const isFull = /No space left|quota/i.test(said);
  return new TransferError(
    isFull ? 'transfer/disk-full' : 'transfer/failed',
    isFull
      ? 'The disk at the other end is full. What was moved so far is kept to go on from.'
      : `${shownName(path)} could not be written (${shownName(said.trim().slice(0, 300))}).`,
    { retry: 'after-user-action' },
  );
}
