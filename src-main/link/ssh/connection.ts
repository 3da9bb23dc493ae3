// One SSH connection to one host: handshake, host key, sign-in, channels. Pooling is above it.
import type { Duplex } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import { Emitter, type Event } from '../../domain/emitter.ts';
import type { Timers } from '../../domain/clock.ts';
import { asError, fromSsh2, lostError, timeoutError, type LinkError } from '../errors.ts';
import { ChannelStream } from './channel-stream.ts';
import type { HostKeyGate } from './host-key-gate.ts';
import { keepCiphers } from './kept-ciphers.ts';
import { reusePackets } from './packet-memory.ts';
import { Received } from './received-memory.ts';
import type { SignIn } from './sign-in.ts';

export interface ConnectionOptions {
  /** A stream to the server's SSH port; owned by the connection from here on. */
  socket: Duplex;
  /** `user@host:port`. */
  description: string;
  user: string;
  gate: Pick<HostKeyGate, 'algorithms' | 'verify' | 'refusal' | 'isPassed' | 'pass' | 'settled'>;
  signIn: SignIn;
  keepaliveMs: number;
  timeoutMs: number;
  timers: Timers;
  signal?: AbortSignal;
}

/** Keepalives that may go unanswered; the connection is dead at the next one. */
const UNANSWERED_KEEPALIVES = 2;
/** How long a server may take to close after our goodbye. */
const GOODBYE_MS = 1000;

export class SshConnection implements AsyncDisposable {
  readonly description: string;
  /** What comes in, before it has memory of its own. */
  readonly received: Received;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #timers: Timers;
  readonly #signIn: SignIn;
  readonly #closed = new Emitter<Error | undefined>();
  #lost: LinkError | undefined;
  #lastError: unknown;
  #isOpen = true;
  #isClosing = false;

  /** Resolves when signed in. Throws LinkError; an aborted signal rejects with its reason. */
  static async open(options: ConnectionOptions): Promise<SshConnection> {
    const client = new Client();
    keepCiphers(client);
    const received = new Received(client, options.socket);
    try {
      await handshake(client, options);
    } catch (error) {
      client.destroy();
      options.socket.destroy();
      throw error;
    } finally {
      await options.gate.settled();
    }
    reusePackets(client, options.socket);
    return new SshConnection(client, { ...options, received });
  }

  private constructor(client: Client, options: ConnectionOptions & { received: Received }) {
    this.#client = client;
    this.received = options.received;
    this.#socket = options.socket;
    this.#timers = options.timers;
    this.#signIn = options.signIn;
    this.description = options.description;
    client.on('error', (error) => (this.#lastError = error));
    client.on('close', () => this.#onClose());
  }

  get authenticatedBy(): string {
    return this.#signIn.succeededWith;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Fires once; with the reason, or undefined after `close`. */
  get onDidClose(): Event<Error | undefined> {
    return this.#closed.event;
  }

  /** Why it is gone; undefined while it is up. */
  readonly lostReason = (): LinkError | undefined => this.#lost;

  exec(command: string, options: { pty?: PtySize } = {}): Promise<ClientChannel> {
    const pty = options.pty === undefined ? {} : { pty: windowOf(options.pty) };
    return this.#open('a command', (done) => this.#client.exec(command, pty, done));
  }

  shell(size: PtySize): Promise<ClientChannel> {
    return this.#open('a terminal', (done) => this.#client.shell(windowOf(size), done));
  }

  /** A channel on which the server's SFTP subsystem listens. */
  sftpChannel(): Promise<ClientChannel> {
    return this.#open('SFTP', (done) => this.#client.subsys('sftp', done));
  }

  async dialSocket(path: string): Promise<Duplex> {
    const channel = await this.#open<ClientChannel>(`the socket ${path}`, (done) =>
      this.#client.openssh_forwardOutStreamLocal(path, done),
    );
    return new ChannelStream(channel, this);
  }

  async dialTcp(host: string, port: number): Promise<Duplex> {
    const channel = await this.#open<ClientChannel>(`a connection to ${host}:${port}`, (done) =>
      this.#client.forwardOut('127.0.0.1', 0, host, port, done),
    );
    return new ChannelStream(channel, this);
  }

  /** Listens on the far side. Port 0 chooses one. */
  async listenTcp(
    address: { host: string; port: number },
    onConnection: (stream: Duplex, from: { host: string; port: number }) => void,
  ): Promise<AsyncDisposable & { port: number }> {
    const { host } = address;
    const what = `a listener on ${host}:${address.port}`;
    const port = await this.#open<number>(what, (done) =>
      this.#client.forwardIn(host, address.port, done),
    );
    const onTcp = (
      details: { destIP: string; destPort: number; srcIP: string; srcPort: number },
      accept: () => ClientChannel,
    ) => {
      if (details.destPort !== port || details.destIP !== host) return;
      const from = { host: details.srcIP, port: details.srcPort };
      onConnection(new ChannelStream(accept(), this), from);
    };
    this.#client.on('tcp connection', onTcp);
    const dispose = async () => {
      this.#client.off('tcp connection', onTcp);
      if (!this.#isOpen) return;
      await this.#open<true>(what, (done) =>
        this.#client.unforwardIn(host, port, () => done(undefined, true)),
      );
    };
    return { port, [Symbol.asyncDispose]: dispose };
  }

  /**
   * Asks the server for something it must refuse (to cancel a forward that is not there) and
   * waits for its answer. Any SSH server answers this.
   */
  async ping(): Promise<void> {
    await this.#open<true>('a ping', (done) =>
      this.#client.unforwardIn('127.0.0.1', 1, () => done(undefined, true)),
    );
  }

  /** Says goodbye and waits until the connection is gone. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isClosing = true;
    const gone = new Promise<void>((resolve) => this.onDidClose(() => resolve()));
    this.#client.end();
    // A dead peer never answers the goodbye.
    const timer = this.#timers.after(GOODBYE_MS, () => this.#socket.destroy());
    await gone;
    timer[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onClose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#lost = lostError(this.description, this.#lastError);
    this.#closed.emit(this.#isClosing ? undefined : this.#lost);
  }

  /** Every request ends: with its answer, with the server's refusal, or with the link. */
  #open<T>(what: string, start: (done: (error: unknown, value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const listener = this.onDidClose(() => reject(this.#lost ?? lostError(this.description)));
      const done = (error: unknown, value: T) => {
        listener[Symbol.dispose]();
        // ssh2 reports `false` and null for «no error» in places.
        if (!(error instanceof Error)) resolve(value);
        else if (this.#isOpen) reject(this.#refused(error, what));
        else reject(lostError(this.description, error));
      };
      if (!this.#isOpen) {
        done(new Error('Not connected'), undefined as T);
        return;
      }
      try {
        start(done);
      } catch (error) {
        listener[Symbol.dispose]();
        reject(lostError(this.description, error));
      }
    });
  }

  #refused(error: Error, what: string): LinkError {
    const context = { phase: 'channel', host: this.description, what } as const;
    return fromSsh2(error, context);
  }
}

export interface PtySize {
  columns: number;
  rows: number;
  term: string;
}

function windowOf(size: PtySize) {
  return { cols: size.columns, rows: size.rows, term: size.term, width: 0, height: 0 };
}

function handshake(client: Client, options: ConnectionOptions): Promise<void> {
  const { gate, signIn, signal, description } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
      reject(asError(error));
    };
    const onAbort = () => fail(signal?.reason);
    const timer = options.timers.after(options.timeoutMs, () =>
      fail(timeoutError(description, gate.isPassed ? 'signing in' : 'the SSH handshake')),
    );
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const failure = (error: unknown) =>
      gate.refusal ??
      signIn.failure(error) ??
      fromSsh2(error, { phase: 'connect', host: description });
    client.on('error', (error) => {
      if (!signIn.isMinor(error)) fail(failure(error));
    });
    client.on('close', () => fail(failure(new Error('The server closed the connection.'))));
    client.on('handshake', () => gate.pass());
    client.once('ready', () => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
      client.setNoDelay(true);
      resolve();
    });
    start(client, options);
  });
}

function start(client: Client, options: ConnectionOptions): void {
  client.connect({
    sock: options.socket,
    username: options.user,
    hostVerifier: (key: Buffer) => options.gate.verify(key),
    algorithms: { serverHostKey: [...options.gate.algorithms] },
    authHandler: options.signIn.next,
    keepaliveInterval: options.keepaliveMs,
    keepaliveCountMax: UNANSWERED_KEEPALIVES,
    // The deadline above covers all of it.
    readyTimeout: 0,
    // Other servers than OpenSSH forward sockets as well; one that does not, refuses.
    strictVendor: false,
  });
}
