// Files of a container behind the interface that nodes' files have, through a small script that is
// run in it (resources/node/container-files.sh). It works in any image with a shell.
import { randomBytes } from 'node:crypto';
import { bytesOfText, shownName, textOfBytes } from '../../domain/files/path-text.ts';
import { isEntryName, joinPath, parentPath } from '../../domain/files/paths.ts';
import { bounded, FileError } from '../../link/errors.ts';
import type {
  DiskUse,
  FileEntry,
  FileStat,
  RemoteFile,
  RemoteFiles,
  RemoteProcess,
} from '../../link/node-link.ts';
import type { Timers } from '../../domain/clock.ts';
import { printBytes, quoteForShell } from '../../link/quote.ts';
import { readNodeScript } from '../node-scripts.ts';
import { fileErrorOf } from './container-file-errors.ts';
import { ContainerShells, type ShellAnswer } from './container-shells.ts';

/** Starts a program where the files are. */
export type Spawn = (
  command: readonly string[],
  options?: { signal?: AbortSignal },
) => Promise<RemoteProcess>;

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** What an order may answer, but for listings and reading. */
const longestAnswerBytes = 64 * 1024;
/** Listings up to that come in one answer. */
const shortListingBytes = 8 * 1024 * 1024;
/** What is read or written by a shell that stays; more has a program of its own. */
const mostReadByShell = 1024 * 1024;
const mostWrittenByShell = 8 * 1024;
/** Exit code of the script for a file that is not there when that is no failure. */
const nothingThere = 44;

interface Order {
  readonly words: readonly string[];
  readonly input?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number;
}

/** The files of one container, as its own user sees them. */
export class ContainerFiles implements RemoteFiles {
  readonly #spawn: Spawn;
  readonly #shells: ContainerShells;

  constructor(spawn: Spawn, timers: Timers) {
    this.#spawn = spawn;
    this.#shells = new ContainerShells({
      start: () => spawn(['sh']),
      prelude: `river_files() {\n${readNodeScript('container-files.sh')}\n}`,
      timers,
    });
  }

  async open(
    path: string,
    flags: 'r' | 'w' | 'wx' | 'r+' | 'a',
    mode = 0o644,
  ): Promise<RemoteFile> {
    await this.#run('create', path, { words: [octal(mode), flags] });
    return {
      read: (position, length) => this.#read(path, position, length),
      write: async (position, bytes) => {
        await this.#run('write', path, { words: [String(position)], input: bytes });
      },
      stat: () => this.#stat('follow', path),
      // What the container's disk does is its host's affair.
      sync: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  readFile(path: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Buffer> {
    return this.#read(path, 0, maxBytes);
  }

  async writeFileAtomically(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
    // Not the name and something: a name may be as long as names can be.
    const temporary = joinPath(parentPath(path), `.${randomBytes(8).toString('hex')}.part`);
    try {
      await this.#run('create', temporary, { words: [octal(mode), 'wx'] });
      await this.#run('write', temporary, { words: ['0'], input: bytes });
      await this.rename(temporary, path);
    } catch (error) {
      // Where that cannot be done either, it is the first failure that counts.
      await this.removeTree(temporary).catch(() => undefined);
      throw error;
    }
  }

  async stat(path: string, { follow = false } = {}): Promise<FileStat | undefined> {
    try {
      return await this.#stat(follow ? 'follow' : 'stat', path);
    } catch (error) {
      if (error instanceof FileError && error.code === 'link/file-not-found') return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<FileEntry[]> {
    const entries: FileEntry[] = [];
    for await (const batch of this.listInBatches(path)) entries.push(...batch);
    return entries;
  }

  async *listInBatches(path: string): AsyncGenerator<FileEntry[]> {
    const listed = await this.#ask('list', path, { words: [], maxBytes: shortListingBytes });
    if (listed.isTruncated) yield* this.#listLong(path);
    else {
      if (listed.exitCode !== 0) throw fileErrorOf(listed.stderr.toString('utf8'), path);
      const batch = new ListingCutter().push(listed.stdout);
      if (batch.length > 0) yield batch;
    }
  }

  async *#listLong(path: string): AsyncGenerator<FileEntry[]> {
    const process = await this.#start('list', path, { words: [] });
    process.stdin.end();
    const complaint = collected(process.stderr, longestAnswerBytes);
    complaint.catch(() => undefined);
    const cutter = new ListingCutter();
    try {
      for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
        const batch = cutter.push(chunk);
        if (batch.length > 0) yield batch;
      }
      const { exitCode } = await process.ended;
      if (exitCode !== 0) throw fileErrorOf((await complaint).toString('utf8'), path);
    } finally {
      await process.end();
    }
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    await this.#run('mkdir', path, { words: [octal(mode)] });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#run('rename', from, { words: [encoded(to)] });
  }

  async remove(path: string): Promise<void> {
    await this.#run('remove', path);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#run('rmdir', path);
  }

  async removeTree(path: string, signal?: AbortSignal): Promise<void> {
    await this.#run('tree', path, { words: [], signal });
  }

  async setMode(path: string, mode: number): Promise<void> {
    await this.#run('chmod', path, { words: [octal(mode)] });
  }

  async setModified(path: string, modifiedAt: number): Promise<void> {
    await this.#run('touch', path, { words: [String(modifiedAt)] });
  }

  async makeLink(path: string, target: string): Promise<void> {
    await this.#run('link', path, { words: [encoded(target)] });
  }

  async readLink(path: string): Promise<string> {
    return textOfBytes(await this.#run('readlink', path));
  }

  async realPath(path: string): Promise<string> {
    return textOfBytes((await this.#run('realpath', path)).subarray(0, -1));
  }

  async diskUse(path: string): Promise<DiskUse | undefined> {
    const line = (await this.#run('df', path)).toString('latin1').trim();
    const [, total, , free] = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+\d+%/.exec(line) ?? [];
    if (total === undefined || free === undefined) return undefined;
    return { totalBytes: Number(total) * 1024, freeBytes: Math.max(0, Number(free)) * 1024 };
  }

  async #read(path: string, position: number, length: number): Promise<Buffer> {
    const words = [String(position), String(length)];
    return this.#run('read', path, { words, maxBytes: length });
  }

  async #stat(order: 'stat' | 'follow', path: string): Promise<FileStat> {
    const answer = (await this.#run(order, path)).toString('latin1').trim();
    const stat = statOf(answer);
    if (stat === undefined) throw unreadable(path, answer);
    return stat;
  }

  #start(order: string, path: string, { words, signal }: Order): Promise<RemoteProcess> {
    const script = readNodeScript('container-files.sh');
    const command = ['sh', '-c', script, 'sh', order, encoded(path), ...words];
    return this.#spawn(command, signal === undefined ? {} : { signal });
  }

  async #run(order: string, path: string, what: Order = { words: [] }): Promise<Buffer> {
    const isShort =
      (what.maxBytes ?? 0) <= mostReadByShell && (what.input?.length ?? 0) <= mostWrittenByShell;
    if (!isShort) return this.#runAlone(order, path, what);
    const { exitCode, stdout, stderr } = await this.#ask(order, path, what);
    if (exitCode === 0) return stdout;
    throw fileErrorOf(exitCode === nothingThere ? notThere : stderr.toString('utf8'), path);
  }

  /** By a shell that stays. */
  #ask(order: string, path: string, what: Order): Promise<ShellAnswer> {
    const words = quoteForShell([order, encoded(path), ...what.words]);
    const body = `( river_files ${words} )`;
    const { input, signal, maxBytes = longestAnswerBytes } = what;
    const isEmpty = input === undefined || input.length === 0;
    const text = isEmpty ? `${body} </dev/null` : `${printBytes(input)} | ${body}`;
    return this.#shells.run({ text, maxBytes, signal });
  }

  async #runAlone(order: string, path: string, what: Order): Promise<Buffer> {
    const process = await this.#start(order, path, what);
    process.stdin.on('error', () => undefined);
    process.stdin.end(what.input ?? Buffer.alloc(0));
    const [answer, complaint, { exitCode }] = await Promise.all([
      collected(process.stdout, what.maxBytes ?? longestAnswerBytes),
      collected(process.stderr, longestAnswerBytes),
      process.ended,
    ]);
    if (exitCode === 0) return answer;
    const said = exitCode === nothingThere ? notThere : complaint.toString('utf8');
    throw fileErrorOf(said, path);
  }
}

const notThere = 'No such file or directory';

/** The path for printf's %b: any byte survives the Engine's JSON and the shell. */
function encoded(path: string): string {
  let text = '';
  for (const byte of bytesOfText(path)) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
  }
  return text;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

async function collected(stream: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let room = limit;
  for await (const chunk of stream) {
    if (room > 0) parts.push(chunk.subarray(0, room));
    room -= chunk.length;
  }
  return Buffer.concat(parts);
}

const kinds: Readonly<Record<number, FileStat['kind']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'link',
};

/** Reads `%f %s %u %g %Y` of stat. */
function statOf(text: string): FileStat | undefined {
  const match = /^([0-9a-f]{1,8}) (\d{1,16}) (\d{1,10}) (\d{1,10}) (-?\d{1,12})$/.exec(text);
  if (match === null) return undefined;
  const [, mode = '', ...numbers] = match;
  const [size = 0, uid = 0, gid = 0, modifiedAt = 0] = numbers.map(Number);
  const bits = parseInt(mode, 16);
  const kind = kinds[bits & 0o170000] ?? 'other';
  return { kind, size, mode: bits & 0o7777, uid, gid, modifiedAt };
}

/** Cuts `mode size uid gid time/./name/` and a line end, over and over; a name has no slash in it. */
class ListingCutter {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): FileEntry[] {
    let bytes = Buffer.concat([this.#rest, chunk]);
    const entries: FileEntry[] = [];
    for (;;) {
      const dot = bytes.indexOf('/./');
      const end = dot < 0 ? -1 : bytes.indexOf('/\n', dot + 3);
      if (end < 0) break;
      const stat = statOf(bytes.toString('latin1', 0, dot));
      const name = textOfBytes(bytes.subarray(dot + 3, end));
      if (stat !== undefined && isEntryName(name)) entries.push({ name, ...stat });
      bytes = bytes.subarray(end + 2);
    }
    this.#rest = bytes;
    return entries;
  }
}

function unreadable(path: string, answer: string): FileError {
  const shown = shownName(path);
  return new FileError('link/file-failed', `What the container says of ${shown} makes no sense.`, {
    details: { path: shown, reason: bounded(answer) },
  });
}
