// What differs of a large file, where an older version of it is to be replaced: found by the rsync of both
// ends, which talk through the links there are. Its client runs on this computer where that is one end,
// else where the file lies; what it starts in the place of `ssh` only passes bytes on. The new version
// grows beside the older one, which is read and never written to.
import type { Timers } from '../../domain/clock.ts';
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { baseName, joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { ItemError } from './errors.ts';
import { complaintOf, runThere, type HashingEnd } from './far-side.ts';
import { PartMemory } from './part-memory.ts';
import { given, inParts } from './parts.ts';
import type { Older } from './small-files.ts';
import { watchSize } from './watch-size.ts';

/** Below, the whole is there as soon as the differences are known. */
const leastBytes = 8 * 1024 * 1024;
/** An older version of less than this part of the new one saves little. */
const leastShare = 1 / 4;
/** After so much, it is looked whether the older version is of any use. */
const judgedBytes = 64 * 1024 * 1024;
const uselessShare = 0.9;
/** The first rsync that refuses names it did not ask for (CVE-2022-29154): others may receive from us only. */
const carefulVersion = 30_205;
const leastVersion = 30_000;

export interface Delta {
  readonly from: HashingEnd;
  readonly to: HashingEnd;
  readonly item: Item;
  readonly older: Older;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Called for all that goes over the way, before it goes on; waits where a rate is set. */
  readonly onBytes: (bytes: number) => Promise<void> | undefined;
  /** Told now and then how much of the new version is there. */
  readonly onSize: (size: number) => void;
}

export type DeltaOutcome =
  | { readonly kind: 'moved' }
  /** What is there is its beginning. */
  | { readonly kind: 'whole-instead'; readonly why: string; readonly isBroken: boolean };

/** Whether both ends have what it takes, and the older version may save something. */
export function mayMoveDelta(
  from: HashingEnd,
  to: HashingEnd,
  { item, older }: Pick<Delta, 'item' | 'older'>,
): boolean {
  const isFromHere = from.root.nodeId === undefined;
  if (isFromHere && to.root.nodeId === undefined) return false;
  const isWorthIt = item.size >= leastBytes && older.size >= item.size * leastShare;
  const [sends, receives] = [from.tools.rsync ?? 0, to.tools.rsync ?? 0];
  const haveRsync =
    sends >= leastVersion && receives >= (isFromHere ? leastVersion : carefulVersion);
  const paths = [from.directory, to.directory, item.path, older.path];
  return isWorthIt && haveRsync && !paths.some(hasRawBytes);
}

/** Throws LinkError when a link drops; what has arrived by then is the beginning of the new version. */
export async function moveDelta(delta: Delta): Promise<DeltaOutcome> {
  const { to, item } = delta;
  // Its own name once more: nothing that is moved is called that.
  const folder = joinPath(to.directory, baseName(to.directory));
  const target = joinPath(to.directory, item.path);
  if (!(await makeBasis(delta, folder, target))) {
    return instead('its older version could not be set aside', false);
  }
  const outcome = await exchange(delta, folder, target);
  await to.root.files.removeTree(folder);
  if (outcome.kind !== 'moved') return outcome;
  const there = await to.root.files.stat(target);
  return there?.size === item.size ? outcome : instead('rsync made another size of it', true);
}

function instead(why: string, isBroken: boolean): DeltaOutcome {
  return { kind: 'whole-instead', why, isBroken };
}

/**
 * What an earlier run has of the new version comes first: what is found in it need not be moved again.
 * The run before may have been broken off before it had as much as the one before that: then the basis is
 * left as it is.
 */
const basisText = `umask 077
test -f "$2" && mkdir -p "$3/.next" || exit 1
basis=$3/$4 next=$3/.next/$4
size() { if test -f "$1"; then wc -c <"$1"; else echo 0; fi; }
new=$(size "$1") had=$(($(size "$basis") - $(size "$2")))
if test "$new" -gt 0 && test "$new" -gt "$had"
then cat "$1" "$2" >"$next" && mv -f "$next" "$basis" || { rm -f "$next"; exit 1; }
elif ! test -f "$basis"
then ln "$2" "$basis" 2>/dev/null || { cp "$2" "$next" && mv -f "$next" "$basis"; } || { rm -f "$next"; exit 1; }
fi
rm -f "$1"`;

/** rsync takes as basis what has the name of the target in a folder it is told of. */
async function makeBasis(
  { to, older, signal }: Delta,
  folder: string,
  target: string,
): Promise<boolean> {
  const words = [target, older.path, folder, baseName(target)];
  const made = await runThere(to.root, ['sh', '-c', basisText, 'sh', ...words], { signal });
  signal.throwIfAborted();
  return made.exitCode === 0;
}

/** Nothing writes more than the file has, whatever it is told by the other end; nobody's settings count. */
const bounded = `ulimit -f "$1" 2>/dev/null || :
shift
unset RSYNC_RSH RSYNC_ICONV RSYNC_PARTIAL_DIR RSYNC_PROTECT_ARGS RSYNC_OLD_ARGS RSYNC_CHECKSUM_LIST RSYNC_COMPRESS_LIST`;
const serverText = `${bounded}
exec rsync "$@"`;
const clientText = `${bounded}
exec 3<&0 4>&1
exec rsync "$@" </dev/null >/dev/null`;
/** In the place of ssh: given to the client's output, and taken from its input. It ends as ssh does, with the server. */
const passOn = `sh -c 'exec 5<&0; cat <&5 >&4 & exec cat <&3 4>&- 5<&-'`;

async function exchange(delta: Delta, folder: string, target: string): Promise<DeltaOutcome> {
  const { from, to, item } = delta;
  const source = joinPath(from.directory, item.path);
  const basis = `--compare-dest=${folder}`;
  const client = ['-I', '--inplace', '--no-whole-file', '--blocking-io', '-e', passOn];
  // What a server has to know in any version from 3.0 on. An «e.» without letters asks for nothing newer.
  const server = ['--server', '-Ie.', '--inplace'];
  const isPulled = to.root.nodeId === undefined;
  const near = isPulled
    ? [...client, basis, '--', `there:${source}`, target]
    : [...client, '--', source, 'there:'];
  const far = isPulled
    ? ['--server', '--sender', '-Ie.', '.', source]
    : [...server, basis, '.', target];
  const most = String(Math.floor(item.size / 512) + 1);
  const start = (end: HashingEnd, text: string, words: readonly string[]) =>
    end.root.spawn(['sh', '-c', text, 'sh', most, ...words], {
      isBulk: true,
      signal: delta.signal,
    });
  await using a = await start(isPulled ? to : from, clientText, near);
  await using b = await start(isPulled ? from : to, serverText, far);
  return await talk(delta, { client: a, server: b, target });
}

interface Talking {
  readonly client: RemoteProcess;
  readonly server: RemoteProcess;
  readonly target: string;
}

async function talk(delta: Delta, { client, server, target }: Talking): Promise<DeltaOutcome> {
  const { signal, onBytes } = delta;
  const early = Promise.withResolvers<DeltaOutcome>();
  early.promise.catch(() => undefined);
  const onAbort = () => early.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  const over = new AbortController();
  let moved = 0;
  const count = (bytes: number) => {
    moved += bytes;
    return onBytes(bytes);
  };
  try {
    signal.throwIfAborted();
    for (const pair of [[client, server] as const, [server, client] as const]) {
      relay(...pair, count).catch((error: unknown) => early.reject(error as Error));
    }
    void watch(delta, target, { signal: over.signal, moved: () => moved, early });
    const ends = [failureOf(client), failureOf(server)];
    const both = Promise.all(ends).then((whys) => outcomeOf(whys.find((why) => why !== undefined)));
    const first = ends.map(async (end) => outcomeOf((await end) ?? (await forEver())));
    return await Promise.race([both, ...first, early.promise]);
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

function outcomeOf(failure: string | undefined): DeltaOutcome {
  return failure === undefined ? { kind: 'moved' } : instead(failure, true);
}

function forEver(): Promise<never> {
  return new Promise(() => undefined);
}

/** Undefined when it ended well. Rejects with a LinkError when its link drops. */
async function failureOf(process: RemoteProcess): Promise<string | undefined> {
  const complaint = complaintOf(process);
  const { exitCode, signal } = await process.ended;
  if (exitCode === 0) return undefined;
  const said = shownName((await complaint).trim().slice(0, 300));
  return `rsync ended with ${String(exitCode ?? signal)} (${said})`;
}

/** What one says is given to the other, no faster than that takes it. Who has said all needs no more, either. */
async function relay(
  { stdout, stdin }: RemoteProcess,
  to: RemoteProcess,
  count: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  const gone = to.ended.then(() => Promise.reject(new Gone()));
  gone.catch(() => undefined);
  const memory = new PartMemory();
  try {
    for await (const part of inParts(stdout, memory)) {
      await count(part.length);
      await given(to.stdin, part, { broken: gone, memory });
    }
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
  to.stdin.end();
  stdin.end();
}

/** Nobody is there any more to be given anything. */
class Gone extends Error {}

async function watch(
  { to, item, timers, onSize }: Delta,
  path: string,
  until: {
    signal: AbortSignal;
    moved: () => number;
    early: Pick<PromiseWithResolvers<DeltaOutcome>, 'resolve' | 'reject'>;
  },
): Promise<void> {
  const { signal, moved, early } = until;
  await watchSize({ files: to.root.files, path, timers }, signal, (size) => {
    onSize(size);
    if (size > item.size) {
      early.reject(new ItemError(shownName(item.path), 'It changed while it was read.'));
    } else if (size >= judgedBytes && moved() > size * uselessShare) {
      early.resolve(instead('hardly anything of its older version is in it', false));
    }
  });
}
