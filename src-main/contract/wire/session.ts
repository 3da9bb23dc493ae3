import { RemoteError } from '../errors.ts';
import { ByteChannels, type ByteChannel } from './byte-channels.ts';
import { CallClient } from './call-client.ts';
import type { WireMessage, WirePort } from './port.ts';
import { unavailable } from './protocol-error.ts';
import { readAnswer } from './text-frames.ts';

/** The client's end of one connection: calls and byte streams over one port, until it closes. */
export class Session {
  readonly calls: CallClient;
  readonly #port: WirePort;
  readonly #channels: ByteChannels;
  readonly #closeListeners = new Set<(error: unknown) => void>();
  #ended: { error: unknown } | undefined;
  /** Messages that have come so far: whether it still moves tells a live connection from a dead one. */
  messagesHeard = 0;

  constructor(port: WirePort) {
    this.#port = port;
    this.calls = new CallClient((text) => {
      port.send(text);
    });
    this.#channels = new ByteChannels({
      send: (frame) => {
        port.send(frame);
      },
    });
    port.onClose(() => {
      this.#end(
        unavailable(
          'The connection to the core was lost. Whether what was under way was carried out is not known.',
        ),
      );
    });
    port.onMessage((message) => {
      this.#receive(message);
    });
  }

  /** What ended the connection; undefined while it is there. */
  get ended(): { error: unknown } | undefined {
    return this.#ended;
  }

  /** Calls back once, at once if it has already ended. */
  onDidEnd(listener: (error: unknown) => void): Disposable {
    if (this.#ended !== undefined) listener(this.#ended.error);
    else this.#closeListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#closeListeners.delete(listener) };
  }

  /** Opens a byte stream. Throws what ended the connection. */
  openChannel(name: string, input: unknown): ByteChannel {
    if (this.#ended !== undefined) throw this.#ended.error;
    return this.#channels.open(name, input);
  }

  ping(): void {
    this.#port.send('{"t":"ping"}');
  }

  /** Ends the connection from this side; everything under way throws `error`. */
  close(error: unknown): void {
    this.#end(error);
    this.#port.close();
  }

  #receive(message: WireMessage): void {
    if (this.#ended !== undefined) return;
    this.messagesHeard += 1;
    try {
      if (typeof message === 'string') this.#receiveText(message);
      else this.#channels.receive(message);
    } catch (error) {
      // Only the far side's words lead here: nothing sensible can follow on this connection.
      this.close(error);
    }
  }

  #receiveText(text: string): void {
    const frame = readAnswer(text);
    if (frame.t === 'pong') return;
    if (frame.t === 'bye') throw new RemoteError(frame.error);
    this.calls.receive(frame);
  }

  #end(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.calls.close(error);
    this.#channels.close(error);
    for (const listener of [...this.#closeListeners]) listener(error);
    this.#closeListeners.clear();
  }
}

/** What a client's own `close` ends its calls with. */
export function closedHere(): Error {
  return unavailable('The connection to the core was closed.');
}
