// A snapshot on its way into a file: by the browser's own downloads where the page comes from a
// server, into the Downloads folder where the desktop app runs the core on this computer.
import {
  savedSnapshot,
  snapshotDownloadPath,
  type SnapshotRef,
} from '../../src-main/contract/snapshot-files.ts';
import type { CoreClient } from '../lib/client.ts';
import { linesOf } from '../lib/files/lines.ts';

/** Where the browser gets it. */
export function snapshotUrl(ref: SnapshotRef): string {
  return `${snapshotDownloadPath}?what=${encodeURIComponent(JSON.stringify(ref))}`;
}

export class SnapshotExport {
  #bytes = $state<number | undefined>(undefined);
  #leaving: AbortController | undefined;

  /** Written so far; undefined while nothing is under way. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  /** Resolves with where it is; undefined when it was cancelled. Throws what the core says. */
  async run(client: CoreClient, ref: SnapshotRef): Promise<string | undefined> {
    this.#leaving?.abort();
    const leaving = new AbortController();
    const { signal } = leaving;
    this.#leaving = leaving;
    this.#bytes = 0;
    try {
      const stream = client.openStream('vps.saveSnapshot', ref, { signal });
      let path: string | undefined;
      for await (const line of linesOf(stream)) {
        const said = savedSnapshot.parse(line);
        if ('path' in said) path = said.path;
        else this.#bytes = said.bytes;
      }
      return path;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.#leaving === leaving) this.#bytes = undefined;
    }
  }

  cancel(): void {
    this.#leaving?.abort();
  }
}
