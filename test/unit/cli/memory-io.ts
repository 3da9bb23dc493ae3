import type { ByteSink } from '../../../src-main/hosts/cli/byte-sink.ts';
import type { Io } from '../../../src-main/hosts/cli/io.ts';
import type { Prompts } from '../../../src-main/hosts/cli/prompts.ts';

export interface MemorySink extends ByteSink {
  readonly text: string;
}

export function memorySink(isTerminal = false): MemorySink {
  const parts: Buffer[] = [];
  return {
    isTerminal,
    columns: isTerminal ? 100 : undefined,
    write(data) {
      parts.push(Buffer.from(data as string));
      return Promise.resolve();
    },
    flushed: () => Promise.resolve(),
    get text() {
      return Buffer.concat(parts).toString();
    },
  };
}

export interface MemoryIo extends Io {
  readonly out: MemorySink;
  readonly err: MemorySink;
}

/** The world as a test has it: nobody at a terminal, unless prompts are given. */
export function memoryIo(
  options: { env?: Io['env']; prompts?: Prompts; input?: string } = {},
): MemoryIo {
  return {
    out: memorySink(),
    err: memorySink(options.prompts !== undefined),
    env: options.env ?? {},
    cwd: '/nowhere',
    platform: 'linux',
    homeDir: '/home/me',
    prompts: options.prompts,
    terminal: undefined,
    keys: async function* () {
      await Promise.resolve();
      if (options.input !== undefined) yield Buffer.from(options.input);
    },
    readInput: () => Promise.resolve(options.input ?? ''),
    now: () => 1_772_366_400_000,
  };
}
