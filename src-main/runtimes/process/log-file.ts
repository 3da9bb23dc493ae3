// Reading a log file of the node from a position on, as fast as the reader takes it.
import { AppError } from '../../contract/errors.ts';
import type { NodeLink, RemoteFile, RemoteFiles } from '../../link/node-link.ts';
import { letGoBytes } from '../runtime.ts';
import { LogPosition } from './log-position.ts';

/** One read; large enough that the round trip does not matter. */
const readBytes = 256 * 1024;
/** Reads on their way at once: together at most 1 MiB in memory per log. */
const readsAhead = 4;

/** A log file opened for reading. */
interface LogFile extends AsyncDisposable {
  read(position: number, length: number): Promise<Buffer>;
  size(): Promise<number>;
}

/** Both log files of an attempt. */
export interface OpenLogs extends AsyncDisposable {
  /** What both have from `position` on, which moves with it, up to their ends as they are by then. */
  read(position: LogPosition, options: ReadOptions): AsyncIterable<LogPart>;
}

export interface LogPart {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  /** What came right before is not on the node any more. */
  readonly isAfterGap?: true;
}

/** Opens the log files in the directory of an attempt. */
export async function openLogs(link: NodeLink, directory: string): Promise<OpenLogs> {
  const open = await logFiles(link);
  const streams = ['stdout', 'stderr'] as const;
  const [stdout, stderr] = await Promise.all([
    open(`${directory}/stdout.log`),
    open(`${directory}/stderr.log`),
  ]);
  const files = { stdout, stderr };
  const sizes = await Promise.all([stdout.size(), stderr.size()]);
  // Less is never let go of.
  let gone = sizes[0] + sizes[1] < letGoBytes ? undefined : await goneFrom(link, directory);
  return {
    async *read(position, options) {
      for (const stream of streams) {
        if (gone !== undefined && position[stream] < gone[stream]) {
          position[stream] = gone[stream];
          yield { stream, bytes: Buffer.alloc(0), isAfterGap: true };
        }
        for await (const bytes of readToEnd(files[stream], position[stream], options)) {
          position[stream] += bytes.length;
          yield { stream, bytes };
        }
      }
      // From here on nothing goes before it was read.
      gone = undefined;
    },
    [Symbol.asyncDispose]: async () => {
      await stdout[Symbol.asyncDispose]();
      await stderr[Symbol.asyncDispose]();
    },
  };
}

/** Up to where the node has let go of its logs: reading there would give zeros. */
async function goneFrom(link: NodeLink, directory: string): Promise<LogPosition | undefined> {
  const { stdout } = await link.run(['cat', `${directory}/taken`]);
  const [line = ''] = stdout.toString().split('\n');
  return line === '' ? undefined : LogPosition.parse(line);
}

/** Opens log files over SFTP, or by commands where the node has no SFTP. */
async function logFiles(link: NodeLink): Promise<(path: string) => Promise<LogFile>> {
  const files = await sftpOf(link);
  if (files === undefined) return (path) => Promise.resolve(new CommandFile(link, path));
  return async (path) => sftpFile(await files.open(path, 'r'));
}

async function sftpOf(link: NodeLink): Promise<RemoteFiles | undefined> {
  try {
    return await link.files();
  } catch (error) {
    if (error instanceof AppError && link.isOpen) return undefined;
    throw error;
  }
}

function sftpFile(file: RemoteFile): LogFile {
  return {
    read: (position, length) => file.read(position, length),
    size: async () => (await file.stat()).size,
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

class CommandFile implements LogFile {
  readonly #link: NodeLink;
  readonly #path: string;

  constructor(link: NodeLink, path: string) {
    this.#link = link;
    this.#path = path;
  }

  async read(position: number, length: number): Promise<Buffer> {
    // Not tail: BusyBox's finds no place beyond 2 GiB.
    const script = '{ dd bs=1 "skip=$2" count=0 2>/dev/null; head -c "$3"; } <"$1"';
    const args = [this.#path, String(position), String(length)];
    return (await this.#link.runScript(script, args)).stdout;
  }

  async size(): Promise<number> {
    const result = await this.#link.run(['stat', '-c', '%s', this.#path]);
    return Number.parseInt(result.stdout.toString(), 10) || 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Nobody writes to it any more: its size need be asked for only once. */
  readonly isFinal: boolean;
}

/** Everything from `position` to the end as it is by then. */
async function* readToEnd(
  file: LogFile,
  position: number,
  options: ReadOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { signal, isFinal } = options;
  let at = position;
  do {
    signal.throwIfAborted();
    const end = await file.size();
    if (end <= at) return;
    for await (const bytes of readAhead(file, at, end)) {
      signal.throwIfAborted();
      at += bytes.length;
      yield bytes;
    }
  } while (!isFinal);
}

interface Pending {
  readonly at: number;
  readonly length: number;
  readonly bytes: Promise<Buffer>;
}

/** The bytes between two positions, with several reads under way. Ends early if the file is shorter. */
async function* readAhead(
  file: LogFile,
  from: number,
  end: number,
): AsyncGenerator<Buffer, void, undefined> {
  const pending: Pending[] = [];
  let next = from;
  const fill = () => {
    while (pending.length < readsAhead && next < end) {
      const length = Math.min(readBytes, end - next);
      const bytes = file.read(next, length);
      // One that fails after another did has nobody waiting for it.
      bytes.catch(() => undefined);
      pending.push({ at: next, length, bytes });
      next += length;
    }
  };
  fill();
  for (let first = pending.shift(); first !== undefined; first = pending.shift()) {
    let bytes = await first.bytes;
    for (let got = bytes.length; ; got += bytes.length) {
      // Shorter than its size said: somebody cut it.
      if (bytes.length === 0) return;
      yield bytes;
      if (got >= first.length) break;
      bytes = await file.read(first.at + got, first.length - got);
    }
    fill();
  }
}
