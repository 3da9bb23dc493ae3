// Proving that what arrived is what was sent, before any of it leaves the folder it arrived in.
import { shownName } from '../../domain/files/path-text.ts';
import { joinPath } from '../../domain/files/paths.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import { eachOf } from '../../link/file-trees.ts';
import type { FileStat } from '../../link/node-link.ts';
import { ItemError, TransferError } from './errors.ts';
import { hashesOf } from './far-side.ts';
import { digestOfLot, startLot, type LotDigest } from './lot-digest.ts';
import type { End, Moving } from './small-files.ts';
import { mostStaged, stagedTree } from './stage.ts';
import { listTreeOf, wholeTree } from './tree.ts';

const hashedTogether = 2000;
const lanes = 24;

/** Files that are moved before they are compared, so that the one goes on beside the other. */
const mostInLot = 5000;
const leastInLot = 1000;
const lotBytes = 256 * 1024 * 1024;

/**
 * In order; all of them in one where nothing is compared. Each lot costs a few programs, and the last one is
 * waited for: they become smaller towards the end.
 */
export function inLots(items: readonly Item[], { hashes }: Pick<Moving, 'hashes'>): Item[][] {
  if (hashes === undefined) return items.length === 0 ? [] : [[...items]];
  const lots: Item[][] = [];
  let room = 0;
  let bytes = 0;
  for (const [at, item] of items.entries()) {
    bytes += item.size;
    if (room === 0 || bytes > lotBytes) {
      lots.push([]);
      const left = items.length - at;
      room = Math.min(mostInLot, Math.max(leastInLot, Math.ceil(left / 2)));
      // Nothing too small to be worth its programs is left over.
      if (left - room < leastInLot) room = Math.min(mostInLot, left);
      bytes = item.size;
    }
    lots.at(-1)?.push(item);
    room -= 1;
  }
  return lots;
}

/** Compares what has arrived while more comes, one lot after the other. */
export class Proving implements AsyncDisposable {
  readonly #moving: Moving;
  readonly #differing: { readonly item: Item; readonly error: ItemError }[] = [];
  #isUnproven = false;
  /** False once an archive made there was another one than ours although every file was the same. */
  #areArchivesAlike = true;
  #failure: { readonly error: unknown } | undefined;
  #last: Promise<void> = Promise.resolve();
  readonly #leaving = new AbortController();

  constructor(moving: Moving) {
    const signal = AbortSignal.any([moving.signal, this.#leaving.signal]);
    this.#moving = { ...moving, signal };
  }

  /** For the small files that are moved next; undefined where they are not compared, or each by itself. */
  startLot(): LotDigest | undefined {
    if (this.#moving.hashes === undefined) return undefined;
    return startLot(this.#moving, this.#areArchivesAlike);
  }

  /**
   * These have arrived, and `together` was made of them on the way.
   * @throws what an earlier lot could not be compared for.
   */
  add(items: readonly Item[], together?: LotDigest): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (items.length > 0 && this.#moving.hashes !== undefined)
      this.#last = this.#last.then(() => this.#compare(items, together));
  }

  /** When all of it is compared. @throws what it could not be compared for. */
  async finish(): Promise<Compared> {
    await this.#last;
    if (this.#failure !== undefined) throw this.#failure.error;
    return { differing: this.#differing, isUnproven: this.#isUnproven };
  }

  /** Nothing of it goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort(new Error('The transfer ended before all was compared.'));
    await this.#last;
  }

  async #look(items: readonly Item[], together: LotDigest): Promise<'same' | 'other' | 'unknown'> {
    if (together.form === 'archive' && !this.#areArchivesAlike) return 'unknown';
    const { to, signal } = this.#moving;
    const near = together.finishFor(items);
    const far = near === undefined ? undefined : await digestOfLot(to, together, signal);
    if (far === undefined) return 'unknown';
    return near === far ? 'same' : 'other';
  }

  async #compare(items: readonly Item[], together: LotDigest | undefined): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      this.#moving.signal.throwIfAborted();
      const found = together === undefined ? 'unknown' : await this.#look(items, together);
      if (found === 'same') return;
      const { differing, isUnproven } = await compare(items, this.#moving);
      const isArchive = together?.form === 'archive';
      if (isArchive && found === 'other' && differing.length === 0) this.#areArchivesAlike = false;
      this.#differing.push(...differing);
      this.#isUnproven ||= isUnproven;
    } catch (error) {
      this.#failure = { error };
    }
  }
}

export interface Compared {
  /** They differ: removed at the other end. */
  readonly differing: readonly { readonly item: Item; readonly error: ItemError }[];
  /** Some could not be told. */
  readonly isUnproven: boolean;
}

/** Hashes both ends, what is not known yet; what differs is removed at the other one. */
async function compare(items: readonly Item[], moving: Moving): Promise<Compared> {
  const { from, to, signal, hashes } = moving;
  const differing: { item: Item; error: ItemError }[] = [];
  let isUnproven = false;
  for (let at = 0; at < items.length; at += hashedTogether) {
    signal.throwIfAborted();
    const some = items.slice(at, at + hashedTogether);
    const [near, far] = await Promise.all([
      hashesAt(from, hashes?.source, { items: some, signal }),
      hashesAt(to, hashes?.target, { items: some, signal }),
    ]);
    signal.throwIfAborted();
    for (const [index, item] of some.entries()) {
      if (near[index] === undefined || far[index] === undefined) isUnproven = true;
      else if (near[index] !== far[index]) {
        await to.root.files.removeTree(joinPath(to.directory, item.path));
        const error = new ItemError(shownName(item.path), 'It changed while it was moved.');
        differing.push({ item, error });
      }
    }
  }
  return { differing, isUnproven };
}

/** Those that were found out on the way, and all others by reading them. */
async function hashesAt(
  end: End,
  known: ReadonlyMap<Item, string> | undefined,
  { items, signal }: { items: readonly Item[]; signal: AbortSignal },
): Promise<(string | undefined)[]> {
  const unread = items.filter((item) => known?.has(item) !== true);
  const found = await hashesOf(end, unread, signal);
  const rest = new Map(unread.map((item, index) => [item, found[index]]));
  return items.map((item) => known?.get(item) ?? rest.get(item));
}

/**
 * Whatever else was looked at: everything is there with the size it should have, and nothing else is
 * (folders go to their place as a whole, and would take what failed with them). Throws what ends it.
 */
export async function proveArrived(
  to: End,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<void> {
  const staged = await arrivedIn(to, signal);
  for (const item of items) {
    const there = staged.get(item.path);
    if (there?.kind !== item.kind || (item.kind === 'file' && there.size !== item.size)) {
      throw new TransferError(
        'transfer/failed',
        `${shownName(item.path)} did not arrive whole. Nothing was put in place; try again.`,
        { retry: 'later' },
      );
    }
    staged.delete(item.path);
  }
  const strays = [...staged].filter(([, { kind }]) => kind !== 'directory');
  await eachOf(strays, lanes, ([path]) => to.root.files.remove(joinPath(to.directory, path)));
}

async function arrivedIn(
  to: End,
  signal: AbortSignal,
): Promise<Map<string, Pick<FileStat, 'kind' | 'size'>>> {
  const options = { signal, limit: mostStaged };
  const listed = await wholeTree(listTreeOf(to), to.directory, options);
  signal.throwIfAborted();
  if (listed === undefined) return new Map(await stagedTree(to.root, to.directory, options));
  return new Map(listed.map((entry) => [entry.path, entry]));
}
