// From one node to another without this computer in between. Neither is given a key of ours: the sender
// makes one for this file, and the receiver an SSH server that takes that key for that file, on a port of
// its own, for as long as our link to it lasts (resources/node/receive-once.sh and send-once.sh).
import { sleep, type Timers } from '../../domain/clock.ts';
import { hasRawBytes, shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { readNodeScript } from '../../runtimes/node-scripts.ts';
import { digestCommand, digestIn, type Digest } from './digests.ts';
import { ItemError } from './errors.ts';
import type { HashingEnd } from './far-side.ts';
import { Lines } from './lines.ts';
import { watchSize } from './watch-size.ts';

/** Setting it up takes about as long as moving this much through this computer. */
export const leastDirectBytes = 32 * 1024 * 1024;
/** A script that is asked to end needs a moment to take away what it made; one that does not is killed. */
const longestEndMs = 5000;

export interface Direct {
  readonly from: HashingEnd;
  readonly to: HashingEnd;
  readonly item: Item;
  readonly start: number;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Hashes of all of it, made on the way. */
export interface DirectHashes {
  readonly source: string;
  readonly target: string;
}

/** Whether both are nodes that have what it takes, and not one and the same. */
export function mayGoDirect(from: HashingEnd, to: HashingEnd): boolean {
  const areNodes = from.root.place.kind === 'node' && to.root.place.kind === 'node';
  const haveDigest = [from, to].every(
    ({ tools, digest }) => digestCommand(tools, digest) !== undefined,
  );
  const isText = !hasRawBytes(from.directory) && !hasRawBytes(to.directory);
  return areNodes && haveDigest && isText && from.root.nodeId !== to.root.nodeId;
}

/** Resolves with undefined when they do not reach each other, or lack something. Throws LinkError when a link drops. */
export async function moveDirect(direct: Direct): Promise<DirectHashes | undefined> {
  const { from, to, item, start, signal } = direct;
  if (hasRawBytes(item.path)) return undefined;
  const [source, target] = [joinPath(from.directory, item.path), joinPath(to.directory, item.path)];
  const sending = await startScript(from, 'send-once.sh', [source, String(start + 1)]);
  await using _sender = ending(sending.process, direct.timers);
  const receiving = await startScript(to, 'receive-once.sh', [target, String(start)]);
  await using _receiver = ending(receiving.process, direct.timers);
  const abort = Promise.withResolvers<never>();
  abort.promise.catch(() => undefined);
  const onAbort = () => abort.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  const watching = new AbortController();
  try {
    signal.throwIfAborted();
    let seen = start;
    const watched = { files: to.root.files, path: target, timers: direct.timers };
    void watchSize(watched, watching.signal, (size) => {
      // It grew, or never ends.
      if (size > item.size) {
        abort.reject(new ItemError(shownName(item.path), 'It changed while it was read.'));
      } else if (size > seen) {
        direct.onBytes(size - seen);
        seen = size;
      }
    });
    const lost = [sending.lines.lost, receiving.lines.lost];
    return await Promise.race([
      conversation(sending, receiving, from.digest),
      ...lost,
      abort.promise,
    ]);
  } finally {
    watching.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * What the sender is told of the receiver's server: port, user, address, host key. The receiver may be
 * hostile, and `ssh` at the sender is given these words: nothing of them may read as an option.
 */
export function wayTo(said: string): string | undefined {
  return /^ready (\d{1,5} \w[\w.@-]{0,63} [\dA-Fa-f:][\dA-Fa-f:.]{1,44}(?:%\w[\w.-]{0,15})? ssh-ed25519 [\w+/=]{1,200})$/.exec(
    said,
  )?.[1];
}

interface Talking {
  readonly process: RemoteProcess;
  readonly lines: Lines;
}

async function startScript(
  { root, tools, digest }: HashingEnd,
  name: string,
  words: readonly string[],
): Promise<Talking> {
  const command = [
    'sh',
    '-c',
    readNodeScript(name),
    'sh',
    ...words,
    digestCommand(tools, digest) ?? '',
  ];
  const process = await root.spawn(command);
  process.stdin.on('error', () => undefined);
  return { process, lines: new Lines(process) };
}

async function conversation(
  sending: Talking,
  receiving: Talking,
  digest: Digest,
): Promise<DirectHashes | undefined> {
  const key = await sending.lines.next();
  if (key === undefined || !/^ssh-ed25519 [A-Za-z0-9+/=]+ once$/.test(key)) return undefined;
  receiving.process.stdin.write(`${key}\n`);
  const ready = wayTo((await receiving.lines.next()) ?? '');
  if (ready === undefined) return undefined;
  sending.process.stdin.write(`${ready}\n`);
  if ((await sending.lines.next()) !== 'sent') return undefined;
  const said: string[] = [];
  for (
    let line = await receiving.lines.next();
    line !== 'over';
    line = await receiving.lines.next()
  ) {
    if (line === undefined) return undefined;
    said.push(line);
  }
  const source = digestIn(sending.lines.complaint, digest);
  const target = digestIn(said.join('\n'), digest);
  const isWhole = said.includes('tee 0');
  return isWhole && source !== undefined && target !== undefined ? { source, target } : undefined;
}

/** Ends a script by its input, so that it takes away what it made; then its channel is closed. */
function ending(process: RemoteProcess, timers: Timers): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      process.stdin.end();
      const late = new AbortController();
      await Promise.race([
        process.ended.catch(() => undefined),
        sleep(timers, longestEndMs, late.signal).catch(() => undefined),
      ]);
      late.abort();
      await process[Symbol.asyncDispose]();
    },
  };
}
