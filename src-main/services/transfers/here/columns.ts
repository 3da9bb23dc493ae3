// Many entries in a form that goes from one thread to the other at little cost: thousands of objects take
// ten times as long.
import type { FileStat } from '../../../link/node-link.ts';

/** Something below a folder, by its path there. */
export interface TreeEntry extends Pick<FileStat, 'kind' | 'size' | 'mode' | 'modifiedAt'> {
  readonly path: string;
}

export interface Columns {
  /** One after the other, with a zero between: no path has one. */
  readonly paths: string;
  /** Four of each: its kind, size, mode and time. */
  readonly numbers: Float64Array<ArrayBuffer>;
}

const kinds = ['file', 'directory', 'link', 'other'] as const;
const numbersOfOne = 4;

export function columnsOf(entries: readonly Readonly<TreeEntry>[]): Columns {
  const numbers = new Float64Array(entries.length * numbersOfOne);
  let at = 0;
  for (const { kind, size, mode, modifiedAt } of entries) {
    numbers[at] = kinds.indexOf(kind);
    numbers[at + 1] = size;
    numbers[at + 2] = mode;
    numbers[at + 3] = modifiedAt;
    at += numbersOfOne;
  }
  return { paths: entries.map(({ path }) => path).join('\0'), numbers };
}

export function entriesOf({ paths, numbers }: Columns): TreeEntry[] {
  if (numbers.length === 0) return [];
  return paths.split('\0').map((path, index) => {
    const at = index * numbersOfOne;
    const kind = kinds[numbers[at] ?? 3] ?? 'other';
    const [size, mode, modifiedAt] = [numbers[at + 1], numbers[at + 2], numbers[at + 3]];
    return { path, kind, size: size ?? 0, mode: mode ?? 0, modifiedAt: modifiedAt ?? 0 };
  });
}
