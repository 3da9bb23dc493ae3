/** The snapshots that go when the newest `keep` are kept; 0 keeps all. Takes and gives them in any order. */
export function snapshotsToPrune<S extends { readonly tag: string }>(
  all: readonly S[],
  keep: number,
): S[] {
  if (keep === 0) return [];
  return [...all].sort((a, b) => Number(b.tag) - Number(a.tag)).slice(keep);
}
