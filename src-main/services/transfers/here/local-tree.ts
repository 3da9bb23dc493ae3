// What lies below a folder of this computer.
import type { TreeEntry } from './columns.ts';
import { entriesOf } from './columns.ts';
import { Inbox } from './inbox.ts';
import type { LocalThread } from './local-thread.ts';

export interface TreeOptions {
  readonly signal: AbortSignal;
  /** Entries at most. */
  readonly limit: number;
}

/**
 * All of it as it comes, folders before what is in them; links are not followed. Ends with false as soon as a
 * folder cannot be read, or there is too much.
 */
export async function* listTreeHere(
  thread: LocalThread,
  path: string,
  { signal, limit }: TreeOptions,
): AsyncGenerator<TreeEntry[], boolean> {
  using inbox = new Inbox(signal);
  using _job = thread.begin({ kind: 'tree', path, limit }, inbox);
  for (;;) {
    const answer = await inbox.next();
    if (answer.kind === 'entries') yield entriesOf(answer.entries);
    else return answer.kind === 'ended';
  }
}
