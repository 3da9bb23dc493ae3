// Images on nodes: looked at, pulled, and let go.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { instant } from './ids.ts';

const nodeRef = z.string().min(1).max(64);

export const imageView = z.object({
  /** `sha256:…` of its configuration. */
  id: z.string(),
  /** Names and tags it has on the node; none once another image took its last one. */
  names: z.array(z.string()),
  sizeBytes: z.number().nonnegative(),
  madeAt: instant,
  /** Containers that were made from it, and tasks that wait for it. */
  usedBy: z.array(z.string()),
  /** What it is to this app; null: an image like any other. Left: of a VPS that is not there (any more). */
  kind: z.enum(['environment', 'snapshot', 'left-snapshot']).nullable(),
});
export type ImageView = z.infer<typeof imageView>;

export const imagePruneItem = z.object({
  id: z.string(),
  names: z.array(z.string()),
  /** What would be free; what it shares with others stays. */
  bytes: z.number().nonnegative(),
  /** Why it was not removed after all; null where it goes. */
  stays: z.string().nullable(),
});
export type ImagePruneItem = z.infer<typeof imagePruneItem>;

const pruneScope = z.object({
  node: nodeRef,
  /** Also those with a name that nothing uses; otherwise only those without one. */
  unused: z.boolean().default(false),
});

export const images = {
  /** The newest first. */
  list: oc.input(z.object({ node: nodeRef })).output(z.array(imageView)),
  /** Takes a name away, and the image with its last one; without a name it is told by its ID. */
  remove: oc
    .input(z.object({ node: nodeRef, image: z.string().min(1).max(600) }))
    .output(z.object({ image: z.string() })),
  previewPrune: oc.input(pruneScope).output(z.array(imagePruneItem)),
  /** Removes what the preview showed: those IDs, where nothing uses them still. */
  prune: oc
    .input(pruneScope.extend({ ids: z.array(z.string().max(100)).min(1).max(5000) }))
    .output(z.array(imagePruneItem)),
};

export const pullImageInput = z.strictObject({
  node: nodeRef,
  reference: z.string().min(1).max(600),
});

/** A line of `images.pull`: how far it is, and at its end the image. */
export const pulledImage = z.union([z.object({ phase: z.string() }), z.object({ id: z.string() })]);

export const imageStreams = {
  /** One JSON document a line (`pulledImage`). Leaving it ends the pull on the node. */
  'images.pull': { input: pullImageInput, direction: 'down' },
} as const;
