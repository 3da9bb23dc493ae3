// Files: of this computer (the core's), of nodes, and of the containers of tasks and VPSes.
// Names are text that carries any bytes: what is no UTF-8 travels as lone surrogates U+DC80–U+DCFF.
import { oc } from '@orpc/contract';
import { z } from 'zod';

/** Where files are. A node by name or ID; a task or VPS by ID, ending of it, or name. */
export const filePlace = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('here') }),
  z.strictObject({ kind: z.literal('node'), node: z.string().min(1).max(64) }),
  z.strictObject({ kind: z.literal('task'), task: z.string().min(1).max(128) }),
]);
export type FilePlace = z.infer<typeof filePlace>;

/** The longest path a usual system takes, in bytes, and the longest text of one. */
const longestPath = 4096;

/** Absolute, or beginning with `~/`: the home of whom the core signs in as. No NUL. */
export const filePath = z
  .string()
  .max(longestPath)
  // eslint-disable-next-line no-control-regex -- the one character no path can hold
  .regex(/^(\/|~(\/|$)|[A-Za-z]:[\\/])[^\u0000]*$/, 'must be an absolute path, or begin with ~/');

export const fileLocation = z.strictObject({ place: filePlace, path: filePath });
export type FileLocation = z.infer<typeof fileLocation>;

/** A name within a folder. */
export const entryName = z
  .string()
  .min(1)
  .max(255)
  // eslint-disable-next-line no-control-regex -- the one character no name can hold beside the slash
  .regex(/^(?!\.{1,2}$)[^/\u0000]+$/, 'must be a name without "/"');

export const fileKind = z.enum(['file', 'directory', 'link', 'other']);

export const fileEntry = z.object({
  name: z.string(),
  kind: fileKind,
  size: z.number(),
  /** Permission bits. */
  mode: z.number().int(),
  uid: z.number().int(),
  gid: z.number().int(),
  /** Seconds since the Unix epoch. */
  modifiedAt: z.number(),
});
export type FileEntryView = z.infer<typeof fileEntry>;

/** Everything about one file. `path` is absolute, with `~` resolved. */
export const fileInfo = fileEntry.extend({
  path: z.string(),
  /** Of a link: what it says, and what kind of thing it leads to; null where it leads nowhere. */
  linkTarget: z.string().nullable(),
  targetKind: fileKind.nullable(),
});
export type FileInfo = z.infer<typeof fileInfo>;

export const diskUse = z.object({ totalBytes: z.number(), freeBytes: z.number() });

/** The outcome of an order given to several files: one entry each, in the order asked. */
const fileResults = z.array(
  z.object({ path: z.string(), ok: z.boolean(), message: z.string().nullable() }),
);

export const files = {
  /** The folder in which a login begins. */
  home: oc.input(z.object({ place: filePlace })).output(z.object({ path: z.string() })),
  info: oc.input(fileLocation).output(fileInfo),
  /** Null where the far side cannot tell. */
  diskUse: oc.input(fileLocation).output(diskUse.nullable()),
  makeDirectory: oc
    .input(fileLocation.extend({ parents: z.boolean().default(false) }))
    .output(z.object({ path: z.string() })),
  /** An empty file; refuses when there is something. */
  makeFile: oc.input(fileLocation).output(z.object({ path: z.string() })),
  /** Within one place. Refuses to replace what is there unless told. */
  rename: oc
    .input(
      z.object({
        place: filePlace,
        from: filePath,
        to: filePath,
        overwrite: z.boolean().default(false),
      }),
    )
    .output(z.object({ path: z.string() })),
  /** Folders only when `recursive`; links are removed, not followed. */
  remove: oc
    .input(
      z.object({
        place: filePlace,
        paths: z.array(filePath).min(1).max(10_000),
        recursive: z.boolean().default(false),
      }),
    )
    .output(fileResults),
  setMode: oc
    .input(fileLocation.extend({ mode: z.number().int().min(0).max(0o7777) }))
    .output(fileInfo),
};

/** A folder as it is read: one JSON array of entries a line. */
export const listFilesInput = fileLocation;

/** Bytes of a file, from a position. */
export const readFileInput = fileLocation.extend({
  position: z.number().int().min(0).default(0),
  /** At most so many; absent: to its end. */
  length: z.number().int().min(0).optional(),
});

/**
 * A file sent up: the bytes go up the stream, and one line of JSON comes back when it lies under its
 * name: `{path, size}`. Until then it has another name.
 */
export const writeFileInput = fileLocation.extend({
  mode: z.number().int().min(0).max(0o7777).optional(),
  /** Seconds since the Unix epoch. */
  modifiedAt: z.number().int().min(0).optional(),
  /** How many bytes are coming; fewer or more is a failure. */
  size: z.number().int().min(0).optional(),
  overwrite: z.boolean().default(false),
  /** Folders on the way are made. */
  parents: z.boolean().default(false),
});
export type WriteFileInput = z.output<typeof writeFileInput>;

/** Files and folders as one archive (tar), as they are read. */
export const archiveFilesInput = z.strictObject({
  place: filePlace,
  paths: z.array(filePath).min(1).max(10_000),
});
export type ArchiveFilesInput = z.infer<typeof archiveFilesInput>;

/** Where a server of the page offers files to the browser's own downloads. */
export const filesDownloadPath = '/files';

/** What is downloaded: one file as it is, or an archive of files and folders. */
export const filesDownload = archiveFilesInput.extend({ isArchive: z.boolean() });
export type FilesDownload = z.infer<typeof filesDownload>;
