import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type { ClientChannel } from 'ssh2';
import type { Event } from '../../domain/emitter.ts';
import type { LinkError } from '../errors.ts';

/** What a stream needs to know of the connection it lies on. */
export interface Carrier {
  /** Why it is gone, or undefined while it is up. */
  lostReason(): LinkError | undefined;
  readonly onDidClose: Event<Error | undefined>;
}

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

  constructor(channel: ClientChannel, carrier: Carrier) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => {
      if (carrier.lostReason() === undefined) this.push(null);
    });
    channel.on('error', (error: Error) => this.destroy(error));
    const onLost = carrier.onDidClose(() => this.destroy(carrier.lostReason()));
    channel.on('close', () => {
      onLost[Symbol.dispose]();
      if (carrier.lostReason() === undefined) this.#destroyOnceRead();
    });
    channel.stderr.resume();
    channel.pause();
    // A stream nobody looks at any more must not bring the process down when the link drops.
    this.on('error', ignoreUnheard);
  }

  /** The far side closed: what was read stays readable, then nothing more can be written. */
  #destroyOnceRead(): void {
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
