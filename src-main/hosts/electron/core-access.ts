import type { Core, CreateCore } from '../../api/core-door.ts';
import { serveWire } from '../../api/wire/serve-wire.ts';
import { AppError } from '../../contract/errors.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import type { Keychain } from '../../store/vault/key-wraps.ts';
import { removeCoreFile, writeCoreFile } from '../core-file.ts';
import { ownCommand } from '../own-command.ts';
import { attachToLocalCore } from '../server/attach.ts';
import { startLocalSocket, type LocalSocket } from '../server/local-socket.ts';

export interface CoreAccessOptions {
  dataDir: string;
  version: string;
  who: string;
  createCore: CreateCore;
  now: () => number;
  /** Where the operating system keeps secrets; asked for when a core is started here. */
  keychain: () => Keychain | undefined;
  /** A client asked our core to stop. */
  onStopRequested: () => void;
}

/** The core behind the app's windows: its own, or the one that has the data directory already. */
export class CoreAccess {
  readonly #options: CoreAccessOptions;
  #own: { core: Core; socket: LocalSocket } | undefined;
  /** No page gets a core any more, nor is one started for it. */
  #isOver = false;

  constructor(options: CoreAccessOptions) {
    this.#options = options;
  }

  /** The core that runs in this process; undefined while the windows are clients of another. */
  get ownCore(): Core | undefined {
    return this.#own?.core;
  }

  /** Starts a core here, unless another process has the data directory. Throws what stops it. */
  async start(): Promise<'own' | 'attached'> {
    const { createCore, dataDir, version, keychain } = this.#options;
    try {
      const core = await createCore({
        dataDir,
        host: 'electron',
        version,
        keychain: keychain(),
        command: ownCommand(dataDir),
      });
      await this.#openDoor(core);
      return 'own';
    } catch (error) {
      if (error instanceof AppError && error.code === 'store/locked') return 'attached';
      throw error;
    }
  }

  /** Connects a window. One whose core elsewhere has ended gets a core of this process. */
  async connect(page: WirePort): Promise<void> {
    if (this.#own === undefined && !this.#isOver) {
      const core = await this.#reachOther();
      if (core !== undefined) {
        relay(page, core);
        return;
      }
    }
    if (this.#own === undefined) {
      page.close();
      return;
    }
    const { router, streams, log } = this.#own.core;
    serveWire(page, {
      router,
      streams,
      log,
      context: { who: this.#options.who, host: 'electron', isOwner: true },
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    await removeCoreFile(this.#options.dataDir, process.pid);
    await own.socket.stop();
    await own.core.stop();
  }

  async #openDoor(core: Core): Promise<void> {
    const { dataDir, who, version, now } = this.#options;
    try {
      const socket = await startLocalSocket({ core, dataDir, who });
      await writeCoreFile(dataDir, {
        pid: process.pid,
        socket: socket.path,
        url: null,
        startedAt: now(),
        version,
      });
      core.onDidRequestStop(this.#options.onStopRequested);
      this.#own = { core, socket };
    } catch (error) {
      await core.stop();
      throw error;
    }
  }

  /** The other core's port; undefined when it is gone and one was started here instead. */
  async #reachOther(): Promise<WirePort | undefined> {
    try {
      return await attachToLocalCore(this.#options.dataDir);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'core/unavailable') throw error;
      await this.start();
      return undefined;
    }
  }
}

/** Joins two ports: what one receives the other sends, and both end together. */
export function relay(left: WirePort, right: WirePort): void {
  left.onMessage((message) => {
    right.send(message);
  });
  right.onMessage((message) => {
    left.send(message);
  });
  left.onClose(() => {
    right.close();
  });
  right.onClose(() => {
    left.close();
  });
}
