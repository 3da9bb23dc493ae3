// Orders for a container's files, run by a few shells in it that stay: to start a program there takes
// the Engine a tenth of a second and more, to have a shell run one a few milliseconds.
import { randomBytes } from 'node:crypto';
import type { Timers } from '../../domain/clock.ts';
import { MarkedOutput } from '../../link/marked-output.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { ContainerExecutionError } from './errors.ts';

export interface ShellOrder {
  /** Shell text that changes nothing of the shell itself, with its own quoting. */
  readonly text: string;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ShellAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** There was more than was to be kept. */
  readonly isTruncated: boolean;
}

export interface ShellParts {
  /** Starts `sh` in the container. */
  readonly start: () => Promise<RemoteProcess>;
  /** Shell text that is read by each shell first. */
  readonly prelude: string;
  readonly timers: Timers;
}

/** At once: one slow order does not hold up all others. */
const mostShells = 3;
const longestComplaintBytes = 64 * 1024;
/** A shell without an order is ended after that. */
const keptIdleMs = 5000;

interface Waiting {
  readonly order: ShellOrder;
  readonly answer: PromiseWithResolvers<ShellAnswer>;
}

export class ContainerShells {
  readonly #parts: ShellParts;
  readonly #shells = new Set<Shell>();
  readonly #queue: Waiting[] = [];
  #opening = 0;

  constructor(parts: ShellParts) {
    this.#parts = parts;
  }

  /** Rejects with what broke the shell or its link, and with the reason of an aborted signal. */
  async run(order: ShellOrder): Promise<ShellAnswer> {
    const { signal } = order;
    signal?.throwIfAborted();
    const answer = Promise.withResolvers<ShellAnswer>();
    const onAbort = () => answer.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#queue.push({ order, answer });
    this.#pump();
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #pump(): void {
    for (const shell of this.#shells) {
      if (!shell.isIdle) continue;
      const next = this.#next();
      if (next === undefined) return;
      void this.#give(shell, next);
    }
    const wanted = Math.min(this.#queue.length, mostShells - this.#shells.size);
    for (let more = this.#opening; more < wanted; more += 1) void this.#open();
  }

  /** What nobody waits for any more is passed over. */
  #next(): Waiting | undefined {
    for (;;) {
      const next = this.#queue.shift();
      if (next?.order.signal?.aborted !== true) return next;
    }
  }

  async #give(shell: Shell, { order, answer }: Waiting): Promise<void> {
    const leave = () => void shell.close();
    order.signal?.addEventListener('abort', leave, { once: true });
    try {
      answer.resolve(await shell.execute(order));
    } catch (error) {
      answer.reject(error);
    } finally {
      order.signal?.removeEventListener('abort', leave);
    }
    this.#pump();
  }

  async #open(): Promise<void> {
    this.#opening += 1;
    try {
      const process = await this.#parts.start();
      const { prelude, timers } = this.#parts;
      const shell = new Shell(process, { prelude, timers });
      this.#shells.add(shell);
      const gone = () => this.#shells.delete(shell);
      process.ended.then(gone, gone);
    } catch (error) {
      // Those that are there go on with what waits.
      if (this.#shells.size === 0) {
        for (const { answer } of this.#queue.splice(0)) answer.reject(error);
      }
    } finally {
      this.#opening -= 1;
    }
    this.#pump();
  }
}

interface Running extends PromiseWithResolvers<ShellAnswer> {
  readonly stdout: MarkedOutput;
  readonly stderr: MarkedOutput;
}

/** One order after another; what each prints ends where a mark comes that nothing in the container can know. */
class Shell {
  readonly #process: RemoteProcess;
  readonly #timers: Timers;
  #running: Running | undefined;
  #isOpen = true;
  #idle: Disposable | undefined;

  constructor(process: RemoteProcess, { prelude, timers }: Pick<ShellParts, 'prelude' | 'timers'>) {
    this.#process = process;
    this.#timers = timers;
    process.stdin.on('error', () => undefined);
    process.stderr.on('error', () => undefined);
    process.stdout.on('data', (bytes: Buffer) => this.#hear('stdout', bytes));
    process.stderr.on('data', (bytes: Buffer) => this.#hear('stderr', bytes));
    process.ended.then(
      () => this.#lose(ended()),
      (error: unknown) => this.#lose(error),
    );
    process.stdin.write(`${prelude}\n`);
  }

  get isIdle(): boolean {
    return this.#isOpen && this.#running === undefined;
  }

  execute({ text, maxBytes }: ShellOrder): Promise<ShellAnswer> {
    this.#idle?.[Symbol.dispose]();
    const mark = randomBytes(16).toString('hex');
    const running: Running = {
      ...Promise.withResolvers<ShellAnswer>(),
      stdout: new MarkedOutput(mark, maxBytes),
      stderr: new MarkedOutput(mark, longestComplaintBytes),
    };
    this.#running = running;
    const end = `printf '${mark} %s;' "$?"; printf '${mark};' >&2`;
    this.#process.stdin.write(`${text}\n${end}\n`);
    return running.promise;
  }

  /** Whatever runs in it is ended as well. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#idle?.[Symbol.dispose]();
    await this.#process[Symbol.asyncDispose]();
  }

  #hear(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    const running = this.#running;
    if (running === undefined) return;
    running[stream].feed(bytes);
    const { stdout, stderr } = running;
    if (stdout.isTruncated || stderr.isTruncated) {
      // What never ends is not waited for.
      this.#answer(running, -1);
      void this.close();
    } else if (stdout.trailer !== undefined && stderr.trailer !== undefined) {
      this.#answer(running, Number(stdout.trailer));
      this.#idle = this.#timers.after(keptIdleMs, () => this.#leave());
    }
  }

  #answer({ stdout, stderr, resolve }: Running, exitCode: number): void {
    this.#running = undefined;
    const isTruncated = stdout.isTruncated || stderr.isTruncated;
    resolve({ exitCode, stdout: stdout.bytes(), stderr: stderr.bytes(), isTruncated });
  }

  /** It ends by itself with its input. */
  #leave(): void {
    this.#isOpen = false;
    this.#process.stdin.end();
  }

  #lose(error: unknown): void {
    this.#isOpen = false;
    this.#idle?.[Symbol.dispose]();
    this.#running?.reject(error);
    this.#running = undefined;
  }
}

function ended(): ContainerExecutionError {
  return new ContainerExecutionError(
    'The shell in the container that looks after its files has ended; the container may have been stopped.',
    { retry: 'later' },
  );
}
