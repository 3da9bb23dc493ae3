// New versions, by electron-updater. Off unless the person wants it: the app then asks the place
// its builder wrote into it, once a day, and installs only when told to.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RequestError } from '../../contract/errors.ts';
import type { Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';

const dayMs = 24 * 60 * 60_000;

/** As much of electron-updater as is used. */
export interface Updater {
  autoDownload: boolean;
  autoInstallOnAppQuit: boolean;
  allowDowngrade: boolean;
  checkForUpdates(): Promise<unknown>;
  downloadUpdate(): Promise<unknown>;
  quitAndInstall(): void;
  on(event: 'update-available', listener: (info: { version: string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface UpdatesOptions {
  /** Whether this build says where to look: `app-update.yml` is among its resources. */
  canUpdate: boolean;
  load: () => Promise<Updater>;
  timers: Timers;
  onError: (error: unknown) => void;
}

export class Updates implements Disposable {
  readonly #options: UpdatesOptions;
  readonly #found = new Emitter<string>();
  readonly onDidFind = this.#found.event;
  #updater: Promise<Updater> | undefined;
  #timer: Disposable | undefined;
  #newVersion: string | null = null;

  constructor(options: UpdatesOptions) {
    this.#options = options;
  }

  get canUpdate(): boolean {
    return this.#options.canUpdate;
  }

  get newVersion(): string | null {
    return this.#newVersion;
  }

  /** Looks now and once a day, or no longer. */
  follow(isWanted: boolean): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (!isWanted || !this.canUpdate) return;
    const check = (): void => {
      this.#check().catch(this.#options.onError);
    };
    this.#timer = this.#options.timers.every(dayMs, check);
    check();
  }

  /** Downloads what was found and restarts into it. Throws `conflict/state` when there is nothing. */
  async install(): Promise<string> {
    const version = this.#newVersion;
    if (version === null) throw new RequestError('conflict/state', 'No new version is known.');
    const updater = await this.#loaded();
    await updater.downloadUpdate();
    updater.quitAndInstall();
    return version;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  async #check(): Promise<void> {
    await (await this.#loaded()).checkForUpdates();
  }

  #loaded(): Promise<Updater> {
    return (this.#updater ??= this.#load());
  }

  async #load(): Promise<Updater> {
    const updater = await this.#options.load();
    updater.autoDownload = false;
    updater.autoInstallOnAppQuit = false;
    updater.allowDowngrade = false;
    updater.on('update-available', ({ version }) => {
      this.#newVersion = version;
      this.#found.emit(version);
    });
    updater.on('error', this.#options.onError);
    return updater;
  }
}

/** Written by electron-builder where it was told where versions are published. */
export function hasUpdatePlace(resourcesPath: string | undefined): boolean {
  return resourcesPath !== undefined && existsSync(join(resourcesPath, 'app-update.yml'));
}

/** Loaded only when it is wanted: it asks Electron for things as it loads. */
export async function loadUpdater(): Promise<Updater> {
  return (await import('electron-updater')).default.autoUpdater;
}
