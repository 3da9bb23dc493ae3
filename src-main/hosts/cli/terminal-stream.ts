// A terminal's stream on the command line: keys in, output out, the size along.
import type { ByteReader } from '../../contract/client.ts';
import type { FrameSource } from '../../contract/frame-source.ts';
import { TerminalFrames, type TerminalEnd } from '../../contract/terminal-frames.ts';
import type { Call } from './call.ts';
import { exitCodes } from './exit-codes.ts';
import { signalNumber } from './exit-codes.ts';

/** Standard input as chunks; leaving it stops reading. */
export type KeySource = AsyncIterable<Uint8Array>;

/**
 * Writes what comes to standard output and error until the program ends. Undefined when the stream
 * ended before it. With a screen to draw, each snapshot starts on a cleared one.
 */
export async function showOutput(
  call: Call,
  stream: ByteReader,
  { clears }: { clears: boolean },
): Promise<TerminalEnd | undefined> {
  const frames = new TerminalFrames();
  const { out, err } = call.io;
  let snapshots = 0;
  for await (const chunk of stream) {
    for (const frame of frames.push(chunk)) {
      if (frame.kind === 'data') await out.write(frame.bytes);
      else if (frame.kind === 'stderr') await err.write(frame.bytes);
      else if (frame.kind === 'ended') return frame.end;
      else if (frame.kind === 'snapshot') {
        snapshots += 1;
        if (clears || snapshots > 1) await out.write('\u001b[H\u001b[2J');
        await out.write(frame.bytes);
      }
    }
  }
  return undefined;
}

/** Sends the size whenever it changes. */
export function followSize(call: Call, source: FrameSource): Disposable | undefined {
  return call.io.terminal?.onResize((size) => {
    source.send({ kind: 'resize', ...size });
  });
}

/** The exit code of a program that ended. */
export function exitCodeOfEnd({ exitCode, signal, reason }: TerminalEnd): number {
  if (exitCode !== null) return exitCode;
  const number = signal === null ? undefined : signalNumber(signal);
  if (number !== undefined) return 128 + number;
  return reason === null ? exitCodes.done : exitCodes.failed;
}
