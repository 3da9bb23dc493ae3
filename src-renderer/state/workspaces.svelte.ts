// The workspaces that were opened in this window. One with something unsaved stays until it is saved.
import type { FileLocation } from '../../src-main/contract/files.ts';
import { workspace as words } from '../lib/texts/workspace.ts';
import type { App } from './app.svelte.ts';
import { valueOfPlace } from './file-places.svelte.ts';
import { Workspace } from './workspace.svelte.ts';

/** Others than the last ones are forgotten, unless something is unsaved in them. */
const mostOpen = 4;

export class Workspaces {
  readonly #app: App;
  #open: readonly { readonly key: string; readonly workspace: Workspace }[] = [];

  constructor(app: App) {
    this.#app = app;
  }

  /** Keeps the page from being closed over what is not saved. */
  start(): () => void {
    const onLeave = (event: BeforeUnloadEvent): void => {
      const names = this.#open.flatMap(({ workspace }) =>
        workspace.dirtyTabs.map(({ title }) => title),
      );
      if (names.length === 0) return;
      event.preventDefault();
      // A browser asks by itself; the desktop app's window only stays.
      this.#app.toasts.show({ tone: 'info', ...words.unsavedToast(names.join(', ')) });
    };
    window.addEventListener('beforeunload', onLeave);
    return () => window.removeEventListener('beforeunload', onLeave);
  }

  /** The workspace of a folder, as it was left. */
  at(location: FileLocation): Workspace {
    const key = `${valueOfPlace(location.place)} ${location.path}`;
    const known = this.#open.find((each) => each.key === key);
    const one = known ?? { key, workspace: this.#made(location, key) };
    const others = this.#open.filter((each) => each !== one);
    const surplus = others
      .filter(({ workspace }) => workspace.dirtyTabs.length === 0)
      .slice(mostOpen - 1);
    for (const { workspace } of surplus) for (const tab of workspace.tabs) tab.close();
    this.#open = [one, ...others.filter((each) => !surplus.includes(each))];
    return one.workspace;
  }

  #made(location: FileLocation, key: string): Workspace {
    const { client, toasts } = this.#app;
    return new Workspace({ client, location, key, failed: (error) => toasts.failed(error) });
  }
}
