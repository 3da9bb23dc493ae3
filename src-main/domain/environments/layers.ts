// What has to go over the wire for an image to be on a node. Layers are named by their content
// (`sha256:` of the tar, the «diff ID» of the image specification), so those that are there already
// are found by looking.

/** How many layers from the bottom are on a node already, given the layers of each image there. */
export function layersThere(
  wanted: readonly string[],
  images: readonly (readonly string[])[],
): number {
  return images.reduce((most, layers) => Math.max(most, sharedPrefix(wanted, layers)), 0);
}

function sharedPrefix(a: readonly string[], b: readonly string[]): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

/** So much goes in one load, unless a layer alone is more: what was loaded need not be sent again. */
const batchBytes = 64 * 2 ** 20;

/**
 * The layers to send, in loads that each end at a count of layers. A load that is broken off is
 * sent again; the ones before it stay.
 */
export function loadSteps(sizes: readonly number[], from: number): number[] {
  const ends: number[] = [];
  let bytes = 0;
  for (let at = from; at < sizes.length; at += 1) {
    bytes += sizes[at] ?? 0;
    if (bytes < batchBytes && at < sizes.length - 1) continue;
    ends.push(at + 1);
    bytes = 0;
  }
  // Nothing is missing but the image itself.
  return ends.length === 0 ? [sizes.length] : ends;
}

/** The configuration of an image that is only the lower layers of another one. */
export function partConfig(
  layers: readonly string[],
  { architecture, os }: { readonly architecture: string; readonly os: string },
): string {
  return JSON.stringify({
    architecture,
    os,
    config: {},
    rootfs: { type: 'layers', diff_ids: layers },
  });
}
