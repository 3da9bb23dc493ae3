import { randomBytes } from 'node:crypto';
import { CommandFailedError, lostError, type LinkError } from '../errors.ts';
import type { RunResult } from '../node-link.ts';
import type { SshConnection } from './connection.ts';
import type { GuardedChannel } from './guarded-exec.ts';
import { MarkedOutput } from '../marked-output.ts';

interface Running {
  readonly stdout: MarkedOutput;
  readonly stderr: MarkedOutput;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: LinkError) => void;
}

/**
 * A long-lived `sh` that runs one command after another. What a command prints ends where a random
 * mark, made for this command, comes on both streams; so any bytes may be in it. A command that
 * leaves something running behind must have redirected its output, or it lands in a later one's.
 */
export class ShellChannel {
  readonly pid: number;
  readonly #connection: SshConnection;
  readonly #channel: GuardedChannel['channel'];
  #running: Running | undefined;
  #isOpen = true;

  constructor(connection: SshConnection, { channel, pid }: GuardedChannel, onClose: () => void) {
    this.#connection = connection;
    this.#channel = channel;
    this.pid = pid;
    channel.on('data', (chunk: Buffer) => this.#feed('stdout', chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#feed('stderr', chunk));
    channel.on('close', () => {
      this.#isOpen = false;
      onClose();
      this.#fail();
    });
    channel.resume();
    channel.stderr.resume();
  }

  get isIdle(): boolean {
    return this.#isOpen && this.#running === undefined;
  }

  /** Runs shell text that contains its own quoting. Rejects with LinkError when the shell or the link ends. */
  execute(text: string, maxOutputBytes: number): Promise<RunResult> {
    if (this.#running !== undefined) throw new Error('This shell is busy.');
    const mark = randomBytes(16).toString('hex');
    return new Promise((resolve, reject) => {
      this.#running = {
        stdout: new MarkedOutput(mark, maxOutputBytes),
        stderr: new MarkedOutput(mark, maxOutputBytes),
        resolve,
        reject,
      };
      this.#channel.write(`${text}\nprintf '${mark} %s;' "$?"; printf '${mark};' >&2\n`);
    });
  }

  /** Gives the shell up with whatever runs in it; killing that is the caller's part. */
  close(): void {
    this.#channel.close();
  }

  #feed(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const running = this.#running;
    // Between commands only something left behind can write; nobody asked for it.
    if (running === undefined) return;
    running[stream].feed(chunk);
    const { stdout, stderr } = running;
    if (stdout.trailer === undefined || stderr.trailer === undefined) return;
    this.#running = undefined;
    running.resolve({
      exitCode: Number(stdout.trailer),
      signal: null,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      isTruncated: stdout.isTruncated || stderr.isTruncated,
    });
  }

  #fail(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const host = this.#connection.description;
    const lost = this.#connection.isOpen ? undefined : this.#connection.lostReason();
    running.reject(
      lost ??
        (this.#connection.isOpen
          ? new CommandFailedError(
              'link/command-failed',
              `The shell on ${host} ended while a command ran in it; something there may have killed it.`,
              { retry: 'later', details: { host } },
            )
          : lostError(host)),
    );
  }
}
