// Many small files compared at once: one digest of all of them, one after the other, or of the archive that
// they are in. Where it differs at the two ends, or cannot be had, each file is compared by itself.
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

/**
 * What it is of. `contents`: the bytes of the files, one after the other; sizes are not in it, they are looked at
 * by themselves. `archive`: a tar archive as GNU tar makes it with `archiving`, in which names, sizes, modes and
 * times are, too. tar writes many files at once, where `cat` writes each by itself: half the processor time.
 */
export type LotForm = 'contents' | 'archive';

/** Of what was read of the source, made on the way. */
export class LotDigest {
  readonly digest: Digest;
  readonly form: LotForm;
  /** In the order in which they came. */
  readonly items: Item[] = [];
  #sum: RunningDigest | undefined;
  #made: string | undefined;
  #isSound = true;

  constructor(digest: Digest, form: LotForm = 'contents') {
    this.digest = digest;
    this.form = form;
  }

  /** All the bytes of the next file. */
  take(item: Item, bytes: Uint8Array): void {
    if (this.#made !== undefined || this.form === 'archive') this.spoil();
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

/**
 * For what is moved next; undefined where each file is to be compared by itself. `areArchivesAlike`: false once
 * the far end made another archive of the same files.
 */
export function startLot(
  { from, to }: { from: HashingEnd; to: HashingEnd },
  areArchivesAlike: boolean,
): LotDigest | undefined {
  if (!canDigestLots(to)) return undefined;
  const canArchive = from.thread !== undefined && to.thread === undefined && to.tools.gnuTar;
  const isArchive = canArchive && areArchivesAlike;
  return new LotDigest(to.digest, isArchive ? 'archive' : 'contents');
}

/** Whether an end makes such a digest of its files without carrying them here. */
export function canDigestLots({ tools, directory, digest, thread }: HashingEnd): boolean {
  if (thread !== undefined) return true;
  const canList = tools.xargs && !hasRawBytes(directory);
  return canList && digestCommand(tools, digest) !== undefined;
}

/** What makes GNU tar write nothing of its own (owners, other kinds of entries) into an archive. */
const archiving =
  '--format=gnu --numeric-owner --owner=0 --group=0 --no-recursion --hard-dereference -b 20';

/** What reads all files whose names it is given, each followed by `after`. */
const readers: Readonly<Record<LotForm, { reader: string; after: string }>> = {
  contents: { reader: 'xargs -0 cat', after: '\0' },
  archive: { reader: `TAR_OPTIONS= tar -c -f - ${archiving} -T -`, after: '\n' },
};

/** Of files that lie below the end's folder; undefined where it cannot be had. */
export async function digestOfLot(
  end: HashingEnd,
  { items, digest, form }: Pick<LotDigest, 'items' | 'digest' | 'form'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { root, tools, directory, thread } = end;
  if (thread !== undefined) {
    const files = items.map(({ path, size }) => ({ path: joinPath(directory, path), size }));
    return await thread.hashes.ofAll(files, digest, signal);
  }
  const command = digestCommand(tools, digest);
  if (command === undefined || !canDigestLots(end)) return undefined;
  if (!items.every(({ path }) => isPlainName(path))) return undefined;
  const { reader, after } = readers[form];
  const names = bytesOfText(items.map(({ path }) => `./${path}${after}`).join(''));
  // What cannot be read is missing in it: then it is another one.
  const text = `cd "$1" && LC_ALL=C ${reader} | ${command}`;
  const { output } = await runThere(root, ['sh', '-c', text, 'sh', directory], {
    input: names,
    signal,
  });
  return digestIn(output.toString('latin1'), digest);
}
