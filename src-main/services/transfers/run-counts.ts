// How far a run is, counted as it goes.
import type { TransferProgress } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import type { Item } from '../../domain/transfers/plan.ts';

export class RunCounts {
  readonly #onProgress: (change: Partial<TransferProgress>) => void;
  #filesDone = 0;
  #bytesTotal = 0;
  #bytesKept = 0;
  #bytesMoved = 0;
  #current: string | null = null;

  constructor(onProgress: (change: Partial<TransferProgress>) => void) {
    this.#onProgress = onProgress;
  }

  /** All there is to move. */
  setTotal(files: readonly Item[]): void {
    this.#bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
    this.#onProgress({ filesTotal: files.length, bytesTotal: this.#bytesTotal });
  }

  /** Bytes that went over the way. */
  moved(bytes: number): void {
    this.#bytesMoved += bytes;
    this.#tell();
  }

  /** Bytes that were at the other end already. */
  kept(bytes: number): void {
    this.#bytesKept += bytes;
    this.#tell();
  }

  /** A whole file is there from an earlier run. */
  keptWhole(item: Item): void {
    this.#bytesKept += item.size;
    this.done(item);
  }

  /** It is there now. */
  done(item: Item): void {
    if (item.kind === 'file') this.#filesDone += 1;
    this.began(item);
    this.#tell();
  }

  /** It is the one that is shown. */
  began(item: Item): void {
    this.#current = shownName(item.path);
  }

  #tell(): void {
    this.#onProgress({
      filesDone: this.#filesDone,
      bytesMoved: this.#bytesMoved,
      bytesDone: Math.min(this.#bytesTotal, this.#bytesKept + this.#bytesMoved),
      current: this.#current,
    });
  }
}
