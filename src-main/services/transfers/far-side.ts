// One end of a transfer: its files, and what its programs can do faster.
import { hash } from 'node:crypto';
import { availableParallelism, totalmem } from 'node:os';
import { bytesOfText, hasRawBytes } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { isPlainName, smallFileBytes, type Item } from '../../domain/transfers/plan.ts';
import { eachOf } from '../../link/file-trees.ts';
import type { RemoteFile, RemoteProcess, SpawnOptions } from '../../link/node-link.ts';
import { readAhead } from '../files/file-bytes.ts';
import type { Root } from '../files/places.ts';
import {
  digestCommand,
  digestIn,
  gmacTrial,
  isGmacMadeHere,
  sha256,
  startDigest,
  type Digest,
  type DigestPrograms,
} from './digests.ts';
import { ItemError } from './errors.ts';
import type { LocalThread } from './here/local-thread.ts';

/** Programs that make a difference; without them everything goes file by file. */
export interface Tools extends DigestPrograms {
  readonly tar: boolean;
  /** It is GNU's. */
  readonly gnuTar: boolean;
  /** The same, given names by `xargs`. */
  readonly xargs: boolean;
  readonly shell: boolean;
  /** A find that prints what is asked of it (GNU's). */
  readonly find: boolean;
  /** The version of an rsync that can move what differs, as 30207 for 3.2.7. */
  readonly rsync: number | undefined;
  /** Processor cores; 0 where it is not known. */
  readonly cores: number;
  /** 0 where it is not known. */
  readonly memoryBytes: number;
}

const none: Tools = {
  tar: false,
  gnuTar: false,
  digest: undefined,
  gmac: false,
  xargs: false,
  shell: false,
  find: false,
  rsync: undefined,
  cores: 0,
  memoryBytes: 0,
};
/** OpenSSL uses what processors have for it, four times as fast as GNU's own; it is tried, as some forbid it. */
const look = `for t in tar sha256sum xargs; do command -v "$t" >/dev/null 2>&1 && echo "$t"; done
case $(printf x | openssl dgst -sha256 -r 2>/dev/null) in
  2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881*) echo openssl;;
esac
${gmacTrial}
case $(tar --version 2>/dev/null) in *'GNU tar'*) echo gnutar;; esac
find / -maxdepth 0 -printf 'find\\n' 2>/dev/null
rsync --version 2>/dev/null | sed -n '1s/^rsync  *version \\([0-9.]*\\).*/rsync \\1/p'
echo "cores $(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null)"
echo "memory $(sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo 2>/dev/null)"
echo sh`;
const digests = { openssl: 'openssl dgst -sha256 -r', sha256sum: 'sha256sum' } as const;

/** Files read at once to be hashed here. */
const lanes = 12;
/** More than that is not read back over the way only to be hashed here. */
const mostReadBackBytes = 64 * 1024 * 1024;

/** What programs are there. A place that cannot run any has none. */
export async function findTools(root: Root): Promise<Tools> {
  try {
    const { output } = await runThere(root, ['sh', '-c', look]);
    const words = new Set(output.toString('latin1').split('\n'));
    const own = { tar: words.has('tar'), rsync: rsyncVersionIn(words) };
    // Here, files are read and written without a program as fast; only many small ones are not.
    if (root.nodeId === undefined)
      return { ...none, ...own, gmac: isGmacMadeHere(), ...processorsHere() };
    const program = (['openssl', 'sha256sum'] as const).find((name) => words.has(name));
    const digest = program === undefined ? undefined : digests[program];
    return {
      ...own,
      digest,
      gnuTar: words.has('gnutar'),
      gmac: words.has('gmac'),
      xargs: words.has('xargs'),
      shell: words.has('sh'),
      find: words.has('find'),
      cores: numberAfter('cores', words),
      memoryBytes: numberAfter('memory', words) * 1024,
    };
  } catch {
    // An account without a shell still has its files.
    return none;
  }
}

function processorsHere(): Pick<Tools, 'cores' | 'memoryBytes'> {
  return { cores: availableParallelism(), memoryBytes: totalmem() };
}

function numberAfter(what: string, words: ReadonlySet<string>): number {
  for (const word of words) {
    const [name, value = ''] = word.split(' ');
    if (name === what && /^\d{1,15}$/.test(value)) return Number(value);
  }
  return 0;
}

function rsyncVersionIn(words: ReadonlySet<string>): number | undefined {
  for (const word of words) {
    const match = /^rsync (\d{1,3})\.(\d{1,2})\.(\d{1,2})/.exec(word);
    if (match !== null)
      return Number(match[1]) * 10_000 + Number(match[2]) * 100 + Number(match[3]);
  }
  return undefined;
}

/** Runs a program, gives it its input, and takes what it says. */
export async function runThere(
  root: Root,
  command: readonly string[],
  { input = new Uint8Array(), ...options }: SpawnOptions & { input?: Uint8Array } = {},
): Promise<{ output: Buffer; exitCode: number | null; complaint: string }> {
  const process = await root.spawn(command, options);
  process.stdin.on('error', () => undefined);
  process.stdin.end(input);
  const [output, complaint, { exitCode }] = await Promise.all([
    collected(process.stdout),
    collected(process.stderr, longestComplaintBytes),
    process.ended,
  ]);
  return { output, exitCode, complaint: complaint.toString('utf8').slice(0, 1000) };
}

const longestOutputBytes = 256 * 1024 * 1024;
const longestComplaintBytes = 4096;

async function collected(
  stream: AsyncIterable<Buffer>,
  most = longestOutputBytes,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size - part.length < most) parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Text that a program says about itself, gathered beside its output. */
export function complaintOf(process: RemoteProcess): Promise<string> {
  const all = collected(process.stderr, longestComplaintBytes).then((bytes) =>
    bytes.toString('utf8').slice(0, 1000),
  );
  all.catch(() => undefined);
  return all;
}

/** Whether a tar program there can be told to read this file by a list of names. */
export function canTar(item: Item, directory: string): boolean {
  return isPlainName(item.path) && !hasRawBytes(directory);
}

/** One end, as far as its files are hashed. */
export interface HashingEnd {
  readonly root: Root;
  readonly tools: Tools;
  readonly directory: string;
  /** Of large files; the same at both ends. Of small ones it is SHA-256. */
  readonly digest: Digest;
  /** Of this computer only; without it, its files are worked on where everything else is. */
  readonly thread: LocalThread | undefined;
}

/**
 * Digests of files below the end's folder, in the order asked, in hexadecimal. Undefined for one that
 * cannot be had there without carrying all of it here. Throws where a file cannot be read. `signal` ends
 * the programs that read, and then what they had not read yet is undefined.
 */
export async function hashesOf(
  end: HashingEnd,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<(string | undefined)[]> {
  const known = new Map<Item, string | undefined>();
  const isLarge = ({ size }: Item) => size > smallFileBytes;
  for (const [digest, some] of [
    [sha256, items.filter((item) => !isLarge(item))],
    [end.digest, items.filter(isLarge)],
  ] as const) {
    const command = listingCommand(end, digest);
    const listed = command === undefined ? [] : some.filter(({ path }) => isPlainName(path));
    if (command === undefined || listed.length === 0) continue;
    const found = await hashThere(end, { items: listed, command, digest, signal });
    listed.forEach((item, index) => known.set(item, found[index]));
  }
  const unlisted = items.filter((item) => !known.has(item));
  await hashUnlisted(end, { items: unlisted, known, signal });
  return items.map((item) => known.get(item));
}

/** Those that no program there hashes. */
async function hashUnlisted(
  end: HashingEnd,
  {
    items,
    known,
    signal,
  }: { items: readonly Item[]; known: Map<Item, string | undefined>; signal: AbortSignal },
): Promise<void> {
  const { root, directory, thread } = end;
  const isTogether = ({ size }: Item) => thread !== undefined && size <= smallFileBytes;
  const together = items.filter(isTogether);
  const files = together.map(({ path, size }) => ({ path: joinPath(directory, path), size }));
  const found = await thread?.hashes.ofEach(files, signal);
  together.forEach((item, index) => known.set(item, found?.[index]));
  const isHere = root.nodeId === undefined;
  const alone = items.filter((item) => !isTogether(item));
  const worthIt = alone.filter(({ size }) => isHere || size <= mostReadBackBytes);
  await eachOf(worthIt, lanes, async (item) => {
    known.set(item, await hashByReading(end, item, signal));
  });
}

/** What prints a line for each of the files whose names it is given; undefined where nothing does. */
function listingCommand({ tools, directory }: HashingEnd, digest: Digest): string | undefined {
  const command = digestCommand(tools, digest);
  if (command === undefined || !tools.xargs || hasRawBytes(directory)) return undefined;
  if (digest.kind === 'sha256') return command;
  return `sh -c 'for f; do printf "%s *%s\\n" "$(${command} < "$f")" "$f"; done' sh`;
}

interface Listed {
  readonly items: readonly Item[];
  readonly command: string;
  readonly digest: Digest;
  readonly signal: AbortSignal;
}

async function hashThere(
  { root, directory }: HashingEnd,
  { items, command: each, digest, signal }: Listed,
): Promise<(string | undefined)[]> {
  const names = items.map(({ path }) => Buffer.concat([bytesOfText(`./${path}`), Buffer.alloc(1)]));
  const text = `cd "$1" && LC_ALL=C exec xargs -0 ${each}`;
  const command = ['sh', '-c', text, 'sh', directory];
  const { output } = await runThere(root, command, {
    input: Buffer.concat(names),
    signal,
  });
  // A name that cannot be read has no line: then the lines fit no more, and each is found by its name.
  const byName = new Map<string, string>();
  for (const line of output.toString('latin1').split('\n')) {
    const found = digestIn(line, digest);
    if (found !== undefined) byName.set(line.slice(found.length + 2), found);
  }
  return items.map(({ path }) =>
    byName.get(Buffer.from(bytesOfText(`./${path}`)).toString('latin1')),
  );
}

async function hashByReading(
  { root, thread, digest, directory }: HashingEnd,
  { path: below, size }: Item,
  signal: AbortSignal,
): Promise<string> {
  const path = joinPath(directory, below);
  if (size <= smallFileBytes) {
    return hash('sha256', await root.files.readFile(path, size + 1), 'hex');
  }
  if (thread !== undefined) return thread.hashes.of(path, { end: Infinity, digest, signal });
  await using file = await root.files.open(path, 'r');
  return await hashOfFile(file, { digest, signal, end: Infinity });
}

/** Of the first `end` bytes of a file. */
async function hashOfFile(
  file: Pick<RemoteFile, 'read'>,
  { digest, signal, end }: { digest: Digest; signal: AbortSignal; end: number },
): Promise<string> {
  const sum = startDigest(digest);
  for await (const bytes of readAhead(file, 0, { end })) {
    signal.throwIfAborted();
    sum.update(bytes);
  }
  return sum.finish();
}

/** Digest of the first bytes of a large file; undefined where it cannot be had without carrying them here. */
export async function hashOfStart(
  { root, tools, thread, digest }: HashingEnd,
  path: string,
  { bytes, signal }: { bytes: number; signal: AbortSignal },
): Promise<string | undefined> {
  if (thread !== undefined) return thread.hashes.of(path, { end: bytes, digest, signal });
  if (bytes <= mostReadBackBytes / 16) {
    await using file = await root.files.open(path, 'r');
    return await hashOfFile(file, { digest, signal, end: bytes });
  }
  const command = digestCommand(tools, digest);
  if (command === undefined || hasRawBytes(path)) return undefined;
  const text = `head -c "$2" < "$1" | ${command}`;
  const { output } = await runThere(root, ['sh', '-c', text, 'sh', path, String(bytes)], {
    signal,
  });
  return digestIn(output.toString('latin1'), digest);
}

/** Of what a file's reading can fail with: it vanished, or may not be read. */
export function asItemError(path: string, error: unknown): unknown {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('link/file-')
    ? new ItemError(path, error.message, error)
    : error;
}
