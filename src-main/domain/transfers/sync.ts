// What a sync removes: decided from what was seen at both ends.
import type { Item, Present } from './plan.ts';

/** Something in the target that is not in the source. */
export interface Removal {
  /** Below the target folder. */
  readonly path: string;
  readonly kind: Present['kind'];
}

export interface Trees {
  readonly items: readonly Item[];
  /** Paths of the source that are there and are not moved: what is in their place stays. */
  readonly unmoved: readonly string[];
  /** All that is in the target and is not ignored, by its path there. */
  readonly there: ReadonlyMap<string, Present>;
  /** Paths in the target that are ignored: they stay, and so does what they lie in. */
  readonly ignored: readonly string[];
  /** The target takes `A` and `a` for one. */
  readonly isCaseBlind: boolean;
}

/** In an order in which each can be removed: what is in a folder before the folder. */
export function removalsOf({ items, unmoved, there, ignored, isCaseBlind }: Trees): Removal[] {
  const keyOf = (path: string) => (isCaseBlind ? path.toLowerCase() : path);
  const kept = new Set<string>();
  for (const { path } of items) kept.add(keyOf(path));
  for (const path of [...unmoved, ...ignored]) {
    for (const each of withParents(path)) kept.add(keyOf(each));
  }
  // Where the source has no folder, what is in the folder of the target is not judged.
  const barred = new Set<string>(unmoved.map(keyOf));
  for (const { path, kind } of items) if (kind !== 'directory') barred.add(keyOf(path));
  return [...there]
    .filter(([path]) => !kept.has(keyOf(path)))
    .filter(([path]) => !parentsOf(path).some((each) => barred.has(keyOf(each))))
    .map(([path, { kind }]) => ({ path, kind }))
    .sort((a, b) => depthOf(b.path) - depthOf(a.path) || (a.path < b.path ? -1 : 1));
}

function withParents(path: string): string[] {
  return [path, ...parentsOf(path)];
}

/** The folders a path lies in: `a/b`, `a` of `a/b/c`. */
function parentsOf(path: string): string[] {
  const found: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    found.push(path.slice(0, at));
  }
  return found;
}

function depthOf(path: string): number {
  return path.split('/').length;
}
