import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { codeOf, CommandFailedError } from '../errors.ts';
import type { RemoteProcess } from '../node-link.ts';

export interface LocalCommand {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/**
 * Starts a program on this computer, leading a process group of its own (as sshd does it), so that
 * all of it can be signalled. A program that is not there fails like in a shell: exit code 127.
 */
export async function startLocally(options: LocalCommand): Promise<RemoteProcess> {
  const [file, ...args] = options.command;
  if (file === undefined) throw notStarted('an empty command', undefined);
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...options.env },
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(notStarted(file, error)));
  });
  return new LocalProcess(child);
}

/** Whether a start failed because there is no such program (126: it may not be run). */
export function exitCodeOfFailedStart(error: unknown): 126 | 127 | undefined {
  if (!(error instanceof CommandFailedError)) return undefined;
  const code = codeOf(error.cause);
  if (code === 'ENOENT') return 127;
  return code === 'EACCES' ? 126 : undefined;
}

function notStarted(file: string, cause: unknown): CommandFailedError {
  return new CommandFailedError(
    'link/command-failed',
    `${file} could not be started on this computer (${codeOf(cause)}).`,
    { cause, details: { command: file, errno: codeOf(cause) } },
  );
}

class LocalProcess implements RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: RemoteProcess['ended'];
  readonly #child: ChildProcessWithoutNullStreams;
  #hasEnded = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    // A program may end without reading its input, as over SSH, where nobody hears of it either.
    child.stdin.on('error', (error) => {
      if (codeOf(error) !== 'EPIPE' && codeOf(error) !== 'ECONNRESET') child.stdout.destroy(error);
    });
    child.on('exit', () => (this.#hasEnded = true));
    this.ended = new Promise((resolve) => {
      child.on('close', (exitCode, signal) => resolve({ exitCode, signal }));
    });
  }

  resize(): void {
    // Only a terminal has a size.
  }

  end(signal = 'SIGTERM'): Promise<void> {
    this.#child.stdin.end();
    if (!this.#hasEnded) signalGroup(this.#child, signal);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    this.stdout.destroy();
    this.stderr.destroy();
  }
}

function signalGroup(child: ChildProcessWithoutNullStreams, signal: string): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-pid, signal);
  } catch (error) {
    // It ended by itself meanwhile: macOS says EPERM of a group that has ended and was not waited for.
    const isOver =
      codeOf(error) === 'ESRCH' || (process.platform === 'darwin' && codeOf(error) === 'EPERM');
    if (!isOver) throw error;
  }
}
