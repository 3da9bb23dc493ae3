import type { Duplex } from 'node:stream';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import { lostError, timeoutError } from '../errors.ts';
import type {
  LinkChannels,
  NodeLink,
  RemoteFiles,
  RemoteProcess,
  RunOptions,
  RunResult,
  SpawnOptions,
} from '../node-link.ts';
import { endOnAbort } from '../end-on-abort.ts';
import { runOnOwnChannel } from '../run-spawned.ts';
import type { PtySize, SshConnection } from './connection.ts';
import { execGuarded } from './guarded-exec.ts';
import { SessionPool } from './session-pool.ts';
import { SftpFiles } from './sftp-files.ts';
import { openSftp } from './sftp-open.ts';
import { ShellChannel } from './shell-channel.ts';
import { ShellPool } from './shell-pool.ts';
import { commandText, execText, longLivedShellText, scriptText } from './shell-text.ts';
import { SshProcess } from './ssh-process.ts';

export interface SshLinkOptions {
  control: SshConnection;
  /** Opens a further connection to the same host. */
  openExtra: () => Promise<SshConnection>;
  /** Closes what the connections go through. */
  closeJumps: () => Promise<void>;
  shellTimeoutMs: number;
  timers: Timers;
  clock: Pick<Clock, 'monotonic'>;
  log: (message: string, error: unknown) => void;
}

/** Longer input goes down a channel of its own, where it needs no encoding. */
const MAX_INLINE_INPUT_BYTES = 32 * 1024;

/** A node over SSH: one control connection, and more when its sessions are used up. */
export class SshLink implements NodeLink {
  readonly #options: SshLinkOptions;
  readonly #control: SshConnection;
  readonly #sessions: SessionPool;
  readonly #shells: ShellPool;
  readonly #closed = new Emitter<Error | undefined>();
  #files: Promise<SftpFiles> | undefined;
  #isClosing = false;

  constructor(options: SshLinkOptions) {
    const { control, timers, openExtra, log } = options;
    this.#options = options;
    this.#control = control;
    this.#sessions = new SessionPool({ control, openExtra, timers });
    this.#shells = new ShellPool({
      open: (onClose) => this.#openShell(onClose),
      timers,
      description: control.description,
      log,
    });
    control.onDidClose((reason) => void this.#onControlClosed(reason));
  }

  get description(): string {
    return this.#control.description;
  }

  get authenticatedBy(): string {
    return this.#control.authenticatedBy;
  }

  get isOpen(): boolean {
    return this.#control.isOpen && !this.#isClosing;
  }

  get onDidClose(): Event<Error | undefined> {
    return this.#closed.event;
  }

  /** SSH connections in use at the moment, for diagnosis. */
  get connectionCount(): number {
    return this.#sessions.connectionCount;
  }

  channels(): LinkChannels {
    return this.#sessions.channels;
  }

  run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.#run(options, (setting) => commandText(command, setting));
  }

  runScript(
    script: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> {
    return this.#run(options, (setting) => scriptText(script, args, setting));
  }

  spawn(command: readonly string[], options: SpawnOptions = {}): Promise<RemoteProcess> {
    return this.#spawnText(execText(command, options), options);
  }

  async shell(size: PtySize): Promise<RemoteProcess> {
    return this.#sessions.open('user', async (connection, release) => {
      const channel = await connection.shell(size);
      channel.on('close', release);
      return this.#process({ connection, channel, pid: undefined, isPty: true });
    });
  }

  async files(): Promise<RemoteFiles> {
    const files = await (this.#files ??= this.#openFiles());
    if (files.isOpen) return files;
    this.#files = undefined;
    return this.files();
  }

  dialSocket(path: string): Promise<Duplex> {
    return this.#control.dialSocket(path);
  }

  dialTcp(host: string, port: number): Promise<Duplex> {
    return this.#control.dialTcp(host, port);
  }

  listenTcp(
    host: string,
    port: number,
    onConnection: (stream: Duplex, from: { host: string; port: number }) => void,
  ): Promise<AsyncDisposable & { port: number }> {
    return this.#control.listenTcp({ host, port }, onConnection);
  }

  async ping(timeoutMs: number): Promise<number> {
    const { clock, timers } = this.#options;
    const started = clock.monotonic();
    const late = Promise.withResolvers<never>();
    const timer = timers.after(timeoutMs, () =>
      late.reject(timeoutError(this.description, 'a ping')),
    );
    try {
      await Promise.race([this.#control.ping(), late.promise]);
    } finally {
      timer[Symbol.dispose]();
    }
    return clock.monotonic() - started;
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    await this.#control.close();
    await this.#closeRest();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #onControlClosed(reason: Error | undefined): Promise<void> {
    this.#shells.close(this.#control.lostReason() ?? lostError(this.description));
    this.#closed.emit(reason);
    // A link that dropped is as closed as one that was closed.
    if (this.#isClosing) return;
    this.#isClosing = true;
    try {
      await this.#closeRest();
    } catch (error) {
      this.#options.log('Closing the rest of a dropped link failed.', error);
    }
  }

  async #closeRest(): Promise<void> {
    await this.#sessions.close();
    await this.#options.closeJumps();
  }

  #run(
    options: RunOptions,
    text: (setting: Pick<RunOptions, 'env' | 'cwd' | 'stdin'>) => string,
  ): Promise<RunResult> {
    const { stdin = '', env, cwd, ...limits } = options;
    const setting = {
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    };
    if (stdin.length <= MAX_INLINE_INPUT_BYTES) {
      return this.#shells.run(text({ ...setting, stdin }), limits);
    }
    // The text reads nothing from its own input but what the redirection leaves it.
    const body = execText(['sh', '-c', withOwnInput(text(setting))], {});
    return runOnOwnChannel(() => this.#spawnText(body, {}), {
      ...options,
      stdin,
      timers: this.#options.timers,
      description: this.description,
    });
  }

  #spawnText(body: string, options: SpawnOptions): Promise<RemoteProcess> {
    const purpose = options.isBulk === true ? 'bulk' : 'user';
    return this.#sessions.open(purpose, async (connection, release) => {
      options.signal?.throwIfAborted();
      const { timers, shellTimeoutMs: timeoutMs } = this.#options;
      const { pty } = options;
      const { channel, pid } = await execGuarded(connection, { body, pty, timeoutMs, timers });
      channel.on('close', release);
      const process = this.#process({ connection, channel, pid, isPty: pty !== undefined });
      const onError = (error: unknown) => this.#options.log('A program could not be ended.', error);
      endOnAbort(process, options.signal, { timers, onError });
      return process;
    });
  }

  #process(own: {
    connection: SshConnection;
    channel: ConstructorParameters<typeof SshProcess>[0]['channel'];
    pid: number | undefined;
    isPty: boolean;
  }): SshProcess {
    return new SshProcess({
      ...own,
      killGroup: (pid, signal) => this.#shells.killGroup(pid, signal),
    });
  }

  #openShell(onClose: () => void): Promise<ShellChannel> {
    return this.#sessions.open('control', async (connection, release) => {
      const { timers, shellTimeoutMs: timeoutMs } = this.#options;
      const options = { body: longLivedShellText, timeoutMs, timers };
      const opened = await execGuarded(connection, options);
      return new ShellChannel(connection, opened, () => {
        release();
        onClose();
      });
    });
  }

  async #openFiles(): Promise<SftpFiles> {
    const { timers, shellTimeoutMs: timeoutMs } = this.#options;
    try {
      return await this.#sessions.open('control', async (connection, release) => {
        const session = await openSftp(connection, { timeoutMs, timers });
        void session.ended.then(release);
        return new SftpFiles(session, connection);
      });
    } catch (error) {
      this.#files = undefined;
      throw error;
    }
  }
}

/** The text was made for a shell without input of its own; here its input is what is piped in. */
function withOwnInput(text: string): string {
  return text.replace(/ <\/dev\/null$/, '');
}
