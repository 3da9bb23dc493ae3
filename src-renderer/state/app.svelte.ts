// What the whole app shares, made once by the page and reached through Svelte's context.
import { createContext, type Component } from 'svelte';
import type { CoreStatus } from '../lib/contract-types.ts';
import type { Wish } from '../../src-main/contract/desktop.ts';
import type { ConnectionState, CoreClient } from '../lib/client.ts';
import { Actions } from './actions.svelte.ts';
import { BottomPanel } from './bottom-panel.svelte.ts';
import type { DesktopClient } from '../lib/connect.ts';
import { Desktop } from './desktop.svelte.ts';
import { Files } from './files.svelte.ts';
import { Fleet } from './fleet.svelte.ts';
import { Forwards } from './forwards.svelte.ts';
import { Kept } from './kept.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { Registry, type Registered } from './registry.svelte.ts';
import { Router } from './router.svelte.ts';
import { Terminals } from './terminals.svelte.ts';
import { Theme } from './theme.svelte.ts';
import { Ticker } from './ticker.svelte.ts';
import { Toasts } from './toasts.svelte.ts';
import { Workspaces } from './workspaces.svelte.ts';

/** Something small that stands in the status bar or over every page: it is only mounted. */
export interface Mounted extends Registered {
  readonly component: Component;
}

export class App {
  readonly client: CoreClient;
  /** What the palette offers. */
  readonly actions = new Actions();
  readonly panel = new BottomPanel();
  /** Items of the status bar, left to right. Their links and buttons get the bar's looks. */
  readonly statusItems = new Registry<Mounted>();
  /** Dialogs and the like that belong to no page. */
  readonly overlays = new Registry<Mounted>();
  readonly files: Files;
  readonly workspaces: Workspaces;
  readonly fleet: Fleet;
  readonly router = new Router();
  readonly terminals = new Terminals();
  readonly forwards = new Forwards();
  readonly toasts = new Toasts();
  readonly ticker = new Ticker();
  readonly theme: Theme;
  readonly notices: Notices;
  readonly kept: Kept;
  /** The desktop app around the page; undefined in a browser. */
  readonly desktop: Desktop | undefined;
  #connection = $state<ConnectionState>('connecting');
  #core = $state.raw<CoreStatus | undefined>(undefined);
  /** The command palette is open. */
  isPaletteOpen = $state(false);
  /** The sheet of shortcuts is open. */
  isShowingKeys = $state(false);
  /** The wizard that adds a node is open. */
  isAddingNode = $state(false);

  constructor(client: CoreClient, desktop?: DesktopClient) {
    this.client = client;
    this.desktop = desktop === undefined ? undefined : new Desktop(desktop);
    this.fleet = new Fleet(client);
    this.theme = new Theme(client);
    this.notices = new Notices(client, this.toasts);
    this.kept = new Kept(client);
    this.files = new Files(this);
    this.workspaces = new Workspaces(this);
    this.#connection = client.state;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get core(): CoreStatus | undefined {
    return this.#core;
  }

  /** Starts everything shared; returns what stops it. */
  start(): () => void {
    const state = this.client.onDidChangeState((next) => (this.#connection = next));
    this.#connection = this.client.state;
    const core = this.client.feed((api, signal) => api.core.watch(undefined, { signal }), {
      onSnapshot: (value) => (this.#core = value),
      onChange: (value) => (this.#core = value),
      onError: (error) => this.toasts.failed(error),
    });
    this.theme.load().catch((error: unknown) => this.toasts.failed(error));
    const stops = [
      this.fleet.start(),
      this.terminals.start(this.client, (error) => this.toasts.failed(error)),
      this.forwards.start(this.client, (error) => this.toasts.failed(error)),
      this.router.start(),
      this.notices.start(),
      this.files.start(),
      this.workspaces.start(),
      this.kept.start((error) => this.toasts.failed(error)),
      this.theme.start(),
      this.ticker.start(),
      this.desktop?.start(
        (wish) => this.#grant(wish),
        (error) => this.toasts.failed(error),
      ) ?? (() => undefined),
    ];
    return () => {
      state[Symbol.dispose]();
      core[Symbol.dispose]();
      for (const stop of stops) stop();
    };
  }

  /** What a menu, the tray, a notification or a link asked for. */
  #grant(wish: Wish): void {
    if (wish.do === 'go') this.router.go(wish.path);
    else if (wish.do === 'palette') this.isPaletteOpen = true;
    else if (wish.do === 'add-node') this.isAddingNode = true;
    else if (this.desktop !== undefined) this.desktop.isChoosingCore = true;
  }

  /** Does something and shows its failure; true when it went well. */
  async attempt(work: () => Promise<unknown>, doneText?: string): Promise<boolean> {
    try {
      await work();
      if (doneText !== undefined) this.toasts.done(doneText);
      return true;
    } catch (error) {
      this.toasts.failed(error);
      return false;
    }
  }
}

export const [useApp, provideApp] = createContext<App>();
