// A core that is only its contract: it answers what a test tells it to and remembers what it was
// asked, over the real local socket.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { implement } from '@orpc/server';
import type { WireContext } from '../../../src-main/api/context.ts';
import type { ContractRouter, StreamHandlers } from '../../../src-main/api/wire/serve-wire.ts';
import { contract } from '../../../src-main/contract/procedures.ts';
import { writeCoreFile } from '../../../src-main/hosts/core-file.ts';
import type { Io } from '../../../src-main/hosts/cli/io.ts';
import { runCli } from '../../../src-main/hosts/cli/program.ts';
import { startLocalSocket } from '../../../src-main/hosts/server/local-socket.ts';
import { memoryIo, type MemoryIo } from '../../unit/cli/memory-io.ts';

/** Answers by dotted name; a function gets the input. */
export type Answers = Readonly<Record<string, (input: never) => unknown>>;

export interface FakeCore extends AsyncDisposable {
  readonly dataDir: string;
  /** What was asked, in order. */
  readonly asked: { name: string; input: unknown }[];
  /** Runs a command line against this core, in this process. */
  run(words: readonly string[], io?: Parameters<typeof memoryIo>[0]): Promise<Ran>;
}

export interface Ran {
  code: number;
  out: string;
  err: string;
}

type Implemented = Record<
  string,
  { handler: (run: (call: { input: unknown }) => unknown) => unknown }
>;

export async function startFakeCore(
  answers: Answers,
  readLog: StreamHandlers['tasks.readLog'] = noLog,
): Promise<FakeCore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kr-cli-'));
  const asked: FakeCore['asked'] = [];
  const os = implement(contract).$context<WireContext>() as unknown as Record<string, Implemented>;
  const router: Record<string, Record<string, unknown>> = {};
  for (const [name, answer] of Object.entries(answers)) {
    const [area = '', call = ''] = name.split('.');
    router[area] ??= {};
    router[area][call] = os[area]![call]!.handler(({ input }) => {
      asked.push({ name, input });
      return answer(input as never);
    });
  }
  const log = { info: noWords, warn: noWords, error: noWords };
  const socket = await startLocalSocket({
    core: {
      router: router as unknown as ContractRouter,
      streams: { 'tasks.readLog': readLog } as unknown as StreamHandlers,
      log,
    },
    dataDir,
    who: 'tester',
  });
  await writeCoreFile(dataDir, {
    pid: process.pid,
    socket: socket.path,
    url: null,
    startedAt: 0,
    version: '0',
  });
  return {
    dataDir,
    asked,
    run: (words, options) =>
      run(['--data-dir', dataDir, '--no-spawn', ...words], memoryIo(options)),
    [Symbol.asyncDispose]: async () => {
      await socket.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

async function run(words: readonly string[], io: MemoryIo & Io): Promise<Ran> {
  const code = await runCli(words, { io, signal: new AbortController().signal });
  return { code, out: io.out.text, err: io.err.text };
}

function noWords(): void {
  // A fake core has no log.
}

async function* noLog(): AsyncGenerator<Uint8Array> {
  // Nothing was printed.
}

/** A feed that is one snapshot and stays open as long as it is read. */
export async function* snapshot(value: unknown): AsyncGenerator {
  await Promise.resolve();
  yield { kind: 'snapshot', value };
}
