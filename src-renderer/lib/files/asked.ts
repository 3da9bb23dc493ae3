import type { FileEntryView, FileLocation } from '../../../src-main/contract/files.ts';

/** What a person was asked, or asked for, about a pane. */
export type Asked =
  | { readonly kind: 'rename' | 'info' | 'open'; readonly entry: FileEntryView }
  | { readonly kind: 'folder' | 'file' }
  | { readonly kind: 'sync'; readonly from: FileLocation; readonly to: FileLocation }
  /** Fixed when it is asked, so that what is deleted is what was read. */
  | { readonly kind: 'remove'; readonly names: readonly string[] };
