import { syncDirectory } from '../atomic-file.ts';

/** Syncs one directory for many who ask at about the same time. */
export class SharedSync {
  readonly #directory: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Resolves when names made before the call last. */
  sync(): Promise<void> {
    // One under way may have begun before the name was there.
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(earlier: Promise<void> | undefined): Promise<void> {
    // Whoever waited for the earlier one was told of its error.
    await earlier?.catch(() => undefined);
    this.#running = this.#next;
    this.#next = undefined;
    await syncDirectory(this.#directory);
  }
}
