import type { AnyContractRouter } from '@orpc/contract';
import { clientOver, type Client } from './client.ts';
import { contract as wholeContract, type Contract } from './procedures.ts';
import type { WirePort } from './wire/port.ts';
import { unavailable } from './wire/protocol-error.ts';
import { closedHere, Session } from './wire/session.ts';

export type ConnectionState = 'connecting' | 'connected' | 'closed';

/** A client that makes its connection again whenever it is lost, until closed. */
export interface ReconnectingClient<R extends AnyContractRouter = Contract> extends Client<R> {
  readonly state: ConnectionState;
  onDidChangeState(listener: (state: ConnectionState) => void): Disposable;
  /** Tries now instead of waiting: after waking up, or when the network is back. */
  reconnectNow(): void;
}

/** Time and chance, handed in so that tests need neither. */
export interface ReconnectTiming {
  /** Waits; returns early when the signal is aborted. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** 0 ≤ x < 1. */
  random(): number;
}

export interface ReconnectOptions {
  /** Makes a connection, e.g. `() => openWebSocketPort(new WebSocket(url))`. */
  open: () => Promise<WirePort>;
  timing?: ReconnectTiming;
  /** How long a call waits for a connection before it fails with `core/unavailable`. */
  callPatienceMs?: number;
  /** A connection on which nothing came for twice this long is given up. */
  heartbeatMs?: number;
}

const firstDelayMs = 250;
const longestDelayMs = 10_000;

/** Keeps a connection to a core. Feeds go on by themselves with a new snapshot; calls under way fail. */
export function createReconnectingClient(options: ReconnectOptions): ReconnectingClient {
  return reconnect(options, wholeContract);
}

/** The same for any contract. */
export function reconnect<R extends AnyContractRouter>(
  options: ReconnectOptions,
  contract: R,
): ReconnectingClient<R> {
  const connection = new Connection(options);
  const client = clientOver(contract, connection);
  return {
    ...client,
    get state() {
      return connection.state;
    },
    onDidChangeState: (listener) => connection.onDidChangeState(listener),
    reconnectNow: () => {
      connection.reconnectNow();
    },
  };
}

class Connection {
  readonly #open: () => Promise<WirePort>;
  readonly #timing: ReconnectTiming;
  readonly #callPatienceMs: number;
  readonly #heartbeatMs: number;
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  readonly #waiters = new Set<(session: Session) => void>();
  readonly #closing = new AbortController();
  #hurry = new AbortController();
  #session: Session | undefined;
  #state: ConnectionState = 'connecting';
  #lastFailure: unknown;

  constructor(options: ReconnectOptions) {
    this.#open = options.open;
    this.#timing = options.timing ?? realTiming;
    this.#callPatienceMs = options.callPatienceMs ?? 5000;
    this.#heartbeatMs = options.heartbeatMs ?? 20_000;
    void this.#keepConnected();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onDidChangeState(listener: (state: ConnectionState) => void): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(listener) };
  }

  reconnectNow(): void {
    this.#hurry.abort();
  }

  async session(signal?: AbortSignal): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    if (this.#state === 'closed') throw closedHere();
    const found = await this.#nextSession(signal);
    signal?.throwIfAborted();
    if (found !== undefined) return found;
    throw unavailable(
      'The core cannot be reached right now; the connection is being tried again.',
      this.#lastFailure,
    );
  }

  isWorthReopening(): boolean {
    return this.#state !== 'closed' && this.#session === undefined;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#change('closed');
    this.#closing.abort();
    this.#session?.close(closedHere());
  }

  async #nextSession(signal: AbortSignal | undefined): Promise<Session | undefined> {
    const abort = new AbortController();
    const either = AbortSignal.any([
      abort.signal,
      this.#closing.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    let found: Session | undefined;
    const waiter = (session: Session): void => {
      found = session;
      abort.abort();
    };
    this.#waiters.add(waiter);
    await this.#timing.sleep(this.#callPatienceMs, either);
    this.#waiters.delete(waiter);
    return found;
  }

  async #keepConnected(): Promise<void> {
    let failures = 0;
    while (!this.#isClosing()) {
      const session = await this.#tryOnce();
      // A core that accepts and hangs up at once must not be asked four times a second.
      if (session !== undefined && (await this.#live(session)) > 1) failures = 0;
      if (!this.#isClosing()) await this.#pause(failures);
      failures += 1;
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #tryOnce(): Promise<Session | undefined> {
    try {
      const port = await this.#open();
      if (!this.#isClosing()) return new Session(port);
      port.close();
    } catch (error) {
      this.#lastFailure = error;
    }
    return undefined;
  }

  /** Serves as the connection until it ends. Answers for how many heartbeats it lived. */
  async #live(session: Session): Promise<number> {
    this.#session = session;
    this.#change('connected');
    for (const waiter of [...this.#waiters]) waiter(session);
    const ended = new AbortController();
    session.onDidEnd((error) => {
      this.#lastFailure = error;
      this.#session = undefined;
      ended.abort();
      if (this.#state === 'connected') this.#change('connecting');
    });
    let beats = 0;
    for (; !ended.signal.aborted; beats += 1) await this.#beat(session, ended.signal);
    return beats;
  }

  async #beat(session: Session, ended: AbortSignal): Promise<void> {
    const heard = session.messagesHeard;
    session.ping();
    await this.#timing.sleep(this.#heartbeatMs, ended);
    if (ended.aborted || session.messagesHeard !== heard) return;
    session.close(
      unavailable('The core has not answered for a while; the connection is given up.'),
    );
  }

  async #pause(failures: number): Promise<void> {
    this.#hurry = new AbortController();
    const ceiling = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
    const delayMs = ceiling * (0.5 + this.#timing.random() / 2);
    await this.#timing.sleep(delayMs, AbortSignal.any([this.#hurry.signal, this.#closing.signal]));
  }

  #change(state: ConnectionState): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

const realTiming: ReconnectTiming = {
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const timer = setTimeout(done, delayMs);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
    }),
  random: () => Math.random(),
};
