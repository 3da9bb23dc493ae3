// One program run to its end at a place, its bytes as frames.
import type { Readable } from 'node:stream';
import { encodeTerminalFrame, type TerminalFrame } from '../../contract/terminal-frames.ts';
import type { ExecInput } from '../../contract/terminals.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { Handoff } from './handoff.ts';
import { findPlace } from './places.ts';
import type { TerminalParts } from './ports.ts';
import { readInput } from './read-input.ts';

/**
 * Output no faster than it is taken, nothing of it dropped; last how it ended. Whoever leaves
 * before hangs up on the program. Throws what finding the place or starting it throws.
 */
export async function* execStream(
  parts: TerminalParts,
  { target, command, size, stdin }: ExecInput,
  io: { incoming: AsyncIterable<Uint8Array>; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const place = await findPlace(parts, target);
  const mark = parts.newMark();
  const process = await place.start({ command, size, stdin, mark });
  const output = new Handoff<TerminalFrame>();
  const abandon = () => output.close();
  io.signal.addEventListener('abort', abandon, { once: true });
  if (io.signal.aborted) abandon();
  let isOver = false;
  try {
    if (!stdin) process.stdin.end();
    void readInput(io.incoming, inputOf(process, stdin));
    const pumps = [
      pump(process.stdout, (bytes) => output.put({ kind: 'data', bytes })),
      pump(process.stderr, (bytes) => output.put({ kind: 'stderr', bytes })),
    ];
    // A failure is told by `ended`, which is asked below.
    void Promise.allSettled(pumps).then(() => output.close());
    for await (const frame of output) yield encodeTerminalFrame(frame);
    if (hasLeft(io.signal)) return;
    const { exitCode, signal } = await process.ended;
    isOver = true;
    yield encodeTerminalFrame({ kind: 'ended', end: { exitCode, signal, reason: null } });
  } finally {
    io.signal.removeEventListener('abort', abandon);
    output.close();
    if (!isOver) await hangUp(parts, process);
  }
}

function inputOf(process: RemoteProcess, takesInput: boolean) {
  return {
    input: async (bytes: Uint8Array) => {
      if (!takesInput || process.stdin.destroyed || process.stdin.writableEnded) return;
      if (!process.stdin.write(bytes)) await drainedOrGone(process);
    },
    resize: ({ columns, rows }: { columns: number; rows: number }) => process.resize(columns, rows),
    eof: () => void process.stdin.end(),
  };
}

/** Resolves when the input takes more, or will never. */
export function drainedOrGone({ stdin, ended }: RemoteProcess): Promise<void> {
  return new Promise((resolve) => {
    const over = () => resolve();
    stdin.once('drain', over);
    stdin.once('close', over);
    stdin.once('error', over);
    ended.then(over, over);
  });
}

async function pump(source: Readable, put: (bytes: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of source) await put(chunk as Buffer);
}

async function hangUp(parts: TerminalParts, process: RemoteProcess): Promise<void> {
  try {
    await process.end('SIGHUP');
    await process[Symbol.asyncDispose]();
  } catch (error) {
    parts.log.debug({ err: error }, 'a program that was left could not be ended');
  }
}

/** Asked anew after each wait. */
function hasLeft(signal: AbortSignal): boolean {
  return signal.aborted;
}
