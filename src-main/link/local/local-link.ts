// This computer as a node: the same interface as over SSH, without SSH.
import { connect as connectSocket, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { quoteForShell } from '../quote.ts';
import type { Duplex } from 'node:stream';
import type { Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import { ChannelRefusedError, codeOf, lostError } from '../errors.ts';
import type {
  NodeLink,
  RemoteFiles,
  RemoteProcess,
  RunOptions,
  RunResult,
  SpawnOptions,
} from '../node-link.ts';
import { endOnAbort } from '../end-on-abort.ts';
import { runOnOwnChannel } from '../run-spawned.ts';
import { systemTimers } from '../system-timers.ts';
import { cleanEnvironment } from './environment.ts';
import { LocalFiles } from './local-files.ts';
import { exitCodeOfFailedStart, startLocally } from './local-process.ts';
import { startOnTerminal, type TerminalSize } from './local-terminal.ts';

export interface LocalLinkOptions {
  timers?: Timers;
  /** Default: this process's own, without what steers this app. */
  env?: Readonly<Record<string, string>>;
  /** Where programs start. Default: the user's home directory. */
  homeDir?: string;
}

/** Never drops: it is open until it is closed. `run` and `spawn` start programs directly. */
export class LocalLink implements NodeLink {
  readonly description = 'this computer';
  readonly authenticatedBy = 'local';
  readonly #timers: Timers;
  readonly #env: Readonly<Record<string, string>>;
  readonly #homeDir: string;
  readonly #closed = new Emitter<Error | undefined>();
  readonly #files = new LocalFiles();
  /** What a closing link takes with it, as the end of a connection would. */
  readonly #resources = new Set<AsyncDisposable>();
  #isOpen = true;

  constructor(options: LocalLinkOptions = {}) {
    this.#timers = options.timers ?? systemTimers;
    this.#env = options.env ?? cleanEnvironment(process.env);
    this.#homeDir = options.homeDir ?? homedir();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get onDidClose(): Event<Error | undefined> {
    return this.#closed.event;
  }

  async run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    this.#assertOpen();
    try {
      return await runOnOwnChannel(() => this.spawn(command, settingOf(options)), {
        ...options,
        timers: this.#timers,
        description: this.description,
      });
    } catch (error) {
      const exitCode = exitCodeOfFailedStart(error);
      if (exitCode === undefined) throw error;
      const stderr = Buffer.from((error as Error).message);
      return { exitCode, signal: null, stdout: Buffer.alloc(0), stderr, isTruncated: false };
    }
  }

  runScript(
    script: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> {
    if (options.stdin !== undefined) return this.run(['sh', '-c', script, 'sh', ...args], options);
    // Not as arguments, which everybody on this computer can read, and whose length is limited.
    const set = `set -- ${quoteForShell(args)}`.trimEnd();
    const stdin = `( ${set}; eval ${quoteForShell([script])} ) </dev/null\n`;
    return this.run(['sh'], { ...options, stdin });
  }

  async spawn(command: readonly string[], options: SpawnOptions = {}): Promise<RemoteProcess> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    const { pty, signal } = options;
    const own = {
      command,
      env: { ...this.#env, ...options.env },
      cwd: options.cwd ?? this.#homeDir,
    };
    const started = await (pty === undefined
      ? startLocally(own)
      : startOnTerminal({ ...own, size: pty }));
    this.#keep(started);
    // What this user started, he may end: nothing goes wrong with that here.
    endOnAbort(started, signal, { timers: this.#timers, onError: () => undefined });
    return started;
  }

  shell(size: TerminalSize): Promise<RemoteProcess> {
    const isWindows = process.platform === 'win32';
    const command = isWindows ? ['powershell.exe'] : [loginShell(this.#env), '-l'];
    return this.spawn(command, { pty: size });
  }

  files(): Promise<RemoteFiles> {
    this.#assertOpen();
    return Promise.resolve(this.#files);
  }

  dialSocket(path: string): Promise<Duplex> {
    this.#assertOpen();
    return this.#dial({ path }, `the socket ${path}`);
  }

  dialTcp(host: string, port: number): Promise<Duplex> {
    this.#assertOpen();
    // As over SSH: one side may be done while the other still sends.
    const to = { host, port, noDelay: true, allowHalfOpen: true };
    return this.#dial(to, `a connection to ${host}:${port}`);
  }

  async listenTcp(
    host: string,
    port: number,
    onConnection: (stream: Duplex, from: { host: string; port: number }) => void,
  ): Promise<AsyncDisposable & { port: number }> {
    this.#assertOpen();
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      onConnection(socket, { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
    });
    await new Promise<void>((resolve, reject) => {
      // Later ones are about a single connection (no more file descriptors); nobody waits for them.
      server.on('error', (error) => reject(refused(error, `a listener on ${host}:${port}`)));
      server.listen({ host, port }, resolve);
    });
    const listener = {
      port: (server.address() as { port: number }).port,
      [Symbol.asyncDispose]: () => {
        this.#resources.delete(listener);
        // Connections already handed over go on, as over SSH.
        server.close();
        return Promise.resolve();
      },
    };
    this.#resources.add(listener);
    return listener;
  }

  ping(): Promise<number> {
    this.#assertOpen();
    return Promise.resolve(0);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const resource of this.#resources) await resource[Symbol.asyncDispose]();
    this.#resources.clear();
    this.#closed.emit(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keep(started: RemoteProcess): void {
    this.#resources.add(started);
    const forget = () => this.#resources.delete(started);
    started.ended.then(forget, forget);
  }

  #dial(to: NetConnectOpts, what: string): Promise<Duplex> {
    return new Promise<Socket>((resolve, reject) => {
      const socket = connectSocket(to);
      const onError = (error: Error) => reject(refused(error, what));
      socket.once('error', onError);
      socket.once('connect', () => {
        socket.off('error', onError);
        const own = {
          [Symbol.asyncDispose]: () => Promise.resolve(void socket.destroy()),
        };
        this.#resources.add(own);
        socket.once('close', () => this.#resources.delete(own));
        resolve(socket);
      });
    });
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw lostError(this.description);
  }
}

function settingOf({ env, cwd }: RunOptions): SpawnOptions {
  return { ...(env === undefined ? {} : { env }), ...(cwd === undefined ? {} : { cwd }) };
}

function loginShell(env: Readonly<Record<string, string>>): string {
  return userInfo().shell ?? env['SHELL'] ?? '/bin/sh';
}

/** The same error as a channel that the SSH server refuses. */
function refused(error: unknown, what: string): ChannelRefusedError {
  const errno = codeOf(error);
  return new ChannelRefusedError(
    'link/channel-refused',
    `This computer refused to open ${what} (${errno}). Is the service running, and may you use it?`,
    {
      cause: error,
      retry: 'later',
      details: { host: 'this computer', what, reason: errno, step: 'open' },
    },
  );
}
