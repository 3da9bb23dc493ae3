// The one metrics loop of a node: started over its link, started again when it ends, never two at once.
import { AppError } from '../../contract/errors.ts';
import type { Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import { FrameReader } from '../../domain/nodes/frames.ts';
import { parseGpuFrame, type RawGpus } from '../../domain/nodes/parse-gpu-metrics.ts';
import { parseTick, type RawSample } from '../../domain/nodes/parse-metrics.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { Logger } from '../logger.ts';

const firstRetryMs = 5_000;
const lastRetryMs = 60_000;
/** Takes the script from standard input, so that it does not fill the node's list of processes. */
const loader = 'eval "$(head -c "$3")"';
/** A loop that prints nothing for this long (or four intervals) is stuck, whatever its channel says. */
const silenceMs = 30_000;

export interface MetricsStreamParts {
  readonly link: NodeLink;
  readonly timers: Timers;
  readonly log: Logger;
  readonly script: string;
  readonly intervalS: number;
}

export class MetricsStream implements AsyncDisposable {
  readonly #parts: MetricsStreamParts;
  readonly #ticked = new Emitter<RawSample>();
  readonly #gpusRead = new Emitter<RawGpus>();
  #process: RemoteProcess | undefined;
  #isFast: boolean;
  /** The loop has printed a frame: it listens to orders. Sooner, a signal could end it. */
  #isListening = false;
  #retryMs = firstRetryMs;
  #retry: Disposable | undefined;
  #watchdog: Disposable | undefined;
  #isClosed = false;

  readonly onDidTick = this.#ticked.event;
  readonly onDidReadGpus = this.#gpusRead.event;

  constructor(parts: MetricsStreamParts, isFast: boolean) {
    this.#parts = parts;
    this.#isFast = isFast;
  }

  /** Starts the loop. Failures are tried again with growing pauses for as long as the link is open. */
  async start(): Promise<void> {
    if (this.#isClosed || !this.#parts.link.isOpen) return;
    const { link, script, intervalS, log } = this.#parts;
    const mode = this.#isFast ? 'fast' : 'slow';
    this.#isListening = false;
    this.#watch();
    try {
      const size = String(Buffer.byteLength(script));
      const words = ['kohakuriver-metrics', String(intervalS), mode, size];
      const process = await link.spawn(['sh', '-c', loader, ...words]);
      if (this.#hasClosed()) {
        await process[Symbol.asyncDispose]();
        return;
      }
      this.#process = process;
      this.#read(process, mode);
      process.stdin.write(script);
      await process.ended;
      log.debug({}, 'the metrics loop ended');
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.debug({ err: error }, 'the metrics loop failed');
    }
    this.#again();
  }

  /** Ends the loop; another follows after a pause. */
  async restart(): Promise<void> {
    try {
      await this.#process?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'the metrics loop could not be ended');
    }
  }

  /** One frame a second, or one per interval again. */
  setFast(isFast: boolean): void {
    if (isFast === this.#isFast) return;
    this.#isFast = isFast;
    if (this.#isListening) this.#process?.stdin.write(isFast ? 'fast\n' : 'slow\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#retry?.[Symbol.dispose]();
    this.#watchdog?.[Symbol.dispose]();
    await this.#process?.[Symbol.asyncDispose]();
  }

  #read(process: RemoteProcess, mode: 'fast' | 'slow'): void {
    const ticks = new FrameReader('tick');
    const gpus = new FrameReader('gpu');
    process.stdout.on('data', (bytes: Uint8Array) => {
      for (const frame of ticks.push(bytes)) {
        const sample = parseTick(frame);
        if (sample !== undefined) this.#onTick(sample, mode);
      }
    });
    process.stderr.on('data', (bytes: Uint8Array) => {
      for (const frame of gpus.push(bytes)) this.#gpusRead.emit(parseGpuFrame(frame));
    });
    // `ended` tells of a lost link; the streams must not do so a second time as uncaught errors.
    for (const stream of [process.stdin, process.stdout, process.stderr]) {
      stream.on('error', (error) =>
        this.#parts.log.debug({ err: error }, 'a stream of the metrics loop broke'),
      );
    }
  }

  #onTick(sample: RawSample, startedAs: 'fast' | 'slow'): void {
    if (!this.#isListening) {
      this.#isListening = true;
      this.#retryMs = firstRetryMs;
      if (this.#isFast !== (startedAs === 'fast'))
        this.#process?.stdin.write(this.#isFast ? 'fast\n' : 'slow\n');
    }
    this.#watch();
    this.#ticked.emit(sample);
  }

  #watch(): void {
    this.#watchdog?.[Symbol.dispose]();
    const limit = Math.max(silenceMs, 4000 * this.#parts.intervalS);
    this.#watchdog = this.#parts.timers.after(limit, () => {
      this.#parts.log.warn({}, 'the metrics loop is silent; it is started again');
      // Its `ended` brings about the next start.
      void this.restart();
    });
  }

  /** Asked anew after each wait: it may have been closed meanwhile. */
  #hasClosed(): boolean {
    return this.#isClosed;
  }

  #again(): void {
    this.#process = undefined;
    this.#isListening = false;
    this.#watchdog?.[Symbol.dispose]();
    if (this.#isClosed || !this.#parts.link.isOpen) return;
    this.#retry = this.#parts.timers.after(this.#retryMs, () => void this.start());
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }
}
