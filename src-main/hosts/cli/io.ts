// The world outside of the program, handed in: streams, environment, questions, time.
import type { ByteSink } from './byte-sink.ts';
import type { Prompts } from './prompts.ts';
import type { RawTerminal } from './raw-terminal.ts';

export interface Io {
  readonly out: ByteSink;
  readonly err: ByteSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current directory; relative paths on the command line start here. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
  /** Asks the person at the terminal; undefined where nobody sits at one. */
  readonly prompts: Prompts | undefined;
  /** The terminal on standard input; undefined where there is none. */
  readonly terminal: RawTerminal | undefined;
  /** Standard input as it comes. */
  readonly keys: () => AsyncIterable<Uint8Array>;
  /** All of standard input, as text. */
  readonly readInput: () => Promise<string>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}
