/** What the terminal of a log can be told. */
export interface LogHandle {
  /** Calls back when the bytes have been taken in, which is when more may come. */
  write: (bytes: Uint8Array, done: () => void) => void;
  clear: () => void;
  find: (text: string, direction: 'next' | 'previous') => boolean;
  toEnd: () => void;
}
