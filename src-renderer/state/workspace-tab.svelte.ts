// One open file of a workspace: its text and what became of it here and on the far side.
import { fetchAgain } from '../lib/fetch-again.ts';
import { baseName, shownName } from '../lib/files/paths.ts';
import { separatorOf } from '../lib/files/file-types.ts';
import { workspace as words } from '../lib/texts/workspace.ts';
import type { TextDocument, TextVersion } from '../lib/text-editor.ts';
import type { FileLocation } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import { OpenedFile } from './opened-file.svelte.ts';

/** What a tab asks of its workspace. */
export interface TabOwner {
  readonly client: CoreClient;
  /** A text was changed by typing. */
  edited: (tab: WorkspaceTab) => void;
  saved: () => void;
  failed: (error: unknown) => void;
}

export class WorkspaceTab {
  readonly path: string;
  readonly file: OpenedFile;
  readonly #owner: TabOwner;
  #document = $state.raw<TextDocument | undefined>(undefined);
  #isDirty = $state(false);
  #isSaving = $state(false);
  #conflict = $state<'changed' | 'gone' | undefined>(undefined);
  #cursor = $state.raw({ line: 1, column: 1 });
  #line: number | undefined;
  #isOpened = false;
  #isOver = false;
  #isLookDue = false;
  #looking: Promise<void> | undefined;
  /** A table is shown as one until its text is asked for. */
  isTable = $state(false);

  constructor(location: FileLocation, owner: TabOwner) {
    this.path = location.path;
    this.file = new OpenedFile(owner.client, location);
    this.#owner = owner;
    this.isTable = separatorOf(location.path) !== undefined;
  }

  /** To show; not to be taken for the name itself. */
  get title(): string {
    return shownName(baseName(this.path));
  }
  get isDirty(): boolean {
    return this.#isDirty;
  }
  get isSaving(): boolean {
    return this.#isSaving;
  }
  /** What became of the file meanwhile, where that stands between it and what is here. */
  get conflict(): 'changed' | 'gone' | undefined {
    return this.#conflict;
  }
  get cursor(): { readonly line: number; readonly column: number } {
    return this.#cursor;
  }
  /** The text in its editor; undefined while it is read, and for what is no text. */
  get document(): TextDocument | undefined {
    return this.#document;
  }

  /** Reads it when it is first looked at. */
  open(): void {
    if (this.#isOpened) return;
    this.#isOpened = true;
    void this.reload();
  }

  /** Reads it (again); what was typed is dropped. */
  async reload(): Promise<void> {
    await this.file.load();
    await this.#showContent();
    this.#conflict = undefined;
  }

  /** Shows another part of a large file. */
  async move(position: number): Promise<void> {
    await this.file.move(position);
    await this.#showContent();
  }

  goTo(line: number): void {
    this.isTable = false;
    this.#line = line;
    this.#goToLine();
  }

  /** Writes what is here; a file that is not what was read is left alone unless it is forced. */
  async save({ isForced = false, isAuto = false } = {}): Promise<boolean> {
    const document = this.#document;
    if (document === undefined || this.#isSaving) return false;
    if (!this.#isDirty && !isForced) return true;
    if (isAuto && this.#conflict !== undefined) return false;
    this.#isSaving = true;
    try {
      return await this.#write(document, isForced);
    } catch (error) {
      this.#owner.failed(error);
      return false;
    } finally {
      this.#isSaving = false;
    }
  }

  /**
   * Something happened to the file: what is here follows, unless it was changed here too. One look at a
   * time, and one more after it for all that was told meanwhile.
   */
  look(): Promise<void> {
    this.#isLookDue = true;
    this.#looking ??= this.#lookWhileDue();
    return this.#looking;
  }

  close(): void {
    this.#isOver = true;
    this.#document?.hide();
    this.file.close();
  }

  async #lookWhileDue(): Promise<void> {
    try {
      while (this.#isLookDue) {
        this.#isLookDue = false;
        await this.#lookOnce();
      }
    } finally {
      this.#looking = undefined;
    }
  }

  async #lookOnce(): Promise<void> {
    if (!this.#isOpened || !this.#isQuiet()) return;
    const { content } = this.file;
    if (content.kind === 'reading') return;
    if (content.kind === 'problem') return this.reload();
    const difference = await this.file.difference();
    // What was saved or read meanwhile is newer than what was seen.
    if (!this.#isQuiet() || this.file.content !== content) return;
    if (difference === 'same') this.#conflict = undefined;
    else if (difference === 'gone' || this.#isDirty) this.#conflict = difference;
    else await this.#follow();
  }

  #isQuiet(): boolean {
    return !this.#isSaving && !this.#isOver;
  }

  async #write(document: TextDocument, isForced: boolean): Promise<boolean> {
    const version: TextVersion = document.version();
    const outcome = await this.file.save(document.text(), { isForced });
    this.#conflict = outcome === 'saved' ? undefined : outcome;
    if (outcome !== 'saved') return false;
    document.markSaved(version);
    this.#owner.saved();
    return true;
  }

  /** Reads again what is shown: of a large file the part that was looked at. */
  async #follow(): Promise<void> {
    const from = this.file.part?.from ?? 0;
    if (from !== 0) return this.move(from);
    // What is typed or saved while it is read stays, and so does what a save compares with.
    if (await this.file.load(() => !this.#isDirty && this.#isQuiet())) {
      await this.#showContent();
      this.#conflict = undefined;
    } else if (this.#isDirty) this.#conflict = 'changed';
  }

  async #showContent(): Promise<void> {
    const { content } = this.file;
    if (content.kind !== 'text' || this.#isOver) {
      this.#drop();
      return;
    }
    const isReadOnly = content.readOnly !== undefined;
    if (this.#document?.isReadOnly === isReadOnly) this.#document.replace(content.text);
    else {
      const { openDocument } = await fetchAgain(() => import('../lib/text-editor.ts'));
      if (this.file.content !== content) return;
      this.#drop();
      this.#document = openDocument({
        text: content.text,
        name: baseName(this.path),
        label: words.contentOf(this.title),
        isReadOnly,
        onChange: (isChanged) => {
          this.#isDirty = isChanged;
          if (isChanged) this.#owner.edited(this);
        },
        onSave: () => void this.save(),
        onCursor: (line, column) => (this.#cursor = { line, column }),
      });
    }
    this.#isDirty = false;
    this.#goToLine();
  }

  #drop(): void {
    this.#document?.hide();
    this.#document = undefined;
    this.#isDirty = false;
  }

  #goToLine(): void {
    if (this.#line === undefined || this.#document === undefined) return;
    this.#document.goTo(this.#line);
    this.#line = undefined;
  }
}
