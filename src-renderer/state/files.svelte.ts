// The files page and the transfers panel, as far as they live on while pages change: where both panes
// are, what is being moved, and every way in which files are sent somewhere.
import type { FileLocation, FilePlace } from '../../src-main/contract/files.ts';
import type { TransferId } from '../../src-main/contract/transfers.ts';
import { entriesOf, readEntries, readPicked, type Chosen } from '../lib/files/chosen.ts';
import type { DraggedFiles } from '../lib/files/dragged.ts';
import { shownName } from '../lib/files/paths.ts';
import { pathOfFile } from '../lib/connect.ts';
import { transfers as words } from '../lib/texts/files.ts';
import type { App } from './app.svelte.ts';
import { FilePane } from './file-pane.svelte.ts';
import { FilePlaces, valueOfPlace } from './file-places.svelte.ts';
import { Transfers } from './transfers.svelte.ts';
import { Uploads } from './uploads.svelte.ts';

/** The tab of the bottom panel that transfers are in. */
export const transfersTab = 'transfers';

export class Files {
  readonly #app: App;
  readonly left: FilePane;
  readonly right: FilePane;
  readonly places: FilePlaces;
  readonly transfers = new Transfers();
  readonly uploads: Uploads;
  readonly #waiting = new Map<TransferId, (isDone: boolean) => void>();

  /** Moves that are not over: the core's and this page's. */
  readonly active = $derived.by(() => this.transfers.active + this.uploads.active);

  constructor(app: App) {
    this.#app = app;
    this.left = new FilePane(app.client);
    this.right = new FilePane(app.client);
    this.places = new FilePlaces(app);
    this.uploads = new Uploads(app.client, (upload) => this.#told(upload, upload.order.to));
  }

  /** Follows the core's queue, and keeps the page from being closed under an upload. */
  start(): () => void {
    const stop = this.transfers.start(this.#app.client, {
      news: (view) => {
        // One that is repeated at every change of a file is no news where nothing differed.
        const isIdle = view.request.sync !== null && view.progress.bytesMoved === 0;
        this.#told(view, view.request.to, isIdle);
        this.#waiting.get(view.id)?.(view.status === 'DONE');
        this.#waiting.delete(view.id);
      },
      error: (error) => this.#app.toasts.failed(error),
    });
    const onLeave = (event: BeforeUnloadEvent): void => {
      if (this.uploads.active > 0) event.preventDefault();
    };
    window.addEventListener('beforeunload', onLeave);
    return () => {
      stop();
      window.removeEventListener('beforeunload', onLeave);
    };
  }

  otherOf(pane: FilePane): FilePane {
    return pane === this.left ? this.right : this.left;
  }

  /**
   * Copies within what the core reaches, in the background. Resolves when it is queued, with its ID;
   * undefined when it could not be.
   */
  async copy({ place, paths }: DraggedFiles, to: FileLocation): Promise<TransferId | undefined> {
    if (paths.length === 0) return undefined;
    let id: TransferId | undefined;
    await this.#app.attempt(async () => {
      const request = { from: { place, paths: [...paths] }, to: { ...to, as: 'into' as const } };
      ({ id } = await this.#app.client.api.transfers.start(request));
      this.#app.panel.open(transfersTab);
    });
    return id;
  }

  /** Resolves when a transfer is over or asks; with whether all of it is there. */
  ended(id: TransferId): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.set(id, resolve);
    return promise;
  }

  /** Brings what was dropped from the desktop into a folder. */
  async takeDrop(transfer: DataTransfer, to: FileLocation): Promise<void> {
    const paths = this.pathsOf([...transfer.files]);
    if (paths !== undefined) {
      await this.copy({ place: { kind: 'here' }, paths }, to);
      return;
    }
    const entries = entriesOf(transfer);
    await this.#app.attempt(async () => this.upload(await readEntries(entries), to));
  }

  /** Brings what was chosen in a file picker into a folder. */
  async takePicked(list: FileList, to: FileLocation): Promise<void> {
    const chosen = readPicked(list);
    const isFolder = chosen.folders.length > 0;
    const paths = isFolder ? undefined : this.pathsOf([...list]);
    if (paths === undefined) await this.upload(chosen, to);
    else await this.copy({ place: { kind: 'here' }, paths }, to);
  }

  /** Sends files of this browser; resolves when they are there (true), have failed, or ask. */
  async upload(chosen: Chosen, to: FileLocation): Promise<boolean> {
    if (chosen.files.length + chosen.folders.length === 0) return false;
    this.#app.panel.open(transfersTab);
    return this.uploads.start({ chosen, to, toLabel: this.places.label(to.place) });
  }

  /** Where a file lies on the desktop's own computer; undefined when it is anywhere else. */
  ownPath(place: FilePlace, path: string): string | undefined {
    const isHere = this.#app.desktop?.current?.id === 'here' && place.kind === 'here';
    return isHere ? path : undefined;
  }

  /** Where files of the desktop lie, when the core shown runs on this very computer. */
  pathsOf(files: readonly File[]): readonly string[] | undefined {
    if (this.#app.desktop?.current?.id !== 'here' || files.length === 0) return undefined;
    const paths = files.map(pathOfFile).filter((path) => path !== undefined);
    return paths.length === files.length ? paths : undefined;
  }

  #told(move: { status: string; title: string }, to: FileLocation, isQuiet = false): void {
    const { toasts, panel } = this.#app;
    const title = shownName(move.title);
    const action = { label: words.show, run: () => panel.open(transfersTab) };
    if (move.status === 'DONE') {
      if (!isQuiet) toasts.done(words.doneToast(title));
    } else if (move.status === 'FAILED') {
      toasts.show({ tone: 'info', title: words.failedToast(title), action });
    } else if (move.status === 'ASKING') {
      toasts.show({ tone: 'info', title: words.asks(title), action });
    }
    for (const pane of [this.left, this.right]) {
      const isThere = valueOfPlace(pane.place) === valueOfPlace(to.place);
      if (isThere && pane.path === to.path) void pane.reload();
    }
  }
}
