import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalSize } from '../../contract/terminals.ts';

/** The terminal this program runs in, key by key. */
export interface RawTerminal {
  /** Undefined where standard output is no terminal. */
  readonly size: TerminalSize | undefined;
  /** Every key as it is pressed, Ctrl-C included, until disposed. */
  raw(): Disposable;
  onResize(listener: (size: TerminalSize) => void): Disposable;
}

/** Undefined where standard input is no terminal. */
export function rawTerminal(input: ReadStream, output: WriteStream): RawTerminal | undefined {
  if (!input.isTTY) return undefined;
  const size = (): TerminalSize | undefined => {
    if (!output.isTTY) return undefined;
    const { columns, rows } = output;
    return { columns: clamp(columns, 2, 1000), rows: clamp(rows, 1, 500) };
  };
  return {
    get size() {
      return size();
    },
    raw: () => {
      input.setRawMode(true);
      return {
        [Symbol.dispose]: () => {
          input.setRawMode(false);
          input.pause();
        },
      };
    },
    onResize: (listener) => {
      const tell = () => {
        const now = size();
        if (now !== undefined) listener(now);
      };
      output.on('resize', tell);
      return { [Symbol.dispose]: () => void output.off('resize', tell) };
    },
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
