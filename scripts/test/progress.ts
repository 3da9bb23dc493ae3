// What a running vitest tells the test run about its files, over the channel between them.
import type { FileOutcome } from './outcome.ts';

export interface PlannedFile {
  /** Relative to the checkout. */
  readonly file: string;
  /** The vitest project it belongs to. */
  readonly project: string;
}

export type Progress =
  | { readonly kind: 'planned'; readonly files: readonly PlannedFile[] }
  /** A worker begins with the file: loads it, then runs its tests. */
  | { readonly kind: 'begun'; readonly file: string }
  | { readonly kind: 'ended'; readonly outcome: FileOutcome }
  /** All files have ended; errors that belong to no test. */
  | { readonly kind: 'done'; readonly strayErrors: number };
