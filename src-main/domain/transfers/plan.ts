// What a transfer is to do with each file, decided from what was seen at both ends.
import type { ConflictPolicy } from '../../contract/transfers.ts';
import { longestNameBytes } from '../files/paths.ts';
import { bytesOfText } from '../files/path-text.ts';

/** Something to be moved. `path` is relative to where its source lies and begins with its own name. */
export interface Item {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly size: number;
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly modifiedAt: number;
}

/** What lies at the other end under the name of an item. */
export interface Present {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  readonly modifiedAt: number;
}

export type Decision =
  | { readonly kind: 'move' }
  /** It is there and is the same, from an earlier run. */
  | { readonly kind: 'done' }
  | { readonly kind: 'skip'; readonly why: string }
  | { readonly kind: 'ask' }
  | { readonly kind: 'rename' }
  | { readonly kind: 'fail'; readonly why: string };

/** Files up to this size go together in one stream; a round trip for each would take longer than they do. */
export const smallFileBytes = 4 * 1024 * 1024;

/** Whether what is there is what would be moved, as far as looking tells. */
export function isSame(item: Item, there: Present): boolean {
  return (
    item.kind === 'file' &&
    there.kind === 'file' &&
    item.size === there.size &&
    item.modifiedAt === there.modifiedAt
  );
}

/**
 * What to do with an item when something is there.
 * @param isAgain an earlier run may have put it there
 */
export function decide(
  item: Item,
  there: Present | undefined,
  { policy, isAgain }: { policy: ConflictPolicy; isAgain: boolean },
): Decision {
  if (there === undefined) return { kind: 'move' };
  if (item.kind === 'directory') {
    // A link in the place of a folder would lead out of the target.
    return there.kind === 'directory'
      ? { kind: 'move' }
      : { kind: 'fail', why: 'Something that is no folder is in its place.' };
  }
  if (there.kind === 'directory') return { kind: 'fail', why: 'A folder is in its place.' };
  if (isAgain && isSame(item, there)) return { kind: 'done' };
  return byPolicy(item, there, policy);
}

function byPolicy(item: Item, there: Present, policy: ConflictPolicy): Decision {
  switch (policy) {
    case 'ask':
      return { kind: 'ask' };
    case 'skip':
      return { kind: 'skip', why: 'A file of this name was there.' };
    case 'overwrite':
      return { kind: 'move' };
    case 'newer':
      return item.modifiedAt > there.modifiedAt
        ? { kind: 'move' }
        : { kind: 'skip', why: 'What was there is as new, or newer.' };
    case 'rename':
      return { kind: 'rename' };
  }
}

/** `report (2).txt`: the first such name that is not taken and no longer than names can be. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let count = 2; ; count += 1) {
    const addition = ` (${String(count)})${ending}`;
    const found = shortened(stem, longestNameBytes - bytesOfText(addition).length) + addition;
    if (!isTaken(found)) return found;
  }
}

function shortened(text: string, bytes: number): string {
  const characters = Array.from(text);
  while (bytesOfText(characters.join('')).length > bytes) characters.pop();
  return characters.join('');
}

/** What tar programs and lists of names can be given: names without line ends and backslashes (which GNU sha256sum escapes). */
export function isPlainName(path: string): boolean {
  return !/[\n\r\\]/.test(path);
}
