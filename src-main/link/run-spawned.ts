import type { Readable } from 'node:stream';
import type { Timers } from '../domain/clock.ts';
import { codeOf } from './errors.ts';
import type { RemoteProcess, RunOptions, RunResult } from './node-link.ts';
import { commandTimeout } from './command-timeout.ts';

export interface RunSpawnedOptions extends RunOptions {
  timers: Timers;
  /** For error messages: where it runs. */
  description: string;
}

const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
const KILL_AFTER_MS = 2_000;

/** Runs a program to its end on a channel of its own and collects its output, with `run`'s promises. */
export async function runOnOwnChannel(
  spawn: () => Promise<RemoteProcess>,
  options: RunSpawnedOptions,
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const process = await spawn();
  const limit = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
  const outcome = Promise.all([
    process.ended,
    collect(process.stdout, limit),
    collect(process.stderr, limit),
  ]);
  // A program may close its input or end without reading it; its exit code tells what it thought.
  process.stdin.on('error', (error: Error) => {
    if (codeOf(error) !== 'EPIPE') process.stdout.destroy(error);
  });
  process.stdin.end(options.stdin ?? '');
  const [ended, stdout, stderr] = await untilStopped(outcome, process, options);
  return {
    ...ended,
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    isTruncated: stdout.isTruncated || stderr.isTruncated,
  };
}

/** Waits, and ends the program when time is up or the caller gives up. */
async function untilStopped<T>(
  outcome: Promise<T>,
  process: RemoteProcess,
  options: RunSpawnedOptions,
): Promise<T> {
  const { timers, signal, timeoutMs, description } = options;
  const stopped = Promise.withResolvers<never>();
  const onAbort = () => stopped.reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : timers.after(timeoutMs, () => stopped.reject(commandTimeout(description, timeoutMs)));
  try {
    return await Promise.race([outcome, stopped.promise]);
  } catch (error) {
    outcome.catch(() => undefined);
    await process.end('SIGTERM');
    const kill = timers.after(KILL_AFTER_MS, () => void process[Symbol.asyncDispose]());
    const forget = () => kill[Symbol.dispose]();
    process.ended.then(forget, forget);
    throw error;
  } finally {
    timer?.[Symbol.dispose]();
    signal?.removeEventListener('abort', onAbort);
  }
}

async function collect(
  stream: Readable,
  limit: number,
): Promise<{ bytes: Buffer; isTruncated: boolean }> {
  const kept: Buffer[] = [];
  let room = limit;
  let isTruncated = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const taken = chunk.subarray(0, room);
    if (taken.length < chunk.length) isTruncated = true;
    if (taken.length > 0) kept.push(taken);
    room -= taken.length;
  }
  return { bytes: Buffer.concat(kept), isTruncated };
}
