import type { FileEntryView } from '../../../contract/files.ts';

const kinds = { file: '-', directory: 'd', link: 'l', other: '?' } as const;

/** `-rw-r--r--`, as ls writes it. */
export function modeText({ kind, mode }: Pick<FileEntryView, 'kind' | 'mode'>): string {
  const bits = [6, 3, 0].map((shift) => {
    const three = (mode >> shift) & 7;
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${three & 1 ? 'x' : '-'}`;
  });
  return kinds[kind] + bits.join('');
}
