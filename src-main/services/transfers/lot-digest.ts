// Many small files compared at once: one digest of all of them, one after the other. Where it differs at
// the two ends, or cannot be had, each file is compared by itself.
import { bytesOfText, hasRawBytes } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import { isPlainName, type Item } from '../../domain/transfers/plan.ts';
import {
  digestCommand,
  digestIn,
  startDigest,
  type Digest,
  type RunningDigest,
} from './digests.ts';
import { runThere, type HashingEnd } from './far-side.ts';

/** Of what was read of the source, made on the way. Sizes are not in it: they are looked at by themselves. */
export class LotDigest {
  readonly digest: Digest;
  /** In the order in which they came. */
  readonly items: Item[] = [];
  #sum: RunningDigest | undefined;
  #made: string | undefined;
  #isSound = true;

  constructor(digest: Digest) {
    this.digest = digest;
  }

  /** All the bytes of the next file. */
  take(item: Item, bytes: Uint8Array): void {
    if (this.#made !== undefined) this.spoil();
    this.items.push(item);
    this.#sum ??= startDigest(this.digest);
    this.#sum.update(bytes);
  }

  /** The digest of all of these, in this order, made elsewhere. */
  takeMade(items: readonly Item[], digest: string): void {
    if (this.items.length > 0) this.spoil();
    for (const item of items) this.items.push(item);
    this.#made = digest;
  }

  /** What was taken may not be what lies at the source. */
  spoil(): void {
    this.#isSound = false;
  }

  /** In hexadecimal, if it is of just these; once. */
  finishFor(items: readonly Item[]): string | undefined {
    const sum = this.#made ?? (this.#sum ?? startDigest(this.digest)).finish();
    const own = new Set(this.items);
    const isOfThese = own.size === items.length && items.every((item) => own.has(item));
    return this.#isSound && isOfThese ? sum : undefined;
  }
}

/** Whether an end makes such a digest of its files without carrying them here. */
export function canDigestLots({ tools, directory, digest, thread }: HashingEnd): boolean {
  if (thread !== undefined) return true;
  const canList = tools.xargs && !hasRawBytes(directory);
  return canList && digestCommand(tools, digest) !== undefined;
}

/** Of files that lie below the end's folder; undefined where it cannot be had. */
export async function digestOfLot(
  end: HashingEnd,
  { items, digest }: Pick<LotDigest, 'items' | 'digest'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { root, tools, directory, thread } = end;
  if (thread !== undefined) {
    const files = items.map(({ path, size }) => ({ path: joinPath(directory, path), size }));
    return await thread.hashes.ofAll(files, digest);
  }
  const command = digestCommand(tools, digest);
  if (command === undefined || !canDigestLots(end)) return undefined;
  if (!items.every(({ path }) => isPlainName(path))) return undefined;
  const names = bytesOfText(items.map(({ path }) => `./${path}\0`).join(''));
  // What cannot be read is missing in it: then it is another one.
  const text = `cd "$1" && LC_ALL=C xargs -0 cat | ${command}`;
  const { output } = await runThere(root, ['sh', '-c', text, 'sh', directory], {
    input: names,
    signal,
  });
  return digestIn(output.toString('latin1'), digest);
}
