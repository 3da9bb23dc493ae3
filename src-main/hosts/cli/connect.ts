// Finds the core a command is for, starts one where none runs, and keeps the connection.
import { createClient, type Api, type ConnectedClient } from '../../contract/client.ts';
import { AppError } from '../../contract/errors.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { attachToLocalCore, attachToUrl } from '../server/attach.ts';
import { NoCoreError, RefusedError } from './errors.ts';
import { sleep } from './sleep.ts';
import { spawnCore } from './spawn-core.ts';

/** Which core a command is for. */
export type CoreChoice =
  | { readonly kind: 'local'; readonly dataDir: string; readonly maySpawn: boolean }
  | { readonly kind: 'remote'; readonly url: string; readonly token: string };

/** How long a core that has gone away is waited for by commands that follow something. */
const reconnectPatienceMs = 30_000;
const retryEveryMs = 500;

/** A connection to a core that can be made again. */
export class CoreConnection {
  readonly #choice: CoreChoice;
  #client: ConnectedClient;
  #isLost = false;
  #reconnecting: Promise<void> | undefined;

  constructor(choice: CoreChoice, port: WirePort) {
    this.#choice = choice;
    this.#client = this.#clientOver(port);
  }

  get client(): ConnectedClient {
    return this.#client;
  }

  get api(): Api {
    return this.#client.api;
  }

  /** Paths given on this command line mean the same to the core. */
  get isLocal(): boolean {
    return this.#choice.kind === 'local';
  }

  /**
   * Runs `work`, and runs it again over a new connection when the connection was lost meanwhile.
   * Throws NoCoreError when the core stays away.
   */
  async throughLosses<T>(work: (client: ConnectedClient) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work(this.#client);
      } catch (error) {
        if (!this.#isLost || !isLoss(error)) throw error;
        this.#reconnecting ??= this.#reconnect(error).finally(() => {
          this.#reconnecting = undefined;
        });
        await this.#reconnecting;
      }
    }
  }

  /** Resolves when the connection has ended, from whichever side. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.onDidClose(() => {
        resolve();
      });
    });
  }

  close(): void {
    this.#client.close();
  }

  #clientOver(port: WirePort): ConnectedClient {
    const client = createClient(port);
    this.#isLost = false;
    client.onDidClose(() => {
      this.#isLost = true;
    });
    return client;
  }

  async #reconnect(cause: unknown): Promise<void> {
    for (let waitedMs = 0; waitedMs < reconnectPatienceMs; waitedMs += retryEveryMs) {
      await sleep(retryEveryMs);
      try {
        this.#client = this.#clientOver(await openPort(this.#choice));
        return;
      } catch (error) {
        if (!isLoss(error)) throw error;
      }
    }
    throw new NoCoreError('The core has gone and did not come back. Work on nodes goes on.', cause);
  }
}

/**
 * Connects to the core. Where none runs for a data directory, starts one in the background, or
 * throws NoCoreError where that is not wanted.
 */
export async function connectToCore(choice: CoreChoice): Promise<CoreConnection> {
  if (choice.kind === 'remote') return new CoreConnection(choice, await openPort(choice));
  try {
    return new CoreConnection(choice, await openPort(choice));
  } catch (error) {
    if (!isLoss(error)) throw error;
    if (!choice.maySpawn) {
      throw new NoCoreError(
        `No core is running for ${choice.dataDir}. Start one with "kohakuriver serve", or open the app.`,
        error,
      );
    }
  }
  return new CoreConnection(choice, await spawnCore(choice.dataDir));
}

async function openPort(choice: CoreChoice): Promise<WirePort> {
  if (choice.kind === 'local') return attachToLocalCore(choice.dataDir);
  try {
    return await attachToUrl(choice.url, choice.token);
  } catch (error) {
    throw isRefusal(error)
      ? new RefusedError(
          `The core at ${choice.url} does not accept this token. Give the one that "kohakuriver serve --json" printed with --token or KOHAKURIVER_TOKEN.`,
          error,
        )
      : error;
  }
}

/** The connection could not be made, or is gone. */
function isLoss(error: unknown): boolean {
  return (
    error instanceof AppError &&
    (error.code === 'core/unavailable' || error.code === 'core/stopping')
  );
}

/** `ws` tells an HTTP refusal of the handshake only in words. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /server response: 40[13]/.test(error.message);
}
