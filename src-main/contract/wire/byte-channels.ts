import { RemoteError, toErrorShape, type ErrorShape } from '../errors.ts';
import { decodeByteFrame, encodeByteFrame, type ByteFrame } from './byte-frames.ts';
import { ByteInbox, type ByteReader } from './byte-inbox.ts';
import { ByteOutbox } from './byte-outbox.ts';
import { protocolError } from './protocol-error.ts';

/** A byte stream between two sides, in both directions. */
export interface ByteChannel {
  readonly incoming: ByteReader;
  /**
   * Sends a source no faster than it is consumed, then says it has ended. An error of the source
   * goes to the far side as its shape. Never throws; resolves when the source is closed.
   */
  pump(source: AsyncIterable<Uint8Array>, shapeOf?: (error: unknown) => ErrorShape): Promise<void>;
  /** Refuses or breaks off the stream; the far side's reader throws the error. */
  fail(error: ErrorShape): void;
  /** Neither reads nor writes any more. */
  cancel(): void;
  /** Aborted when the far side cancelled, failed, or is gone. */
  readonly signal: AbortSignal;
}

export interface ByteChannelsOptions {
  send: (frame: Uint8Array) => void;
  /** The far side opens a stream. Without it, opening one is a violation. */
  onOpen?: (channel: ByteChannel, request: { name: string; input: unknown }) => void;
}

/** All byte streams of one connection. One side opens them, with rising numbers; the other accepts. */
export class ByteChannels {
  readonly #options: ByteChannelsOptions;
  readonly #open = new Map<number, Channel>();
  #lastId = 0;

  constructor(options: ByteChannelsOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Asks the far side for a stream. Throws `core/protocol` when the input is too large for a frame. */
  open(name: string, input: unknown): ByteChannel {
    const id = this.#lastId + 1;
    const frame = encodeByteFrame({ kind: 'open', id, name, input });
    this.#lastId = id;
    const channel = this.#channel(id, 'opener');
    this.#options.send(frame);
    return channel;
  }

  /** Takes in a frame. Throws `core/protocol` on a violation; the connection is then to be closed. */
  receive(encoded: Uint8Array): void {
    const frame = decodeByteFrame(encoded);
    if (frame.kind === 'open') {
      this.#accept(frame);
      return;
    }
    if (frame.id === 0 || frame.id > this.#lastId) {
      throw protocolError('A frame belonged to a stream that was never opened.');
    }
    // A stream that is over here may still have frames under way: they are late, not wrong.
    this.#open.get(frame.id)?.receive(frame);
  }

  /** The connection is gone: readers throw `error`, sources are closed. */
  close(error: unknown): void {
    for (const channel of [...this.#open.values()]) channel.break(error);
  }

  #accept(frame: ByteFrame & { kind: 'open' }): void {
    const { onOpen } = this.#options;
    if (onOpen === undefined) throw protocolError('This side takes no streams.');
    if (frame.id <= this.#lastId) throw protocolError('A stream was opened under a used number.');
    this.#lastId = frame.id;
    onOpen(this.#channel(frame.id, 'acceptor'), { name: frame.name, input: frame.input });
  }

  #channel(id: number, role: 'opener' | 'acceptor'): Channel {
    const channel = new Channel({
      id,
      role,
      send: (frame) => {
        this.#options.send(encodeByteFrame(frame));
      },
      onOver: () => this.#open.delete(id),
    });
    this.#open.set(id, channel);
    return channel;
  }
}

interface ChannelOptions {
  id: number;
  role: 'opener' | 'acceptor';
  send: (frame: ByteFrame) => void;
  onOver: () => void;
}

class Channel implements ByteChannel {
  readonly #options: ChannelOptions;
  readonly #inbox: ByteInbox;
  readonly #outbox: ByteOutbox;
  readonly #abort = new AbortController();
  #isOver = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    const { id, send } = options;
    this.#inbox = new ByteInbox({
      returnCredit: (bytes) => {
        if (!this.#isOver) send({ kind: 'credit', id, bytes });
      },
      onLeave: () => {
        // The acceptor may stop reading and still have things to say; the opener is then done.
        if (options.role === 'opener') this.cancel();
      },
    });
    this.#outbox = new ByteOutbox((bytes) => {
      send({ kind: 'data', id, bytes });
    });
  }

  get incoming(): ByteReader {
    return this.#inbox;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async pump(
    source: AsyncIterable<Uint8Array>,
    shapeOf: (error: unknown) => ErrorShape = toErrorShape,
  ): Promise<void> {
    try {
      const outcome = await this.#outbox.pump(source);
      if (outcome === 'ended') this.#sayEnd();
    } catch (error) {
      this.fail(shapeOf(error));
    }
  }

  fail(error: ErrorShape): void {
    if (this.#isOver) return;
    this.#options.send({ kind: 'error', id: this.#options.id, error: shortened(error) });
    this.#finish({ error: new RemoteError(error) });
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#options.send({ kind: 'cancel', id: this.#options.id });
    this.#finish('ended');
  }

  break(error: unknown): void {
    this.#finish({ error });
    this.#abort.abort(error);
  }

  receive(frame: Exclude<ByteFrame, { kind: 'open' }>): void {
    switch (frame.kind) {
      case 'data':
        this.#inbox.receive(frame.bytes);
        break;
      case 'credit':
        this.#outbox.grant(frame.bytes);
        break;
      case 'end':
        if (this.#options.role === 'opener') this.#finish('ended');
        else this.#inbox.end('ended');
        break;
      case 'error':
        this.break(new RemoteError(frame.error));
        break;
      case 'cancel':
        this.break(new DOMException('The far side cancelled the stream.', 'AbortError'));
        break;
    }
  }

  #sayEnd(): void {
    if (this.#isOver) return;
    this.#options.send({ kind: 'end', id: this.#options.id });
    if (this.#options.role === 'acceptor') this.#finish('ended');
  }

  #finish(ending: { error: unknown } | 'ended'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inbox.end(ending);
    this.#outbox.stop();
    this.#options.onOver();
  }
}

/** An error that surely fits into one frame. */
function shortened(error: ErrorShape): ErrorShape {
  if (JSON.stringify(error).length < 16_000) return error;
  return { ...error, message: error.message.slice(0, 4000), details: {}, causes: [] };
}
