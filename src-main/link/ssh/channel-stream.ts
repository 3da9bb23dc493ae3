import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type { ClientChannel } from 'ssh2';
import type { LinkError } from '../errors.ts';

/** Whoever reads or writes has a listener of its own; this one is for when nobody does. */
export function ignoreUnheard(): void {
  // Told to nobody, because nobody asked.
}

/**
 * A forwarded socket as a plain Duplex that `http.Agent` accepts. Pulled, never pushed: while
 * nobody reads, ssh2's window (2 MiB) fills and the far side waits. When the link drops it is
 * destroyed with a LinkError instead of ending as if all was well.
 */
export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;

  /** @param lostReason why the link is gone, or undefined while it is up. */
  constructor(channel: ClientChannel, lostReason: () => LinkError | undefined) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => {
      if (lostReason() === undefined) this.push(null);
    });
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => {
      const reason = lostReason();
      if (reason !== undefined) this.destroy(reason);
      else this.destroyOnceRead();
    });
    channel.stderr.resume();
    channel.pause();
    // A stream nobody looks at any more must not bring the process down when the link drops.
    this.on('error', ignoreUnheard);
  }

  /** The far side closed: what was read stays readable, then nothing more can be written. */
  private destroyOnceRead(): void {
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel.close();
    this.#channel.resume();
    done(error);
  }

  // What node:http expects of a socket. The connection below has its own settings.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  /** Some HTTP clients print their options with every request: without this they walk the whole connection. */
  [inspect.custom](): string {
    return 'ChannelStream';
  }
}
