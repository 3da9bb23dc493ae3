// The workspace: a folder of some place that is worked in. Listing, reading and the rest is in files.ts;
// here is what an editor needs beside it.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { fileInfo, fileLocation, filePath, filePlace } from './files.ts';

/** More is not edited, and not taken. */
export const longestTextBytes = 16 * 1024 * 1024;

/**
 * A text that is saved: what was read of the file goes up the stream first (`basisBytes`), then the text
 * (`size`). One line of JSON comes back (`saveAnswer`). Where the file is no longer what was read,
 * nothing is written, unless it is forced.
 */
export const saveFileInput = fileLocation.extend({
  basisBytes: z.number().int().min(0).max(longestTextBytes),
  size: z.number().int().min(0).max(longestTextBytes),
  isForced: z.boolean().default(false),
});
export type SaveFileInput = z.output<typeof saveFileInput>;

export const saveAnswer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('saved'), info: fileInfo }),
  z.object({ outcome: z.literal('changed') }),
  z.object({ outcome: z.literal('gone') }),
]);
export type SaveAnswer = z.infer<typeof saveAnswer>;

/** Folders that hold what nobody wrote by hand: not looked into unless asked. */
export const foldersLeftOut = [
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '__pycache__',
  '.venv',
  'venv',
  '.tox',
  '.cache',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
] as const;

/** Text that is looked for in the files of a folder and all below it, by the `grep` that is there. */
export const findInput = fileLocation.extend({
  text: z
    .string()
    .min(1)
    .max(1000)
    // eslint-disable-next-line no-control-regex -- lines are looked through, so it cannot hold their ends
    .regex(/^[^\u0000\n\r]*$/, 'must be one line'),
  /** An extended regular expression (POSIX). */
  isPattern: z.boolean().default(false),
  isCaseSensitive: z.boolean().default(false),
  isWord: z.boolean().default(false),
  /** Also in `foldersLeftOut`. */
  isEverywhere: z.boolean().default(false),
});
export type FindInput = z.output<typeof findInput>;

/** Most lines that are told; looking ends there. */
export const mostHits = 5000;

export const findHit = z.object({
  /** Below the folder. */
  path: z.string(),
  line: z.number().int(),
  /** The line, or the part of it that matters. */
  text: z.string(),
});
export type FindHit = z.infer<typeof findHit>;

/** What comes down while it looks, one JSON document a line; `end` is the last. */
export const findNews = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hits'), hits: z.array(findHit) }),
  z.object({
    kind: z.literal('end'),
    /** There may be more: it was given up at `mostHits`, or at more output than anybody reads. */
    isCut: z.boolean(),
    /** How many files and folders could not be read. */
    unread: z.number().int(),
  }),
]);
export type FindNews = z.infer<typeof findNews>;

/** Open files, and folders of which the entries are shown. */
export const watchInput = z.strictObject({
  place: filePlace,
  files: z.array(filePath).max(64),
  folders: z.array(filePath).max(128),
});
export type WatchInput = z.infer<typeof watchInput>;

/** What comes down until it is left, one JSON document a line. */
export const watchNews = z.discriminatedUnion('kind', [
  /** From now on changes are seen: told by the system at once, or found by looking every few seconds. */
  z.object({ kind: z.literal('watching'), how: z.enum(['events', 'looks']) }),
  /** Everything was looked at once more, where that is how changes are found. */
  z.object({ kind: z.literal('looked') }),
  /** Of the paths asked for, those that may be different, or gone, or there again. */
  z.object({ kind: z.literal('changed'), paths: z.array(z.string()) }),
]);
export type WatchNews = z.infer<typeof watchNews>;

export const workspace = {
  /** A file that is opened: what it is, and whether it may be written. */
  look: oc.input(fileLocation).output(z.object({ info: fileInfo, isWritable: z.boolean() })),
};

export const workspaceStreams = {
  'workspace.save': { input: saveFileInput, direction: 'both' },
  'workspace.find': { input: findInput, direction: 'down' },
  'workspace.watch': { input: watchInput, direction: 'down' },
} as const;
