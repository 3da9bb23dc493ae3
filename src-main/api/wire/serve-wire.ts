// The core's end of the wire: the contract's calls, feeds and byte streams for one client, over
// whatever carries messages. No logic of its own; hosts decide who may connect.
import type { Router } from '@orpc/server';
import { toErrorShape, type AppError } from '../../contract/errors.ts';
import { RequestError } from '../../contract/errors.ts';
import type { Contract } from '../../contract/procedures.ts';
import { ByteChannels } from '../../contract/wire/byte-channels.ts';
import type { WireMessage, WirePort } from '../../contract/wire/port.ts';
import { protocolError, unavailable } from '../../contract/wire/protocol-error.ts';
import { readRequest, writeFrame } from '../../contract/wire/text-frames.ts';
import type { WireContext } from '../context.ts';
import { CallServer } from './call-server.ts';
import type { WireLog } from './log.ts';
import { proceduresOf, type RunProcedure } from './procedures.ts';
import {
  definedStreams,
  serveStream,
  type StreamHandlers,
  type StreamServerOptions,
} from './streams.ts';

export type { StreamHandlers } from './streams.ts';
export type { WireLog } from './log.ts';

/** The contract implemented: `implement(contract).$context<WireContext>().router({…})`. */
export type ContractRouter = Router<Contract, WireContext>;

export interface ServeWireOptions {
  router: ContractRouter;
  streams: StreamHandlers;
  /** Who the client is. Decided by the host before this. */
  context: WireContext;
  log: WireLog;
}

/**
 * Serves one client until its port closes. Disposing says goodbye with `core/stopping`, aborts what
 * is under way and closes the port. Nothing a client sends makes it throw.
 */
export function serveWire(port: WirePort, options: ServeWireOptions): Disposable {
  const { router, streams, context, log } = options;
  return serve(port, {
    procedures: proceduresOf(router, context),
    streams: { definitions: definedStreams, handlers: streams, context, log },
    log,
  });
}

export interface ServeOptions {
  procedures: ReadonlyMap<string, RunProcedure>;
  streams: Omit<StreamServerOptions, 'openCount'>;
  log: WireLog;
}

/** The same for any contract. */
export function serve(port: WirePort, options: ServeOptions): Disposable {
  const connection = new Connection(port, options);
  return {
    [Symbol.dispose]: () => {
      connection.end(
        new RequestError('core/stopping', 'The core is stopping.', { retry: 'later' }),
      );
    },
  };
}

class Connection {
  readonly #port: WirePort;
  readonly #options: ServeOptions;
  readonly #calls: CallServer;
  readonly #channels: ByteChannels;
  #isOver = false;

  constructor(port: WirePort, options: ServeOptions) {
    this.#port = port;
    this.#options = options;
    this.#calls = new CallServer({
      procedures: options.procedures,
      log: options.log,
      send: (text) => {
        if (!this.#isOver) port.send(text);
      },
    });
    this.#channels = new ByteChannels({
      send: (frame) => {
        if (!this.#isOver) port.send(frame);
      },
      onOpen: (channel, request) => {
        serveStream(channel, request, {
          ...options.streams,
          openCount: () => this.#channels.openCount,
        });
      },
    });
    port.onClose(() => {
      this.#release();
    });
    port.onMessage((message) => {
      this.#receive(message);
    });
  }

  /** Says why, and closes. */
  end(error: AppError): void {
    if (this.#isOver) return;
    const text = writeFrame({ t: 'bye', error: toErrorShape(error) });
    if (text !== undefined) this.#port.send(text);
    this.#release();
    this.#port.close();
  }

  #receive(message: WireMessage): void {
    if (this.#isOver) return;
    try {
      if (typeof message === 'string') this.#calls.receive(readRequest(message));
      else this.#channels.receive(message);
    } catch (error) {
      const violation =
        error instanceof RequestError ? error : protocolError('The core could not read a message.');
      this.#options.log.warn(
        { err: error, who: this.#options.streams.context.who },
        'a client broke the protocol; its connection is closed',
      );
      this.end(violation);
    }
  }

  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#calls.close();
    this.#channels.close(unavailable('The client is gone.'));
  }
}
