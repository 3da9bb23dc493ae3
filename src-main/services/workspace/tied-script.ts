// A script of ours that runs at a place for as long as somebody listens, and not a moment longer.
import { bytesOfText } from '../../domain/files/path-text.ts';
import { printable } from '../../link/quote.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { readNodeScript } from '../../runtimes/node-scripts.ts';
import type { Root } from '../files/places.ts';

/** More of its complaints is not kept. */
const mostComplaints = 16 * 1024;

export interface TiedScript extends AsyncDisposable {
  /** Throws the signal's reason when it is aborted, and what became of the link when that drops. */
  readonly output: AsyncIterable<Buffer>;
  readonly ended: RemoteProcess['ended'];
  /** What it says on standard error, up to some thousand characters. */
  complaints(): string;
}

/**
 * Starts `resources/node/NAME`, given arguments of any bytes. Disposing ends all it started; so does the
 * end of the link. An aborted signal ends it too: its output is over then.
 */
export async function startTied(
  root: Root,
  { name, args, signal }: { name: string; args: readonly string[]; signal: AbortSignal },
): Promise<TiedScript> {
  signal.throwIfAborted();
  const text = readNodeScript('workspace-tie.sh') + readNodeScript(name);
  const process = await root.spawn(['sh', '-c', text, 'sh']);
  process.ended.catch(() => undefined);
  process.stdin.on('error', () => undefined);
  const lines = args.map((arg) => `+${printable(bytesOfText(arg))}\n`);
  // The input stays open: it is the tie.
  process.stdin.write(`${lines.join('')}.\n`);
  const heard: Buffer[] = [];
  let size = 0;
  process.stderr.on('error', () => undefined);
  process.stderr.on('data', (chunk: Buffer) => {
    if (size < mostComplaints) heard.push(chunk);
    size += chunk.length;
  });
  const dispose = async () => {
    signal.removeEventListener('abort', onAbort);
    await process[Symbol.asyncDispose]();
  };
  const onAbort = () => {
    process.stdout.destroy();
    dispose().catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    output: untilAborted(process.stdout, signal),
    ended: process.ended,
    complaints: () => Buffer.concat(heard).toString('utf8').slice(0, mostComplaints),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A stream that is destroyed on purpose has not broken. */
async function* untilAborted(
  stream: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
