import type { Timers } from '../../domain/clock.ts';
import { commandTimeout } from '../command-timeout.ts';
import { asError, LinkError, lostError } from '../errors.ts';
import type { RunOptions, RunResult } from '../node-link.ts';
import type { ShellChannel } from './shell-channel.ts';

export interface ShellPoolOptions {
  /** Opens one more long-lived shell; calls back when it has ended. */
  open: (onClose: () => void) => Promise<ShellChannel>;
  timers: Timers;
  description: string;
  /** Told of what could not be cleaned up. */
  log: (message: string, error: unknown) => void;
}

export type JobOptions = Pick<RunOptions, 'timeoutMs' | 'signal' | 'maxOutputBytes'>;

interface Job {
  readonly text: string;
  readonly maxOutputBytes: number;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
  shell: ShellChannel | undefined;
}

/** One slow command must not hold up all others; and sessions are few. */
const MAX_SHELLS = 4;
/** Commands take about a millisecond: only one that waits this long justifies another shell. */
const GROW_AFTER_MS = 50;
const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Start-up files that hang are not tried again at once: each try holds a session on the far side. */
const HANG_MEMORY_MS = 30_000;
const KILL_AFTER_MS = 2_000;

/** Runs shell text on a few long-lived shells, first come, first served. */
export class ShellPool {
  readonly #options: ShellPoolOptions;
  readonly #shells = new Set<ShellChannel>();
  readonly #queue: Job[] = [];
  readonly #timers = new Set<Disposable>();
  #opening = 0;
  #limit = MAX_SHELLS;
  #growth: Disposable | undefined;
  #hang: LinkError | undefined;
  #isClosed = false;

  constructor(options: ShellPoolOptions) {
    this.#options = options;
  }

  run(text: string, options: JobOptions): Promise<RunResult> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    return new Promise((resolve, reject) => {
      const maxOutputBytes = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
      const cleanUp = this.#limitTime(options, (error) => this.#abandon(job, error));
      const job: Job = {
        text,
        maxOutputBytes,
        resolve: (result) => {
          cleanUp();
          resolve(result);
        },
        reject: (error) => {
          cleanUp();
          reject(asError(error));
        },
        shell: undefined,
      };
      this.#queue.push(job);
      this.#pump();
    });
  }

  /**
   * Signals the process group that a program of ours leads. Resolves when the signal was sent;
   * a group that is gone is no error.
   */
  async killGroup(pid: number, signal: string): Promise<void> {
    if (!Number.isSafeInteger(pid) || pid <= 1) return;
    const name = signal.replace(/^SIG/, '');
    if (!/^[A-Z0-9+]{1,12}$/.test(name)) return;
    await this.run(`kill -${name} -${pid} 2>/dev/null </dev/null`, { timeoutMs: 10_000 });
  }

  /** Nothing can be run any more; what waits is rejected with this error. */
  close(error: LinkError): void {
    this.#isClosed = true;
    this.#growth?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const job of this.#queue.splice(0)) job.reject(error);
    for (const shell of this.#shells) shell.close();
    this.#shells.clear();
  }

  #pump(): void {
    for (const shell of this.#shells) {
      const job = shell.isIdle ? this.#queue.shift() : undefined;
      if (job !== undefined) this.#start(job, shell);
    }
    if (this.#queue.length === 0) return;
    if (this.#isClosed) {
      this.close(lostError(this.#options.description));
    } else if (this.#hang !== undefined && this.#shells.size === 0) {
      this.#rejectAll(this.#hang);
    } else if (this.#shells.size + this.#opening === 0) {
      void this.#openShell();
    } else if (this.#shells.size + this.#opening < this.#limit) {
      this.#growth ??= this.#options.timers.after(GROW_AFTER_MS, () => this.#grow());
    }
  }

  #grow(): void {
    this.#growth = undefined;
    if (this.#queue.length > 0 && !this.#isClosed && this.#opening === 0) void this.#openShell();
  }

  #start(job: Job, shell: ShellChannel): void {
    job.shell = shell;
    shell.execute(job.text, job.maxOutputBytes).then(
      (result) => {
        job.resolve(result);
        this.#pump();
      },
      (error: unknown) => job.reject(error),
    );
  }

  async #openShell(): Promise<void> {
    this.#opening++;
    try {
      const shell: ShellChannel = await this.#options.open(() => {
        this.#shells.delete(shell);
        this.#pump();
      });
      if (this.#isClosed) shell.close();
      else this.#shells.add(shell);
    } catch (error) {
      this.#onOpenFailed(error);
    } finally {
      this.#opening--;
    }
    this.#pump();
  }

  #onOpenFailed(error: unknown): void {
    if (this.#shells.size > 0) {
      // There is one to go on with; no more can be had.
      this.#limit = this.#shells.size;
      this.#options.log('No further shell could be opened.', error);
      return;
    }
    if (error instanceof LinkError && error.code === 'link/shell-hangs') {
      this.#hang = error;
      this.#later(HANG_MEMORY_MS, () => (this.#hang = undefined));
    }
    this.#rejectAll(error);
  }

  #rejectAll(error: unknown): void {
    for (const job of this.#queue.splice(0)) job.reject(error);
  }

  /** The caller stops waiting. What already runs takes its shell with it, and is killed. */
  #abandon(job: Job, error: unknown): void {
    const position = this.#queue.indexOf(job);
    if (position >= 0) this.#queue.splice(position, 1);
    const { shell } = job;
    if (shell !== undefined && this.#shells.delete(shell)) {
      shell.close();
      void this.#kill(shell.pid);
    }
    job.reject(error);
  }

  async #kill(pid: number): Promise<void> {
    try {
      await this.killGroup(pid, 'TERM');
      this.#later(KILL_AFTER_MS, () => {
        this.killGroup(pid, 'KILL').catch((error: unknown) =>
          this.#options.log('A command could not be killed.', error),
        );
      });
    } catch (error) {
      this.#options.log('A command could not be ended.', error);
    }
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = this.#options.timers.after(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  #limitTime(options: JobOptions, onEnd: (error: unknown) => void): () => void {
    const { timeoutMs, signal } = options;
    const onAbort = () => onEnd(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#options.timers.after(timeoutMs, () =>
            onEnd(commandTimeout(this.#options.description, timeoutMs)),
          );
    return () => {
      timer?.[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
    };
  }
}
