import type { FileEntryView } from '../../../src-main/contract/files.ts';

export type SortKey = 'name' | 'size' | 'modified';

const collator = new Intl.Collator('en', { numeric: true });

/** Folders first, then by what is asked for, and by name where that is equal. */
export function orderOf(key: SortKey, isReversed = false) {
  const direction = isReversed ? -1 : 1;
  return (a: FileEntryView, b: FileEntryView): number =>
    Number(b.kind === 'directory') - Number(a.kind === 'directory') ||
    direction * compare(a, b, key);
}

function compare(a: FileEntryView, b: FileEntryView, key: SortKey): number {
  const byName = collator.compare(a.name, b.name);
  if (key === 'size') return a.size - b.size || byName;
  if (key === 'modified') return a.modifiedAt - b.modifiedAt || byName;
  return byName;
}
