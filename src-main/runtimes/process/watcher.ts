// One program per node and core that tells at once when an attempt ends or a log grows. The files on
// the node stay the truth: after every (re)start of the watcher, whoever waits looks again.
import { AppError } from '../../contract/errors.ts';
import { sleep, type Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { RuntimeLog } from '../log.ts';
import { readNodeScript } from '../node-scripts.ts';
import { linesOf } from './lines.ts';
import { readExit, type ExitRecord } from './records.ts';

/** `exit`: an attempt ended. `growth`: a log file has more. `reset`: something may have been missed. */
export type Notice =
  | {
      readonly kind: 'exit';
      readonly path: string;
      readonly exit: ExitRecord;
      /** It has printed something. */
      readonly hasLog: boolean;
    }
  | { readonly kind: 'growth'; readonly path: string }
  | { readonly kind: 'reset' };

export interface WatcherOptions {
  readonly link: NodeLink;
  readonly machineId: string;
  readonly coreId: string;
  readonly timers: Timers;
  readonly log: RuntimeLog;
}

/** Between two tries to start it, for instance when the connection has no session left. */
const restartDelayMs = 3000;
/** How long growth may go unnoticed: while somebody looks, and while the core merely collects. */
const livePause = '0.2';
const collectingPause = '2';
/** How long changes of what is followed are gathered; a log that is followed for less is never looked at. */
const burstMs = 100;

/** Of all watchers of this process: no two connections have a FIFO of the same name. */
let starts = 0;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #noticed = new Emitter<Notice>();
  readonly #followed = new Map<string, number>();
  /** Of these, those that came since the last burst was over. */
  readonly #young = new Set<string>();
  #sent = '';
  readonly #abort = new AbortController();
  #program: RemoteProcess | undefined;
  #running: Promise<void> | undefined;
  #sending: Disposable | undefined;
  #isLive = true;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** False while notices may be missed: look by yourself then. */
  get isListening(): boolean {
    return this.#program !== undefined;
  }

  get onDidNotice(): Event<Notice> {
    return this.#noticed.event;
  }

  /** Starts it once; it is kept running until closed or the link drops. */
  ensure(): void {
    this.#running ??= this.#keepRunning();
  }

  /** Asks for notices about the logs in `TASK/ATTEMPT` until disposed. */
  follow(path: string): Disposable {
    const before = this.#followed.get(path) ?? 0;
    this.#followed.set(path, before + 1);
    if (before === 0) this.#young.add(path);
    this.#sendFilesSoon();
    return {
      [Symbol.dispose]: () => {
        const count = (this.#followed.get(path) ?? 1) - 1;
        if (count === 0) this.#forget(path);
        else this.#followed.set(path, count);
      },
    };
  }

  #forget(path: string): void {
    this.#followed.delete(path);
    if (!this.#young.delete(path)) this.#sendFilesSoon();
  }

  /** Growth is told within 0.2 s while live (the first within 0.4), and within 2 s of a quiet log otherwise. */
  setLive(isLive: boolean): void {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.#sendFiles();
  }

  /** What another program on the node tells of an end, as the watcher itself would. */
  hear(line: string): void {
    this.#takeExit(line);
  }

  /** Such a program is gone: whoever waits looks again. */
  mayHaveMissed(): void {
    this.#noticed.emit({ kind: 'reset' });
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#sending?.[Symbol.dispose]();
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    const { link, timers, log } = this.#options;
    const { signal } = this.#abort;
    while (link.isOpen && !signal.aborted) {
      try {
        await this.#runOnce();
      } catch (error) {
        // Whatever it was: without a watcher, ends are heard of late.
        const level = error instanceof AppError ? 'debug' : 'warn';
        log[level]({ error }, 'the watcher for processes could not be run');
      }
      this.#program = undefined;
      this.#noticed.emit({ kind: 'reset' });
      await sleep(timers, restartDelayMs, signal).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<void> {
    const { link, machineId, coreId, log } = this.#options;
    starts += 1;
    const word = `${String(process.pid)}-${String(starts)}`;
    const script = readNodeScript('process-watch.sh');
    await using program = await link.spawn(['sh', '-c', script, 'sh', machineId, coreId, word]);
    program.ended.catch(() => undefined);
    program.stdin.on('error', () => undefined);
    program.stderr.resume();
    const onAbort = () => {
      // The link may go down together with it; it has then ended, too.
      program.end().catch((error: unknown) => log.debug({ error }, 'the watcher was let go'));
    };
    if (this.#abort.signal.aborted) return;
    this.#abort.signal.addEventListener('abort', onAbort, { once: true });
    for await (const line of linesOf(program.stdout)) {
      this.#take(line, program);
    }
  }

  #take(line: string, program: RemoteProcess): void {
    if (line === 'ready') {
      this.#program = program;
      this.#sent = '';
      this.#sendFiles();
      this.#noticed.emit({ kind: 'reset' });
      return;
    }
    this.#takeExit(line);
    const size = /^size (\d{1,19}\/\d{1,7})\/(?:stdout|stderr)\.log [1-9]\d*$/.exec(line);
    if (size?.[1] !== undefined) this.#noticed.emit({ kind: 'growth', path: size[1] });
  }

  #takeExit(line: string): void {
    const match = /^exit (\d{1,19}\/\d{1,7}) (.{1,40}?)((?: stdout| stderr)*)$/.exec(line);
    if (match === null) return;
    const [, path = '', text = '', logs = ''] = match;
    const exit = readExit(text);
    if (exit === null) this.#noticed.emit({ kind: 'reset' });
    else this.#noticed.emit({ kind: 'exit', path, exit, hasLog: logs !== '' });
  }

  /** Tasks come and go in bursts, and each list starts the node's loop anew: one list for a burst. */
  #sendFilesSoon(): void {
    this.#sending ??= this.#options.timers.after(burstMs, () => {
      this.#sending = undefined;
      this.#sendFiles();
      if (this.#young.size === 0) return;
      this.#young.clear();
      this.#sendFilesSoon();
    });
  }

  #sendFiles(): void {
    if (this.#program === undefined || !this.#program.stdin.writable) return;
    const files = [...this.#followed.keys()]
      .filter((path) => !this.#young.has(path))
      .map((path) => `${path}/stdout.log ${path}/stderr.log`);
    const pause = this.#isLive ? livePause : collectingPause;
    const list = files.length === 0 ? '' : `watch ${pause} ${files.join(' ')}\n`;
    if (list === this.#sent) return;
    this.#sent = list;
    this.#program.stdin.write(list === '' ? `watch ${pause}\n` : list);
  }
}
