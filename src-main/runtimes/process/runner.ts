// The program on a node that starts attempts and waits for them by itself (process-runner.py): for
// times when many start, on nodes that have Python. It is brought up with the first burst and stays
// until the connection ends; what it has started it waits for, however long.
import type { CoreId, Instant } from '../../contract/ids.ts';
import type { Timers } from '../../domain/clock.ts';
import { AppError } from '../../contract/errors.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { RuntimeLog } from '../log.ts';
import { readNodeScript } from '../node-scripts.ts';
import { linesOf } from './lines.ts';
import type { TakeOver } from './take-over.ts';

export interface RunnerOptions {
  readonly link: NodeLink;
  readonly machineId: string;
  readonly coreId: CoreId;
  readonly takeOver: TakeOver;
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
}

const silenceMs = 20_000;
/** So many are asked at a time: what a dropped link leaves on its way is little, and it is never idle. */
const mostAsked = 32;
/**
 * `setsid`: it belongs to no connection. `tee` does, and ends its input. The shell ends with `tee`, and
 * neither holds the output: when that ends, the program has. Not `cat`: that of BusyBox (1.35, by
 * sendfile) keeps what comes out of a socket until its end.
 */
const startText = `python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3) || exit 3
command -v setsid >/dev/null || exit 3
exec 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>&1
tee <&3 3<&- 4>&- 5>&- |
  { exec 6<&0; setsid "$python" -ISc "$@" $$ <&6 >&4 2>&5 3<&- 4>&- 5>&- 6<&- & } &
exec 3<&- 4>&- 5>&-
wait`;

export class Runner {
  readonly #options: RunnerOptions;
  #silence: Disposable | undefined;
  readonly #waiting = new Map<string, (answer: string | undefined) => void>();
  /** Of these, what was not sent yet. */
  #unsent: string[] = [];
  #running: Promise<void> | undefined;
  /** Until it has ended: resolves when it is ready, or known not to get so far. */
  #comesUp: Promise<void> | undefined;
  #program: RemoteProcess | undefined;
  #isReady = false;
  /** From when its program is started until it is lost. */
  #isUp = false;
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
      this.#unsent.push(`${JSON.stringify(order)}\n`);
      this.#sendMore();
    });
  }

  /** It is let go, and ends when what it has started has; that is not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#program === undefined) return;
    this.#letGo(this.#program);
    await this.#running;
  }

  #letGo(program: RemoteProcess): void {
    const { log } = this.#options;
    // First, as the far side may answer nothing any more.
    program.stdout.destroy();
    Promise.resolve(program[Symbol.asyncDispose]()).catch((error: unknown) => {
      log.debug({ error }, 'the runner was let go');
    });
  }

  /** One that says nothing for so long while it is asked is let go: others do its work from then on. */
  #expectWord(): Disposable {
    const { timers, log } = this.#options;
    return timers.after(silenceMs, () => {
      this.#isAbsent = true;
      log.warn({ asked: this.#waiting.size }, 'the runner for processes does not answer');
      if (this.#program !== undefined) this.#letGo(this.#program);
      this.#lose();
    });
  }

  #heard(): void {
    this.#silence?.[Symbol.dispose]();
    this.#silence = this.#waiting.size === 0 ? undefined : this.#expectWord();
  }

  /** Orders of one turn of the loop go together. */
  #sendMore(): void {
    const asked = this.#waiting.size - this.#unsent.length;
    const lines = this.#unsent.splice(0, Math.max(0, mostAsked - asked)).join('');
    if (lines === '') return;
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += lines;
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (this.#program?.stdin.writable === true) this.#program.stdin.write(lines);
  }

  async #run(onReady: () => void): Promise<void> {
    const { link, machineId, coreId, takeOver, log } = this.#options;
    const script = readNodeScript('process-runner.py');
    const words = [script, machineId, coreId, takeOver.nextRunner()];
    this.#isUp = true;
    try {
      await takeOver.ensure();
      await using program = await link.spawn(['sh', '-c', startText, 'sh', ...words]);
      this.#program = program;
      program.ended.catch(() => undefined);
      program.stdin.on('error', () => undefined);
      program.stderr.on('data', (chunk: Buffer) =>
        log.debug({ text: chunk.toString().slice(0, 1000) }, 'the runner for processes complained'),
      );
      if (this.#isClosed) return;
      this.#silence = this.#expectWord();
      for await (const line of linesOf(program.stdout)) {
        this.#take(line);
        if (this.#isReady) onReady();
      }
    } catch (error) {
      const level = error instanceof AppError ? 'debug' : 'warn';
      log[level]({ error }, 'the runner for processes could not be run');
    } finally {
      this.#lose();
    }
  }

  /** Done when its output ends, or it is let go; the second time does nothing. */
  #lose(): void {
    if (!this.#isUp) return;
    const wasReady = this.#isReady;
    this.#isUp = false;
    this.#silence?.[Symbol.dispose]();
    this.#silence = undefined;
    // Before anybody looks, or orders the same of others.
    if (this.#program !== undefined) this.#options.takeOver.forgetRunner();
    this.#program = undefined;
    this.#isReady = false;
    this.#isAbsent ||= !wasReady;
    this.#lines = '';
    this.#unsent = [];
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const resolve of waiting) resolve(undefined);
    if (wasReady && !this.#isClosed) this.#options.onLoss();
  }

  #take(line: string): void {
    if (!this.#isUp) return;
    if (line.startsWith('exit ')) {
      this.#options.onExit(line);
      return;
    }
    const [, path = '', answer = ''] = /^answer (\d{1,19}\/\d{1,7}) (.{1,400})/.exec(line) ?? [];
    this.#waiting.get(path)?.(answer);
    if (this.#waiting.delete(path)) this.#sendMore();
    this.#root = /^root (\/.{1,4000})$/.exec(line)?.[1] ?? this.#root;
    if (line === 'ready') this.#isReady = true;
    if (this.#isReady) this.#heard();
  }
}
