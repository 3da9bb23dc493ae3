// Snapshots of VPSes as files: taken out of a node as one file, and made a VPS of again on any other.
import { z } from 'zod';
import { vpsName } from './vps.ts';

/** What such a file is called at its end. */
export const snapshotFileEnding = '.snapshot.tar.gz';

/** `anna-1764470400.snapshot.tar.gz`: safe on every file system. */
export function snapshotFileName(vps: string, tag: string): string {
  return `${vps.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 80)}-${tag}${snapshotFileEnding}`;
}

const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/);

/**
 * What a file says about itself, first of all that is in it. Whoever made the file wrote this: it is
 * shown and proposed, and decides nothing by itself.
 */
export const snapshotHead = z.object({
  format: z.literal('kohakuriver-snapshot'),
  version: z.literal(1),
  vps: z.object({
    id: z.string().regex(/^\d{1,20}$/),
    name: z.string().min(1).max(128),
    cores: z.number().int().min(0).max(4096),
    memoryBytes: z
      .number()
      .int()
      .positive()
      .max(2 ** 50)
      .nullable(),
  }),
  ssh: z.object({
    mode: z.enum(['disabled', 'none', 'upload', 'generate']),
    publicKey: z.string().min(1).max(16_384).nullable(),
  }),
  tag: z.string().regex(/^\d{1,12}$/),
  note: z.string().max(500),
  /** Of the image: its configuration, which names every layer by its content. */
  imageId: digest,
  sizeBytes: z.number().nonnegative(),
  /** As Docker writes them: `amd64`, `linux`. */
  architecture: z.string().max(64),
  os: z.string().max(64),
});
export type SnapshotHead = z.infer<typeof snapshotHead>;

const snapshotRef = z.strictObject({
  vps: z.string().min(1).max(64),
  tag: z.string().regex(/^\d{1,12}$/, 'must be the tag of a snapshot: a number'),
});
export type SnapshotRef = z.infer<typeof snapshotRef>;

export const importSnapshotInput = z.strictObject({
  /** Absent: as it was called when the snapshot was taken out. */
  name: vpsName.optional(),
  /** Absent: the core's computer where it has Docker, else the first node that has. */
  node: z.string().min(1).max(64).optional(),
});
export type ImportSnapshotInput = z.infer<typeof importSnapshotInput>;

/** Where a server of the page offers snapshots to the browser's own downloads. */
export const snapshotDownloadPath = '/snapshot';
export const snapshotDownload = snapshotRef;

/** A line of `vps.saveSnapshot`: how far it is, and at its end the file. */
export const savedSnapshot = z.union([
  z.object({ bytes: z.number() }),
  z.object({ path: z.string(), size: z.number() }),
]);

export const snapshotStreams = {
  /** The file, as it is read. */
  'vps.exportSnapshot': { input: snapshotRef, direction: 'down' },
  /** The same into the Downloads folder of the core's computer; one JSON document a line (`savedSnapshot`). */
  'vps.saveSnapshot': { input: snapshotRef, direction: 'down' },
  /** The file goes up; one line of JSON comes back when the VPS is accepted: `{id, name, node}`. */
  'vps.importSnapshot': { input: importSnapshotInput, direction: 'both' },
} as const;
