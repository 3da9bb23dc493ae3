// Files sent up from this browser, whose paths no core can see: byte streams, a few at a time. They
// live as long as the page; what the core moves by itself is in transfers.svelte.ts.
import type { FileLocation } from '../../src-main/contract/files.ts';
import type { CoreClient } from '../lib/client.ts';
import type { Chosen } from '../lib/files/chosen.ts';
import { Upload } from './upload.svelte.ts';

export interface UploadOrder {
  readonly chosen: Chosen;
  readonly to: FileLocation;
  readonly toLabel: string;
}

export class Uploads {
  readonly #client: CoreClient;
  readonly #onEnd: (upload: Upload) => void;
  #list = $state.raw<readonly Upload[]>([]);
  #lastId = 0;

  readonly active = $derived(this.#list.filter(({ hasEnded }) => !hasEnded).length);

  /** `onEnd` hears of each that is done, failed, or asks. */
  constructor(client: CoreClient, onEnd: (upload: Upload) => void) {
    this.#client = client;
    this.#onEnd = onEnd;
  }

  get list(): readonly Upload[] {
    return this.#list;
  }

  /** Begins at once; resolves when it is over or asks, with whether all of it is there. */
  async start(order: UploadOrder): Promise<boolean> {
    this.#lastId += 1;
    const upload = new Upload(this.#client, { ...order, id: `upload-${this.#lastId}` });
    this.#list = [...this.#list, upload];
    await this.run(upload);
    return upload.status === 'DONE';
  }

  /** Begins, or goes on after an answer or a failure. */
  async run(upload: Upload): Promise<void> {
    await upload.run();
    if (upload.status !== 'CANCELLED') this.#onEnd(upload);
  }

  clear(): void {
    this.#list = this.#list.filter(({ hasEnded }) => !hasEnded);
  }
}
