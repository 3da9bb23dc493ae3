// The program on a node that starts attempts and waits for them by itself (process-runner.py): for
// times when many start, on nodes that have Python. It is brought up with the first burst and stays
// until the connection ends; what it has started it waits for, however long.
import { createInterface } from 'node:readline';
import type { CoreId, Instant } from '../../contract/ids.ts';
import type { Timers } from '../../domain/clock.ts';
import { AppError } from '../../contract/errors.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { RuntimeLog } from '../log.ts';
import { readNodeScript } from '../node-scripts.ts';

export interface RunnerOptions {
  readonly link: NodeLink;
  readonly machineId: string;
  readonly coreId: CoreId;
  /** Of this connection: directories under way carry it. */
  readonly word: string;
  readonly log: RuntimeLog;
  readonly timers: Timers;
  /** A line that says `exit …`, as the watcher tells them, too. */
  readonly onExit: (line: string) => void;
  /** It is gone: something may have been missed. */
  readonly onLoss: () => void;
}

/** What process-runner.py is told about an attempt. */
export interface RunnerOrder {
  /** `TASK/ATTEMPT` */
  readonly path: string;
  readonly meta: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  /** Null: the home directory. */
  readonly workdir: string | null;
  readonly at: Instant;
  /** A file beside the attempts that is there as long as no later connection of this core has come. */
  readonly fence: string;
}

const silenceMs = 20_000;
/**
 * `setsid`: it belongs to no connection. `cat` does, and ends its input. In the background, so that
 * the shell ends with `cat`.
 */
const startText = `command -v python3 >/dev/null && command -v setsid >/dev/null || exit 3
unset ENV BASH_ENV
cat | { exec 3<&0; setsid python3 -ISc "$@" "\${LC_CTYPE+set}" <&3 3<&- & }`;

export class Runner {
  readonly #options: RunnerOptions;
  #silence: Disposable | undefined;
  readonly #waiting = new Map<string, (answer: string | undefined) => void>();
  #running: Promise<void> | undefined;
  /** Until it has ended: resolves when it is ready, or known not to get so far. */
  #comesUp: Promise<void> | undefined;
  #program: RemoteProcess | undefined;
  #isReady = false;
  /** It did not come up on this connection: there is no Python, or no room for it. */
  #isAbsent = false;
  #isClosed = false;
  #root: string | undefined;
  #lines = '';

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Where the node keeps attempts, once it has told. */
  get root(): string | undefined {
    return this.#root;
  }

  /** Brings it up, unless it is there or cannot be had. Resolves when it is known which. */
  async ensure(): Promise<void> {
    if (this.#isAbsent || this.#isClosed) return;
    this.#comesUp ??= this.#start();
    await this.#comesUp;
  }

  #start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve).finally(() => {
        this.#comesUp = undefined;
        resolve();
      });
    });
  }

  /** Its answer; undefined when it went away before it gave one, and the node has to be asked. */
  launch(order: RunnerOrder): Promise<string | undefined> {
    return this.#ask(order.path, order);
  }

  /** Like `launch`; `path` is `TASK/ATTEMPT`. */
  remove(path: string): Promise<string | undefined> {
    return this.#ask(path, { remove: path });
  }

  /** Of an attempt one thing is asked at a time. */
  #ask(path: string, order: object): Promise<string | undefined> {
    if (!this.#isReady || this.#waiting.has(path)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#silence ??= this.#expectWord();
      this.#waiting.set(path, resolve);
      this.#send(`${JSON.stringify(order)}\n`);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const { log } = this.#options;
    this.#program?.end().catch((error: unknown) => log.debug({ error }, 'the runner was let go'));
    // One that does not answer is not waited for.
    if (!this.#isAbsent) await this.#running;
  }

  /** One that says nothing for so long while it is asked is let go: others do its work from then on. */
  #expectWord(): Disposable {
    const { timers, log } = this.#options;
    return timers.after(silenceMs, () => {
      this.#isAbsent = true;
      log.warn({ asked: this.#waiting.size }, 'the runner for processes does not answer');
      Promise.resolve(this.#program?.[Symbol.asyncDispose]()).catch((error: unknown) => {
        log.debug({ error }, 'the runner was let go');
      });
      this.#lose(true);
    });
  }

  #heard(): void {
    this.#silence?.[Symbol.dispose]();
    this.#silence = this.#waiting.size === 0 ? undefined : this.#expectWord();
  }

  /** Orders of one turn of the loop go together. */
  #send(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += line;
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (this.#program?.stdin.writable === true) this.#program.stdin.write(lines);
  }

  async #run(onReady: () => void): Promise<void> {
    const { link, machineId, coreId, word, log } = this.#options;
    const script = readNodeScript('process-runner.py');
    const words = [script, machineId, coreId, word];
    let wasReady = false;
    try {
      await using program = await link.spawn(['sh', '-c', startText, 'sh', ...words]);
      this.#program = program;
      program.ended.catch(() => undefined);
      program.stdin.on('error', () => undefined);
      program.stderr.on('data', (chunk: Buffer) =>
        log.debug({ text: chunk.toString().slice(0, 1000) }, 'the runner for processes complained'),
      );
      if (this.#isClosed) return;
      for await (const line of createInterface({ input: program.stdout })) {
        this.#take(line);
        if (this.#isReady && !wasReady) onReady();
        wasReady ||= this.#isReady;
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.debug({ error }, 'the runner for processes could not be run');
    } finally {
      this.#lose(wasReady);
    }
  }

  #lose(wasReady: boolean): void {
    this.#silence?.[Symbol.dispose]();
    this.#silence = undefined;
    this.#program = undefined;
    this.#isReady = false;
    this.#isAbsent ||= !wasReady;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const resolve of waiting) resolve(undefined);
    if (wasReady) this.#options.onLoss();
  }

  #take(line: string): void {
    if (line.startsWith('exit ')) {
      this.#options.onExit(line);
      return;
    }
    const [, path = '', answer = ''] = /^answer (\d{1,19}\/\d{1,7}) (.{1,400})/.exec(line) ?? [];
    this.#waiting.get(path)?.(answer);
    this.#waiting.delete(path);
    this.#heard();
    this.#root = /^root (\/.{1,4000})$/.exec(line)?.[1] ?? this.#root;
    if (line === 'ready') this.#isReady = true;
  }
}
