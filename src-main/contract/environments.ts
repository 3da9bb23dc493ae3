// Environments: images people make for themselves, in a container with a terminal or by a
// Dockerfile, kept in versions and brought to the nodes that need them.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant, nodeId } from './ids.ts';

/** A path component of image references, without what OpenSSH or a shell would trip over. */
export const environmentName = z
  .string()
  .max(40)
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'must be lower-case letters and digits with single ".", "_" or "-" between (at most 40)',
  );
export const environmentTag = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'must be a tag such as base or cuda12');

const decimalId = z.string().regex(/^\d{1,20}$/);
export const versionId = decimalId.brand('VersionId');
export type VersionId = z.infer<typeof versionId>;
export const deliveryId = decimalId.brand('DeliveryId');
export type DeliveryId = z.infer<typeof deliveryId>;

const note = z.string().max(500);

/** What an environment begins with. */
export const environmentOrigin = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('image'),
    reference: z
      .string()
      .regex(/^[^\s\0-][^\s\0]{0,511}$/, 'must be an image reference such as debian:12'),
  }),
  z.strictObject({
    kind: z.literal('dockerfile'),
    text: z
      .string()
      .min(1)
      .max(256 * 1024),
  }),
]);
export type EnvironmentOrigin = z.infer<typeof environmentOrigin>;

/** Where an environment is being made. */
export const environmentBuild = z.object({
  nodeId,
  node: z.string(),
  /** Of the container people work in. A Dockerfile has none. */
  container: z.string().nullable(),
  /**
   * `preparing`: its image is fetched, or its Dockerfile runs. `running`: there is a terminal to be
   * had. `stopped`: the container rests. `built`: its Dockerfile is done. `failed`: see `problem`.
   */
  state: z.enum(['preparing', 'running', 'stopped', 'built', 'failed']),
  origin: environmentOrigin,
  phase: z.string().nullable(),
  problem: z.string().nullable(),
  /** The last lines a Dockerfile printed. */
  output: z.array(z.string()),
});
export type EnvironmentBuild = z.infer<typeof environmentBuild>;

/** One saved state. It is never changed; its tag goes on to the next one. */
export const environmentVersion = z.object({
  id: versionId,
  tag: z.string(),
  /** Names this version for good: `kohakuriver/NAME:TAG-SECONDS`. */
  image: z.string(),
  imageId: z.string(),
  note,
  sizeBytes: z.number().nonnegative(),
  layers: z.number().int().nonnegative(),
  madeAt: instant,
  madeOn: z.string(),
  /** Whether its tag means this one. */
  isCurrent: z.boolean(),
});
export type EnvironmentVersion = z.infer<typeof environmentVersion>;

/** One version on its way to one node. */
export const delivery = z.object({
  id: deliveryId,
  environment: z.string(),
  versionId,
  image: z.string(),
  nodeId,
  node: z.string(),
  state: z.enum(['waiting', 'moving', 'done', 'failed', 'cancelled']),
  /** What is being done now, or why it waits or failed. */
  words: z.string(),
  /** Sent to the node by now, and in all; what it has already is not sent. Null before that is known. */
  movedBytes: z.number().nonnegative(),
  totalBytes: z.number().nonnegative().nullable(),
  layersMoved: z.number().int().nonnegative(),
  layersThere: z.number().int().nonnegative(),
  createdAt: instant,
});
export type Delivery = z.infer<typeof delivery>;

export const environmentView = z.object({
  name: z.string(),
  note,
  createdAt: instant,
  build: environmentBuild.nullable(),
  /** The newest first. */
  versions: z.array(environmentVersion),
  /** Those under way, and the newest that ended. */
  deliveries: z.array(delivery),
});
export type EnvironmentView = z.infer<typeof environmentView>;

/** A version on a node, as the node tells. */
export const environmentPlace = z.object({
  versionId,
  nodeId,
  node: z.string(),
  /** Containers made from it, by name: it cannot be removed there. */
  usedBy: z.array(z.string()),
});
export type EnvironmentPlace = z.infer<typeof environmentPlace>;

export const pruneItem = z.object({
  environment: z.string(),
  image: z.string(),
  nodeId,
  node: z.string(),
  /** What it adds to the versions that stay: so much at least becomes free. */
  bytes: z.number().nonnegative(),
  /** Why it stays; null for what goes. */
  stays: z.string().nullable(),
});
export type PruneItem = z.infer<typeof pruneItem>;

const nodeRef = z.string().min(1).max(64);
const one = z.object({ environment: environmentName });
const change = z.union([z.object({ upsert: environmentView }), z.object({ removed: z.string() })]);
export type EnvironmentChange = z.infer<typeof change>;

export const environments = {
  list: oc.output(z.array(environmentView)),
  watch: oc.output(feedOf(z.array(environmentView), change)),
  get: oc.input(one).output(environmentView),
  /** Begins one, or begins anew on top of its origin. Resolves when it is on disk; its build says how far it is. */
  create: oc
    .input(
      z.object({
        name: environmentName,
        origin: environmentOrigin,
        /** Where it is made; this computer, or the first node with Docker. */
        node: nodeRef.optional(),
        note: note.default(''),
      }),
    )
    .output(environmentView),
  start: oc.input(one).output(environmentView),
  stop: oc.input(one).output(environmentView),
  /** Gives the container up; versions stay. */
  discard: oc.input(one).output(environmentView),
  /** Keeps it as it is now, as the newest version of a tag. */
  save: oc
    .input(one.extend({ tag: environmentTag.default('base'), note: note.default('') }))
    .output(environmentVersion),
  /** Where its versions are, asked of every node that answers. */
  places: oc.input(one).output(z.array(environmentPlace)),
  /** Brings a version to nodes: the current one of the tag, unless a version is named. No nodes: every one that is online and has Docker. */
  distribute: oc
    .input(
      one.extend({
        tag: environmentTag.default('base'),
        version: versionId.optional(),
        nodes: z.array(nodeRef).max(200).default([]),
      }),
    )
    .output(z.array(delivery)),
  cancelDelivery: oc.input(z.object({ delivery: deliveryId })).output(delivery),
  /** With its container, and with its images on every node that answers. Refused while something is made from it. */
  remove: oc.input(one).output(z.object({ name: z.string(), left: z.array(z.string()) })),
  /** Old versions on nodes: what would go, and what stays and why. Changes nothing. */
  previewPrune: oc
    .input(z.object({ keep: z.number().int().min(1).max(100).default(2) }))
    .output(z.array(pruneItem)),
  /** Removes exactly what the preview said would go, as far as it still may. */
  prune: oc
    .input(z.object({ keep: z.number().int().min(1).max(100).default(2) }))
    .output(z.array(pruneItem)),
};
