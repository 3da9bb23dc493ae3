// Names of environments on nodes (design, section 6).

/** Where people work on one: `kohakuriver-env-NAME`. */
export function buildContainerName(environment: string): string {
  return `kohakuriver-env-${environment}`;
}

/** What tasks name: `kohakuriver/NAME:TAG`. */
export function tagImage(environment: string, tag: string): string {
  return `kohakuriver/${environment}:${tag}`;
}

/** Names one version for good: `kohakuriver/NAME:TAG-SECONDS`. */
export function versionImage(environment: string, tag: string, madeAtMs: number): string {
  return `kohakuriver/${environment}:${tag}-${String(Math.floor(madeAtMs / 1000))}`;
}

/** Holds the lower layers of an image on a node until all of it is there. */
export function partImage(imageId: string, layers: number): string {
  return `${partRepository(imageId)}:${String(layers)}`;
}

export function partRepository(imageId: string): string {
  return `kohakuriver-part/${imageId.replace('sha256:', '').slice(0, 24)}`;
}
