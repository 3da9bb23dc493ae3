import { FrameSource } from '../../../contract/frame-source.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { findTarget } from '../terminal-target.ts';
import { exitCodeOfEnd, followSize, showOutput } from '../terminal-stream.ts';

export interface ExecOptions {
  interactive?: boolean;
  tty?: boolean;
}

/** `terminal exec`: one program, its output and its exit code. */
export async function execThere(
  call: Call<ExecOptions>,
  reference: string,
  command: readonly string[],
): Promise<number> {
  if (command.length === 0) throw new UsageError('Say what to run, after --.');
  const size = sizeOf(call);
  const stdin = call.options.interactive === true;
  const { client } = await call.connect();
  const target = await findTarget(client.api, reference);
  const source = new FrameSource();
  const left = new AbortController();
  using _raw = size !== undefined && stdin ? call.io.terminal?.raw() : undefined;
  using _size = size === undefined ? undefined : followSize(call, source);
  if (stdin) void sendInput(call, source);
  try {
    const stream = client.openStream(
      'terminals.exec',
      { target, command: [...command], stdin, ...(size === undefined ? {} : { size }) },
      { upload: source, signal: AbortSignal.any([left.signal, call.signal]) },
    );
    const end = await showOutput(call, stream, { clears: false });
    return end === undefined ? exitCodes.failed : exitCodeOfEnd(end);
  } finally {
    source.end();
    left.abort();
  }
}

function sizeOf(call: Call<ExecOptions>) {
  if (call.options.tty !== true) return undefined;
  const size = call.io.terminal?.size;
  if (size === undefined) throw new UsageError('-t needs a terminal; without one leave it out.');
  return size;
}

async function sendInput(call: Call, source: FrameSource): Promise<void> {
  for await (const bytes of call.io.keys()) {
    source.send({ kind: 'input', bytes });
    await source.room();
  }
  source.send({ kind: 'eof' });
}
