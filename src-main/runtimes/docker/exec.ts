// Programs in a running container, on a terminal or with pipes. The Engine carries their bytes over
// one connection of their own (API: ExecStart, «hijacked»).
import { once } from 'node:events';
import { PassThrough, type Duplex, type Readable, type Writable } from 'node:stream';
import type Dockerode from 'dockerode';
import { sleep, type Timers } from '../../domain/clock.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import type { RuntimeLog } from '../log.ts';
import { ContainerExecutionError, fromDocker, readComplaint } from './errors.ts';
import { OutputFrames } from './exec-frames.ts';

export interface ExecOptions {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly cwd?: string;
  /** Runs it on a terminal of this size; without it stdout and stderr stay apart. */
  readonly pty?: { readonly columns: number; readonly rows: number };
  /** Keeps its input open. Default: with a terminal. */
  readonly stdin?: boolean;
  /** A word of letters and digits, unlike any other's: what was started is found by it to be ended. */
  readonly mark: string;
}

export interface ExecParts {
  readonly docker: Dockerode;
  readonly timers: Timers;
  readonly log: RuntimeLog;
}

const markVariable = 'KOHAKURIVER_TERMINAL';
/** The Engine sometimes says «running» for a moment after the output has ended. */
const exitLooks = 40;
const exitLookEveryMs = 50;

/**
 * Sends a signal to everything started under a mark. The Engine has no call for it, and leaves what
 * it started running when the connection ends.
 */
const signalScript = `for e in /proc/[0-9]*/environ; do
  p=\${e#/proc/}
  grep -q "${markVariable}=$1" "$e" 2>/dev/null && kill -s "$2" "\${p%/environ}" 2>/dev/null
done
:`;

/** Starts a program in a container. Throws DockerError (`docker/container-execution`, …). */
export async function execInContainer(
  parts: ExecParts,
  container: string,
  options: ExecOptions,
): Promise<RemoteProcess> {
  const { pty } = options;
  const hasInput = options.stdin ?? pty !== undefined;
  const env = { ...options.env, [markVariable]: options.mark };
  try {
    const exec = await parts.docker.getContainer(container).exec({
      Cmd: [...options.command],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      AttachStdin: hasInput,
      AttachStdout: true,
      AttachStderr: true,
      Tty: pty !== undefined,
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(options.cwd === undefined ? {} : { WorkingDir: options.cwd }),
      ...(pty === undefined ? {} : { ConsoleSize: [pty.rows, pty.columns] }),
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: pty !== undefined });
    if (!hasInput) stream.end();
    const process = new ContainerProcess({ ...parts, exec, stream, container, options });
    // Engines before API 1.42 take no size at the start: the program must not begin without one.
    if (pty !== undefined) await process.setSize(pty.columns, pty.rows);
    return process;
  } catch (error) {
    throw fromDocker(error, { kind: 'other', container });
  }
}

/** Ends what was started in a container under a mark and whose connection is gone. */
export async function signalMarked(
  docker: Dockerode,
  container: string,
  { mark, signal }: { mark: string; signal: string },
): Promise<void> {
  try {
    const exec = await docker.getContainer(container).exec({
      Cmd: ['sh', '-c', signalScript, 'sh', mark, signal.replace(/^SIG/, '')],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.end();
    stream.resume();
    await once(stream, 'close');
  } catch (error) {
    // A container that is gone or stopped took everything in it along.
    const { status } = readComplaint(error);
    if (status !== 404 && status !== 409) throw fromDocker(error, { kind: 'other', container });
  }
}

/** Whether the container, running or not, has a file at this path. */
export async function containerHas(
  docker: Dockerode,
  container: string,
  path: string,
): Promise<boolean> {
  try {
    await docker.getContainer(container).infoArchive({ path });
    return true;
  } catch (error) {
    const { status, text } = readComplaint(error);
    if (status === 404 && !/no such container/i.test(text)) return false;
    throw fromDocker(error, { kind: 'other', container });
  }
}

interface ProcessParts extends ExecParts {
  readonly exec: Dockerode.Exec;
  readonly stream: Duplex;
  readonly container: string;
  readonly options: ExecOptions;
}

class ContainerProcess implements RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: RemoteProcess['ended'];
  readonly #parts: ProcessParts;
  #hasEnded = false;
  #wanted: { w: number; h: number } | undefined;
  #isResizing = false;

  constructor(parts: ProcessParts) {
    const { stream, options } = parts;
    this.#parts = parts;
    this.stdin = stream;
    if (options.pty === undefined) {
      const output = new PassThrough();
      const errors = new PassThrough();
      this.stdout = output;
      this.stderr = errors;
      // A link that drops is told by `ended`; whoever has no ear for the output must not end the core by it.
      output.on('error', () => undefined);
      this.ended = this.#takeApart(output, errors).then(() => this.#exit());
    } else {
      this.stdout = stream;
      this.stderr = new PassThrough().end();
      this.ended = streamEnd(stream).then(() => this.#exit());
    }
    this.ended.catch(() => undefined);
  }

  /** Of several sizes in a row the last one holds, whatever order the Engine would answer in. */
  resize(columns: number, rows: number): void {
    void this.setSize(columns, rows);
  }

  /** Resolves when the size, or one asked for later, is in force. */
  async setSize(columns: number, rows: number): Promise<void> {
    if (this.#parts.options.pty === undefined || this.#hasEnded) return;
    this.#wanted = { w: columns, h: rows };
    if (!this.#isResizing) await this.#resize();
  }

  async end(signal = 'SIGHUP'): Promise<void> {
    const { docker, container, options } = this.#parts;
    if (this.#hasEnded) return;
    await signalMarked(docker, container, { mark: options.mark, signal });
  }

  /** Where the Engine cannot be asked any more, whoever uses it has heard why: that is the error that counts. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.end('SIGKILL');
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'a program in a container could not be ended');
    }
    this.#parts.stream.destroy();
  }

  async #resize(): Promise<void> {
    this.#isResizing = true;
    for (let size = this.#wanted; size !== undefined; size = this.#wanted) {
      this.#wanted = undefined;
      try {
        await this.#parts.exec.resize(size);
      } catch (error) {
        // What has just ended cannot be resized; anything else only looks wrong for a moment.
        this.#parts.log.debug({ err: error }, 'a terminal could not be resized');
      }
    }
    this.#isResizing = false;
  }

  async #takeApart(output: PassThrough, errors: PassThrough): Promise<void> {
    const frames = new OutputFrames();
    const source = this.#parts.stream;
    try {
      for await (const chunk of source) {
        for (const { stream, bytes } of frames.push(chunk as Buffer)) {
          const target = stream === 'stdout' ? output : errors;
          if (!target.write(bytes)) await roomOrEnd(target, source);
        }
      }
      output.end();
      errors.end();
    } catch (error) {
      output.destroy(error as Error);
      errors.destroy();
      throw error;
    }
  }

  async #exit(): Promise<{ exitCode: number | null; signal: string | null }> {
    this.#hasEnded = true;
    for (let look = 0; look < exitLooks; look += 1) {
      const found = await this.#look();
      if (!found.Running) return { exitCode: found.ExitCode, signal: null };
      await sleep(this.#parts.timers, exitLookEveryMs);
    }
    throw new ContainerExecutionError(
      `The Engine ended the connection to a program in ${this.#parts.container} that still runs.`,
      { retry: 'later' },
    );
  }

  async #look(): Promise<Dockerode.ExecInspectInfo> {
    try {
      return await this.#parts.exec.inspect();
    } catch (error) {
      throw fromDocker(error, { kind: 'other', container: this.#parts.container });
    }
  }
}

/** Resolves when there is room for more, when nobody reads it any more, or when its source is gone. */
async function roomOrEnd(target: Writable, source: Duplex): Promise<void> {
  if (target.closed || source.closed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      target.off('drain', done).off('close', done);
      source.off('close', done);
      resolve();
    };
    target.on('drain', done).on('close', done);
    source.on('close', done);
  });
}

/** Resolves when nothing more comes; rejects with what broke the stream. */
function streamEnd(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('end', () => {
      stream.end();
      resolve();
    });
    stream.once('error', reject);
    stream.once('close', () => resolve());
  });
}
