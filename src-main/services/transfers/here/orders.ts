// What is asked of the thread that works on this computer's files, and what it answers.
import type { Digest } from '../digests.ts';
import type { Columns } from './columns.ts';

/**
 * What is made of the small files that go by: nothing, the SHA-256 of each, one digest of all in a row, or one
 * of the archive that is made.
 */
export type Digests =
  | { readonly kind: 'none' }
  | { readonly kind: 'each' }
  | { readonly kind: 'together' | 'archive'; readonly digest: Digest };

/** One that is there already, and is thought to be of this size. */
export interface WholeFile {
  readonly path: string;
  readonly size: number;
}

export type Begin =
  /** Hashes a file as far as it is told, from its beginning; the last telling is answered. */
  | { readonly kind: 'follow'; readonly path: string; readonly digest: Digest }
  /** Hashes files that are there; one for all of them, one after the other, or (null) the SHA-256 of each. */
  | {
      readonly kind: 'whole';
      readonly files: readonly WholeFile[];
      readonly together: Digest | null;
    }
  /** Lists all that lies below a folder, at most so many. */
  | { readonly kind: 'tree'; readonly path: string; readonly limit: number }
  /** Makes one archive of files below a folder. */
  | {
      readonly kind: 'pack';
      readonly directory: string;
      readonly items: Columns;
      readonly digests: Digests;
    }
  /** Takes archives apart: of what is in them, these files, into a folder. */
  | {
      readonly kind: 'unpack';
      readonly directory: string;
      readonly items: Columns;
      readonly digests: Digests;
    };

export type Further =
  | { readonly kind: 'advance'; readonly to: number; readonly isLast: boolean }
  /** A part of the archive that is made was taken. */
  | { readonly kind: 'more' }
  /** Of an archive that is taken apart. */
  | { readonly kind: 'part'; readonly bytes: Uint8Array }
  | { readonly kind: 'archive-end' }
  /** No more archives. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'drop' };

export type Order = { readonly id: number } & (Begin | Further);

/** What became of files, each by its number in what was asked for. */
export interface Passed {
  /** Bytes of the files' own. */
  readonly content: number;
  readonly done: readonly number[];
  /** As `done`, where each is hashed. */
  readonly hashes: readonly string[];
  /** Of another size than was asked for. */
  readonly changed: readonly number[];
  readonly failed: readonly { readonly at: number; readonly code: string }[];
}

export type Answer =
  | { readonly kind: 'entries'; readonly entries: Columns }
  | { readonly kind: 'packed'; readonly bytes: Uint8Array; readonly passed: Passed }
  /** A part of an archive was taken apart. */
  | { readonly kind: 'took'; readonly passed: Passed }
  | { readonly kind: 'archive-read'; readonly passed: Passed }
  | Last;

/** After these nothing more comes. */
export type Last =
  | { readonly kind: 'hashes'; readonly hashes: readonly string[] }
  /** `hash` where one was made of all. */
  | { readonly kind: 'ended'; readonly hash: string | null }
  /** `at` is the number of the file it failed with; `lie` tells what the source of an archive lied about. */
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly code: string;
      readonly at: number;
      readonly lie: string | null;
    };

export type Report = { readonly id: number } & Answer;

export function isLast(answer: Answer): answer is Last {
  return answer.kind === 'hashes' || answer.kind === 'ended' || answer.kind === 'failed';
}
