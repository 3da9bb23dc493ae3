// A file on its way up, to become a VPS.
import { z } from 'zod';
import type { ImportSnapshotInput } from '../../src-main/contract/snapshot-files.ts';
import type { CoreClient } from '../lib/client.ts';
import { linesOf } from '../lib/files/lines.ts';
import { vps as words } from '../lib/texts/vps.ts';

const answer = z.object({ id: z.string(), name: z.string() });
const tellEveryMs = 200;

export class SnapshotImport {
  #sent = $state<number | undefined>(undefined);
  #leaving: AbortController | undefined;
  #failure: unknown;

  /** Bytes sent so far; undefined while nothing is under way. */
  get sent(): number | undefined {
    return this.#sent;
  }

  /** Resolves with the VPS when the core has accepted it; undefined when it was cancelled. */
  async run(
    client: CoreClient,
    file: File,
    input: ImportSnapshotInput,
  ): Promise<{ id: string; name: string } | undefined> {
    const leaving = new AbortController();
    const { signal } = leaving;
    this.#leaving = leaving;
    this.#failure = undefined;
    this.#sent = 0;
    try {
      const upload = this.#bytesOf(file);
      const stream = client.openStream('vps.importSnapshot', input, { upload, signal });
      let made: { id: string; name: string } | undefined;
      for await (const line of linesOf(stream)) made = answer.parse(line);
      return made;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw this.#failure === undefined ? error : new Error(words.import.unread);
    } finally {
      this.#sent = undefined;
    }
  }

  cancel(): void {
    this.#leaving?.abort();
  }

  async *#bytesOf(file: File): AsyncGenerator<Uint8Array, undefined> {
    const reader = file.stream().getReader();
    let sent = 0;
    let toldAt = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          this.#sent = sent;
          return;
        }
        sent += value.byteLength;
        const now = performance.now();
        if (now - toldAt >= tellEveryMs) {
          toldAt = now;
          this.#sent = sent;
        }
        yield value;
      }
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
}
