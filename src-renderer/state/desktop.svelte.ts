// The desktop app around the page: how it behaves on this computer, which cores it knows, what went
// wrong in it. In a browser there is none.
import type {
  CoreAddress,
  DesktopPreferences,
  DesktopState,
  KnownCore,
  Trouble,
  Wish,
} from '../../src-main/contract/desktop.ts';
import type {
  HostKeyConsent,
  HostKeyReport,
  SshDestination,
} from '../../src-main/contract/node.ts';
import type { DesktopClient } from '../lib/connect.ts';

export interface NewCore {
  name: string;
  address: CoreAddress;
  token?: string;
  consent?: HostKeyConsent;
}

export class Desktop {
  readonly #client: DesktopClient;
  #state = $state.raw<DesktopState | undefined>(undefined);
  /** The list of cores is open. */
  isChoosingCore = $state(false);

  constructor(client: DesktopClient) {
    this.#client = client;
  }

  /** Undefined until the app has answered. */
  get state(): DesktopState | undefined {
    return this.#state;
  }

  get current(): KnownCore | undefined {
    return this.#state?.cores.find(({ id }) => id === this.#state?.current);
  }

  /** Follows the app; `onWish` hears what its menus and links ask of the page. Returns what stops it. */
  start(onWish: (wish: Wish) => void, onError: (error: unknown) => void): () => void {
    const take = (state: DesktopState): void => void (this.#state = state);
    const follows = [
      this.#client.feed((api, signal) => api.desktop.watch(undefined, { signal }), {
        onSnapshot: take,
        onChange: take,
        onError,
      }),
      this.#client.feed((api, signal) => api.desktop.watchWishes(undefined, { signal }), {
        onSnapshot: (wishes) => wishes.forEach(onWish),
        onChange: onWish,
        onError,
      }),
    ];
    return () => follows.forEach((follow) => follow[Symbol.dispose]());
  }

  async setPreferences(changes: Partial<DesktopPreferences>): Promise<void> {
    await this.#client.api.desktop.setPreferences(changes);
  }

  async inspect(destination: SshDestination): Promise<HostKeyReport[]> {
    return (await this.#client.api.cores.inspect({ destination })).hostKeys;
  }

  add(core: NewCore): Promise<KnownCore> {
    return this.#client.api.cores.add(core);
  }

  async switchTo(id: string): Promise<void> {
    await this.#client.api.cores.switchTo({ id });
  }

  async forget(id: string): Promise<void> {
    await this.#client.api.cores.forget({ id });
  }

  diagnostics(): Promise<{ label: string; value: string }[]> {
    return this.#client.api.desktop.diagnostics();
  }

  troubles(): Promise<Trouble[]> {
    return this.#client.api.desktop.troubles();
  }

  async removeTroubles(): Promise<void> {
    await this.#client.api.desktop.removeTroubles();
  }

  /** Keeps an error of the page that nothing caught, on this computer. */
  async report(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const details = error instanceof Error ? (error.stack ?? '') : '';
    await this.#client.api.desktop.reportTrouble({
      message: message.slice(0, 2000),
      details: details.slice(0, 20_000),
    });
  }

  /** Starts dragging a file of this computer out of the window; to be called as a drag begins. */
  async dragOut(path: string): Promise<void> {
    await this.#client.api.desktop.dragOut({ path });
  }

  async keepInBackground(): Promise<void> {
    await this.#client.api.desktop.keepInBackground();
  }

  async quit(): Promise<void> {
    await this.#client.api.desktop.quit();
  }

  async installUpdate(): Promise<void> {
    await this.#client.api.desktop.installUpdate();
  }
}
