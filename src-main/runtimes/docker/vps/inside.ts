// Running a short program inside a container: input in, output out, exit code.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import type { InsideResult } from '../../vps-engine.ts';
import { fromDocker, readComplaint } from '../errors.ts';
import { OutputFrames } from '../exec-frames.ts';
import type { FoundContainer } from '../observed.ts';

/** More of what it prints is not kept. */
const mostOutputBytes = 256 * 1024;

export interface InsideOptions {
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly signal: AbortSignal;
}

/** Resolves when the program ended. A program that is not there is exit code 127, as in a shell. */
export async function runInside(
  docker: Dockerode,
  found: FoundContainer,
  { argv, stdin = '', signal }: InsideOptions,
): Promise<InsideResult> {
  signal.throwIfAborted();
  try {
    const exec = await docker.getContainer(found.id).exec({
      Cmd: [...argv],
      User: '0',
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const output = await converse(stream, { stdin, signal });
    const { ExitCode: exitCode } = await exec.inspect();
    return { exitCode: exitCode ?? 126, output };
  } catch (error) {
    signal.throwIfAborted();
    const { text } = readComplaint(error);
    if (/executable file not found|no such file or directory/i.test(text)) {
      return { exitCode: 127, output: text };
    }
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

async function converse(
  stream: Duplex,
  { stdin, signal }: { stdin: string; signal: AbortSignal },
): Promise<string> {
  // Not docker-modem's: it gathers as much as a frame says it is long, which is the node's word.
  const frames = new OutputFrames();
  const kept: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const { bytes } of frames.push(chunk)) {
        if (size < mostOutputBytes) kept.push(bytes.subarray(0, mostOutputBytes - size));
        size += bytes.length;
      }
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
  const onAbort = () => stream.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    stream.end(stdin);
    await once(stream, 'close');
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  signal.throwIfAborted();
  return Buffer.concat(kept).toString();
}
