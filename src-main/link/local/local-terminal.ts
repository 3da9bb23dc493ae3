import { Readable, Writable } from 'node:stream';
import type * as NodePty from 'node-pty';
import { LinkUnsupportedError } from '../errors.ts';
import type { RemoteProcess } from '../node-link.ts';
import type { LocalCommand } from './local-process.ts';

export interface TerminalSize {
  columns: number;
  rows: number;
  term: string;
}

/**
 * Starts a program on a pseudo-terminal. Throws LinkUnsupportedError where node-pty, an optional
 * dependency that is compiled at installation, is missing.
 */
export async function startOnTerminal(
  options: LocalCommand & { size: TerminalSize },
): Promise<RemoteProcess> {
  const [file, ...args] = options.command;
  const { spawn } = await loadNodePty();
  const { columns, rows, term } = options.size;
  const pty = spawn(file ?? '', args, {
    name: term,
    cols: columns,
    rows,
    cwd: options.cwd,
    env: { ...options.env, TERM: term },
    encoding: null,
  });
  return new TerminalProcess(pty);
}

async function loadNodePty(): Promise<typeof NodePty> {
  try {
    return await import('node-pty');
  } catch (error) {
    throw new LinkUnsupportedError(
      'link/unsupported',
      'Terminals on this computer need the module node-pty, which could not be built when the app was installed. Install a C++ compiler, make and Python, then run npm install again.',
      { cause: error, retry: 'after-user-action', details: { missing: 'node-pty' } },
    );
  }
}

class TerminalProcess implements RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: RemoteProcess['ended'];
  readonly #pty: NodePty.IPty;
  #hasEnded = false;

  constructor(pty: NodePty.IPty) {
    this.#pty = pty;
    this.stdout = outputOf(pty);
    this.stderr = Readable.from([]);
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // A terminal that is gone takes no more input; its end is told by `ended`.
        if (!this.#hasEnded) pty.write(chunk);
        done();
      },
      final: (done) => {
        // End of input on a terminal is a character (^D).
        if (!this.#hasEnded) pty.write('\u0004');
        done();
      },
    });
    this.ended = new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        this.#hasEnded = true;
        this.stdout.push(null);
        resolve(
          signal === undefined || signal === 0
            ? { exitCode, signal: null }
            : { exitCode: null, signal: signalName(signal) },
        );
      });
    });
  }

  resize(columns: number, rows: number): void {
    if (!this.#hasEnded) this.#pty.resize(columns, rows);
  }

  end(signal = 'SIGHUP'): Promise<void> {
    if (!this.#hasEnded) this.#pty.kill(process.platform === 'win32' ? undefined : signal);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    this.stdout.destroy();
  }
}

/** Pulled: while nobody reads, the terminal is paused and the program waits in its write. */
function outputOf(pty: NodePty.IPty): Readable {
  const output = new Readable({
    read: () => pty.resume(),
    destroy: (error, done) => {
      pty.resume();
      done(error);
    },
  });
  pty.onData((data) => {
    // With `encoding: null` these are bytes, whatever the declaration says.
    const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Buffer);
    if (!output.destroyed && !output.push(bytes)) pty.pause();
  });
  return output;
}

function signalName(signal: number): string {
  const names: Record<number, string> = {
    1: 'SIGHUP',
    2: 'SIGINT',
    3: 'SIGQUIT',
    6: 'SIGABRT',
    9: 'SIGKILL',
    11: 'SIGSEGV',
    15: 'SIGTERM',
  };
  return names[signal] ?? `SIG${signal}`;
}
