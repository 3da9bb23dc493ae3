// Which images of a node may go.
export interface PrunableImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly usedBy: readonly string[];
  readonly kind: 'environment' | 'snapshot' | null;
}

/** Environments and snapshots have pages of their own where they are let go. */
export function kindOf(names: readonly string[]): PrunableImage['kind'] {
  if (names.some((name) => name.startsWith('kohakuriver-snapshot/'))) return 'snapshot';
  return names.some((name) => /^kohakuriver(?:-part)?\//.test(name)) ? 'environment' : null;
}

/** Nothing uses them, and they are nothing to the app; with a name only where `unused` says so. */
export function prunable<I extends PrunableImage>(
  images: readonly I[],
  { unused }: { unused: boolean },
): I[] {
  return images.filter(
    ({ names, usedBy, kind }) =>
      usedBy.length === 0 && kind === null && (unused || names.length === 0),
  );
}
