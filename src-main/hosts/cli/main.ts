// The `kohakuriver` command: a client of the running core, for terminals and scripts. It decides
// nothing: words in, calls of the contract, words out. `serve` alone runs a core of its own.
import { homedir } from 'node:os';
import { text } from 'node:stream/consumers';
import { byteSink } from './byte-sink.ts';
import { Interruption, type ReaderGone } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { runCli } from './program.ts';
import { terminalPrompts } from './prompts.ts';
import { rawTerminal } from './raw-terminal.ts';

const end = new AbortController();

function interrupt(exitCode: number): void {
  // Asked a second time: whatever still holds on, holds on in vain.
  if (end.signal.aborted) process.exit(exitCode);
  end.abort(new Interruption(exitCode));
}

process.on('SIGINT', () => interrupt(exitCodes.interrupted));
process.on('SIGTERM', () => interrupt(exitCodes.terminated));

const onReaderGone = (reason: ReaderGone): void => end.abort(reason);
const hasPerson = process.stdin.isTTY && process.stderr.isTTY;

const io: Io = {
  out: byteSink(process.stdout, onReaderGone),
  err: byteSink(process.stderr, onReaderGone),
  env: process.env,
  cwd: process.cwd(),
  platform: process.platform,
  homeDir: homedir(),
  prompts: hasPerson
    ? terminalPrompts({
        input: process.stdin,
        output: process.stderr,
        signal: end.signal,
        onInterrupt: () => interrupt(exitCodes.interrupted),
      })
    : undefined,
  terminal: rawTerminal(process.stdin, process.stdout),
  keys: () => process.stdin,
  readInput: () => text(process.stdin),
  now: Date.now,
};

const exitCode = await runCli(process.argv.slice(2), { io, signal: end.signal });
await Promise.allSettled([io.out.flushed(), io.err.flushed()]);
process.exit(exitCode);
