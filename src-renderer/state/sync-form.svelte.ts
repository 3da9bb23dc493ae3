// What a sync is asked for, and what it would do: looked at again whenever something asked for changes.
import type { FileLocation } from '../../src-main/contract/files.ts';
import type { SyncPreview } from '../../src-main/contract/sync.ts';
import type { TransferId } from '../../src-main/contract/transfers.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

/** While somebody types, folders are not looked at for every key. */
const lookAfterMs = 300;

export class SyncForm {
  readonly #client: CoreClient;
  readonly from: FileLocation;
  readonly #place: FileLocation['place'];
  into = $state('');
  exclude = $state('');
  useIgnoreFiles = $state(true);
  isRemoving = $state(false);
  isByContent = $state(false);
  #preview = $state.raw<SyncPreview | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly request = $derived.by(() => ({
    from: { place: this.from.place, paths: [this.from.path] },
    to: { place: this.#place, path: this.into, as: 'into' as const },
    conflicts: 'overwrite' as const,
    sync: {
      exclude: this.exclude
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
      ignoreFiles: this.useIgnoreFiles,
      delete: this.isRemoving,
      compare: this.isByContent ? ('checksums' as const) : ('times' as const),
    },
  }));

  constructor(client: CoreClient, { from, to }: { from: FileLocation; to: FileLocation }) {
    this.#client = client;
    this.from = from;
    this.#place = to.place;
    this.into = to.path;
  }

  /** Of what is asked for now; undefined while that is not known. */
  get preview(): SyncPreview | undefined {
    return this.#preview;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  /** Whether there is something to do, and it is known what. */
  get isReady(): boolean {
    const counts = this.#preview?.counts;
    return counts !== undefined && counts.add + counts.replace + counts.remove > 0;
  }

  /** Something asked for has changed. */
  lookSoon(): void {
    this.#forget();
    this.#timer = setTimeout(() => void this.look(), lookAfterMs);
  }

  async look(): Promise<void> {
    this.#forget();
    const { signal } = this.#abort;
    try {
      const found = await this.#client.api.transfers.previewSync(this.request, { signal });
      if (!signal.aborted) this.#preview = found;
    } catch (error) {
      if (!signal.aborted) this.#problem = toProblem(error);
    }
  }

  /** Queues it. @throws what the core refuses it with. */
  async start(): Promise<TransferId> {
    return (await this.#client.api.transfers.start(this.request)).id;
  }

  close(): void {
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#preview = undefined;
    this.#problem = undefined;
  }
}
