import { Readable, type Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { lostError } from '../errors.ts';
import type { Divertible, RemoteProcess, Taker } from '../node-link.ts';
import { ignoreUnheard } from './channel-stream.ts';
import type { SshConnection } from './connection.ts';

export interface SshProcessOptions {
  connection: SshConnection;
  channel: ClientChannel;
  /** Leader of its process group; undefined for a login shell, which goes with its terminal. */
  pid: number | undefined;
  killGroup: (pid: number, signal: string) => Promise<void>;
  isPty: boolean;
}

/** A program on its own SSH channel. */
export class SshProcess implements RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: RemoteProcess['ended'];
  readonly #options: SshProcessOptions;
  #hasEnded = false;

  constructor(options: SshProcessOptions) {
    const { connection, channel } = options;
    this.#options = options;
    this.stdin = channel;
    this.stdout = new ChannelOutput(channel, connection);
    this.stderr = new ChannelReadable(channel.stderr, connection);
    this.ended = this.#watch();
    // Whoever does not wait for the end must not bring the process down by it.
    this.ended.catch(() => undefined);
  }

  resize(columns: number, rows: number): void {
    if (this.#options.isPty && !this.#hasEnded)
      this.#options.channel.setWindow(rows, columns, 0, 0);
  }

  async end(signal = 'SIGTERM'): Promise<void> {
    const { channel, pid, killGroup, connection } = this.#options;
    if (this.#hasEnded || !connection.isOpen) return;
    channel.end();
    if (pid === undefined) channel.close();
    else await killGroup(pid, signal);
  }

  /** Ends it hard and frees the channel, without waiting for output nobody reads. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#hasEnded) await this.end('SIGKILL');
    } catch {
      // The node answers nothing: it is let go of all the same.
    } finally {
      this.#options.channel.close();
      this.stdout.destroy();
      this.stderr.destroy();
    }
  }

  #watch(): RemoteProcess['ended'] {
    const { channel, connection } = this.#options;
    return new Promise((resolve, reject) => {
      let exitCode: number | null = null;
      let signal: string | null = null;
      const onLost = connection.onDidClose(() => {
        this.#hasEnded = true;
        reject(connection.lostReason() ?? lostError(connection.description));
      });
      channel.on('exit', (code: number | null, name?: string) => {
        exitCode = code;
        signal = name ?? null;
      });
      channel.on('close', () => {
        if (!connection.isOpen) return;
        onLost[Symbol.dispose]();
        this.#hasEnded = true;
        resolve({ exitCode, signal });
      });
    });
  }
}

/**
 * One direction of a channel, pulled: while nobody reads, the far side waits. Unlike ssh2's own
 * stream it fails when the link drops, instead of ending as if that were all.
 */
class ChannelReadable extends Readable {
  readonly #source: Readable;

  constructor(source: Readable, connection: SshConnection) {
    super();
    this.#source = source;
    this.on('error', ignoreUnheard);
    const onLost = connection.onDidClose(() => this.destroy(connection.lostReason()));
    source.on('data', (chunk: Buffer) => {
      // Of what nobody wants any more it says no, too: that is let go by, so that the end is seen.
      if (!this.push(chunk) && !this.destroyed) source.pause();
    });
    source.on('end', () => {
      onLost[Symbol.dispose]();
      if (connection.isOpen) this.push(null);
    });
    source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  /** Output nobody wants any more must not stop the program's exit from being seen. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.resume();
    done(error);
  }
}

/** What a program puts out: with memory of its own, or taken before. */
class ChannelOutput extends ChannelReadable implements Divertible {
  readonly #channel: ClientChannel;
  readonly #connection: SshConnection;

  constructor(channel: ClientChannel, connection: SshConnection) {
    super(channel, connection);
    this.#channel = channel;
    this.#connection = connection;
  }

  divert(taker: Taker): () => void {
    const isReady = () =>
      this.readableLength === 0 &&
      this.#channel.readableLength === 0 &&
      !this.destroyed &&
      taker.isReady();
    const take = (part: Buffer) => taker.take(part);
    return this.#connection.received.divert(this.#channel, { isReady, take });
  }
}
