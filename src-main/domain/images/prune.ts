// Which images of a node may go.
export interface PrunableImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly usedBy: readonly string[];
  readonly kind: 'environment' | 'snapshot' | 'left-snapshot' | null;
}

/**
 * Environments and snapshots have pages of their own where they are let go. A snapshot that no VPS here has is
 * never pruned (it may be all that is left of one, or another core's), but a person can remove it.
 */
export function kindOf(
  names: readonly string[],
  isVps: (id: string) => boolean,
): PrunableImage['kind'] {
  const owners = names.flatMap((name) => /^kohakuriver-snapshot\/vps-(\d+):/.exec(name)?.[1] ?? []);
  if (owners.some(isVps)) return 'snapshot';
  if (owners.length > 0) return 'left-snapshot';
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
