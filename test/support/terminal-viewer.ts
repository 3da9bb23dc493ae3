// One who looks at a terminal, for tests: types, and waits for what is to be seen.
import headless from '@xterm/headless';
import type { Client } from '../../src-main/contract/client.ts';
import { FrameSource } from '../../src-main/contract/frame-source.ts';
import {
  TerminalFrames,
  type TerminalEnd,
  type TerminalFrame,
} from '../../src-main/contract/terminal-frames.ts';
import { until } from './core-client.ts';

export interface ViewerOptions {
  size?: { columns: number; rows: number };
  answers?: boolean;
  /** Called with each piece of live output; when it waits, so does the terminal. */
  onData?: (bytes: Uint8Array) => void | Promise<void>;
  /** Whether to draw what comes (yes, unless told). */
  draws?: boolean;
}

export class TerminalViewer implements AsyncDisposable {
  readonly screen: headless.Terminal;
  readonly #source = new FrameSource();
  readonly #abort = new AbortController();
  readonly #reading: Promise<void>;
  snapshots = 0;
  end: TerminalEnd | undefined;
  error: unknown;

  constructor(client: Client, terminal: string, options: ViewerOptions = {}) {
    const { size, answers = false } = options;
    this.screen = new headless.Terminal({
      cols: size?.columns ?? 80,
      rows: size?.rows ?? 24,
      scrollback: 10_000,
      allowProposedApi: true,
      logLevel: 'off',
    });
    const stream = client.openStream(
      'terminals.attach',
      { terminal, answers, ...(size === undefined ? {} : { size }) },
      { signal: this.#abort.signal, upload: this.#source },
    );
    this.#reading = this.#read(stream, options).catch((error: unknown) => {
      this.error = error;
    });
  }

  type(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    this.#source.send({ kind: 'input', bytes });
  }

  resize(columns: number, rows: number): void {
    this.#source.send({ kind: 'resize', columns, rows });
  }

  setWatching(isWatching: boolean): void {
    this.#source.send({ kind: 'watching', isWatching });
  }

  /** All of the screen and its scrollback as text. */
  text(): string {
    const { active } = this.screen.buffer;
    return Array.from({ length: active.length }, (_, at) =>
      active.getLine(at)?.translateToString(true),
    )
      .join('\n')
      .trimEnd();
  }

  async sees(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    try {
      await until(() => pattern.test(this.text()), String(pattern), timeoutMs);
    } catch (error) {
      throw new Error(`not seen: ${String(pattern)} in\n${this.text().slice(-2000)}`, {
        cause: error,
      });
    }
  }

  async ended(): Promise<TerminalEnd> {
    return until(() => this.end, 'the terminal has ended');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#source.end();
    await this.#reading;
    this.screen.dispose();
  }

  async #read(stream: AsyncIterable<Uint8Array>, options: ViewerOptions): Promise<void> {
    const frames = new TerminalFrames();
    for await (const chunk of stream) {
      for (const frame of frames.push(chunk)) await this.#take(frame, options);
    }
  }

  async #take(frame: TerminalFrame, { onData, draws = true }: ViewerOptions): Promise<void> {
    switch (frame.kind) {
      case 'snapshot':
        this.snapshots += 1;
        this.screen.reset();
        this.screen.resize(frame.columns, frame.rows);
        await this.#draw(frame.bytes);
        break;
      case 'resized':
        this.screen.resize(frame.columns, frame.rows);
        break;
      case 'data':
        await onData?.(frame.bytes);
        if (draws) await this.#draw(frame.bytes);
        break;
      case 'ended':
        this.end = frame.end;
        break;
      default:
        throw new Error(`a core sent ${frame.kind}`);
    }
  }

  #draw(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.screen.write(bytes, resolve));
  }
}
