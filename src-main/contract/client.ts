// The client's side of the contract, for whoever talks to a core: the app's window, the command
// line, tests. Runs in browsers, workers and Node.
import { createORPCClient } from '@orpc/client';
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract';
import type { Contract, FeedItem, StreamInput, StreamName } from './procedures.ts';
import { contract } from './procedures.ts';
import type { ByteReader, Chunk } from './wire/byte-inbox.ts';
import { readFeed, type FeedHandlers } from './wire/follow-feed.ts';
import type { WirePort } from './wire/port.ts';
import { procedureTable } from './wire/procedure-table.ts';
import { protocolError } from './wire/protocol-error.ts';
import { closedHere, Session } from './wire/session.ts';

export type { ByteReader, Chunk } from './wire/byte-inbox.ts';
export type { FeedHandlers } from './wire/follow-feed.ts';

/** Calls and feeds by name, e.g. `api.tasks.submit({…})`. */
export type Api<C extends AnyContractRouter = Contract> = ContractRouterClient<C>;

/** Opens a feed: `(api, signal) => api.nodes.watch(undefined, { signal })`. */
export type OpenFeed<S, C, R extends AnyContractRouter = Contract> = (
  api: Api<R>,
  signal: AbortSignal,
) => Promise<AsyncIterable<FeedItem<S, C>>>;

export interface StreamOptions {
  /** Aborting cancels the stream; its reader then throws the signal's reason. */
  signal?: AbortSignal;
  /** What to send up the stream while it is read, where its direction is `both`. */
  upload?: AsyncIterable<Uint8Array>;
}

/** A connection to a core. Every error it throws is an `AppError`, or the reason of the caller's own signal. */
export interface Client<R extends AnyContractRouter = Contract> {
  readonly api: Api<R>;
  /**
   * Follows a feed until disposed. Missing changes make it open the feed again; on a client that
   * reconnects, so does a lost connection.
   */
  feed<S, C>(open: OpenFeed<S, C, R>, handlers: FeedHandlers<S, C>): Disposable;
  /**
   * Bytes from the core, pulled: the stream is opened when reading starts, and no more is sent than
   * is read. Leaving the loop closes it at its source.
   */
  openStream<N extends StreamName>(
    name: N,
    input: StreamInput<N>,
    options?: StreamOptions,
  ): ByteReader;
  /** Ends the connection; what is under way throws `core/unavailable`. */
  close(): void;
}

/** A client that lives as long as its connection. */
export interface ConnectedClient<R extends AnyContractRouter = Contract> extends Client<R> {
  /** Calls back once when the connection has ended, with what ended it. */
  onDidClose(listener: (error: unknown) => void): Disposable;
}

/** Talks to a core over an open port. */
export function createClient(port: WirePort): ConnectedClient {
  return connect(port, contract);
}

/** The same for any contract. */
export function connect<R extends AnyContractRouter>(
  port: WirePort,
  contract: R,
): ConnectedClient<R> {
  const session = new Session(port);
  const client = clientOver(contract, {
    session: () => Promise.resolve(session),
    isWorthReopening: () => false,
    close: () => {
      session.close(closedHere());
    },
  });
  return { ...client, onDidClose: (listener) => session.onDidEnd(listener) };
}

/** Where a client gets its connection from. */
export interface SessionSource {
  /** The connection in force, or the next one. Rejects when there is none, or the signal is aborted. */
  session(signal?: AbortSignal): Promise<Session>;
  /** Whether a feed that has just failed is to be opened again: its connection is gone, and another will come. */
  isWorthReopening(): boolean;
  close(): void;
}

/** Builds the client's face over whatever provides connections. */
export function clientOver<R extends AnyContractRouter>(
  contract: R,
  source: SessionSource,
): Client<R> {
  const table = procedureTable(contract);
  const api = createORPCClient<Api<R>>({
    async call(path, input, options) {
      const name = path.join('.');
      const shape = table.get(name);
      if (shape === undefined) throw protocolError(`There is no call named ${name}.`);
      const session = await source.session(options.signal);
      return session.calls.call({ path: name, input, shape, signal: options.signal });
    },
  });
  return {
    api,
    feed: (open, handlers) => followFeed({ source, open: (signal) => open(api, signal) }, handlers),
    openStream: (name, input, options = {}) => new LazyReader(source, { name, input, options }),
    close: () => {
      source.close();
    },
  };
}

/** A gap can come from a restart in a bad moment; one after another means that the core is wrong. */
const mostGaps = 5;

function followFeed<S, C>(
  feed: {
    source: SessionSource;
    open: (signal: AbortSignal) => Promise<AsyncIterable<FeedItem<S, C>>>;
  },
  handlers: FeedHandlers<S, C>,
): Disposable {
  const abort = new AbortController();
  const { signal } = abort;
  const isLeft = (): boolean => signal.aborted;
  const live = {
    onSnapshot: (value: S) => {
      if (!isLeft()) handlers.onSnapshot(value);
    },
    onChange: (value: C) => {
      if (!isLeft()) handlers.onChange(value);
    },
  };
  const follow = async (): Promise<void> => {
    let gaps = 0;
    while (!isLeft()) {
      try {
        if ((await readFeed(await feed.open(signal), live)) === 'ended') {
          if (!isLeft()) handlers.onEnd?.();
          return;
        }
        gaps += 1;
      } catch (error) {
        if (isLeft()) return;
        if (!feed.source.isWorthReopening()) throw error;
      }
      if (gaps > mostGaps) throw protocolError('A feed of the core keeps leaving changes out.');
    }
  };
  follow().catch((error: unknown) => {
    if (!isLeft()) handlers.onError(error);
  });
  return {
    [Symbol.dispose]: () => {
      abort.abort(new DOMException('The feed was left.', 'AbortError'));
    },
  };
}

/** Opens its stream when reading starts. */
class LazyReader implements ByteReader {
  readonly #source: SessionSource;
  readonly #request: { name: string; input: unknown; options: StreamOptions };

  constructor(
    source: SessionSource,
    request: { name: string; input: unknown; options: StreamOptions },
  ) {
    this.#source = source;
    this.#request = request;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of this.chunks()) {
      yield chunk.bytes;
      chunk.release();
    }
  }

  async *chunks(): AsyncGenerator<Chunk, undefined> {
    const { name, input, options } = this.#request;
    const { signal, upload } = options;
    signal?.throwIfAborted();
    const session = await this.#source.session(signal);
    const channel = session.openChannel(name, input);
    const onAbort = (): void => {
      channel.cancel();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (upload !== undefined) void channel.pump(upload);
    try {
      yield* channel.incoming.chunks();
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      channel.cancel();
    }
  }
}
