// One terminal: a program on a far side, the screen it draws, and those who look at it. It belongs
// to the core: windows come and go, it stays.
import type { TerminalEnd } from '../../contract/terminal-frames.ts';
import type {
  TerminalId,
  TerminalSize,
  TerminalTarget,
  TerminalView,
} from '../../contract/terminals.ts';
import type { Instant } from '../../contract/ids.ts';
import { AppError } from '../../contract/errors.ts';
import type { Keeper } from '../../domain/terminals/keeper.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import type { Logger } from '../logger.ts';
import { drainedOrGone } from './exec-stream.ts';
import type { TerminalScreens } from './ports.ts';
import type { ScreenHandle } from './screens.ts';
import { Viewer } from './viewer.ts';

export interface SessionParts {
  readonly id: TerminalId;
  readonly target: TerminalTarget;
  readonly place: string;
  readonly name: string | null;
  readonly size: TerminalSize;
  readonly scrollbackLines: number;
  readonly keeper: Keeper | null;
  readonly openedAt: Instant;
  readonly screens: TerminalScreens;
  readonly log: Logger;
  /** Starts the program, or goes back to it where a keeper has it. */
  readonly launch: (size: TerminalSize) => Promise<RemoteProcess>;
  /** Ends what is kept on the far side. */
  readonly endKept: () => Promise<void>;
  readonly onChange: () => void;
}

type State =
  | { readonly kind: 'open'; readonly process: RemoteProcess }
  | { readonly kind: 'detached'; readonly reason: string }
  | { readonly kind: 'ended'; readonly end: TerminalEnd };

const noEnd = { exitCode: null, signal: null };

export class TerminalSession {
  readonly #parts: SessionParts;
  readonly #screen: ScreenHandle;
  readonly #viewers = new Set<Viewer>();
  #state: State;
  #size: TerminalSize;
  #name: string | null;
  #title = '';
  #isClosing = false;
  #wake: (() => void) | undefined;

  /** Starts the program. Throws what starting it throws. */
  static async open(parts: SessionParts): Promise<TerminalSession> {
    return new TerminalSession(parts, await parts.launch(parts.size));
  }

  private constructor(parts: SessionParts, process: RemoteProcess) {
    this.#parts = parts;
    this.#size = parts.size;
    this.#name = parts.name;
    this.#state = { kind: 'open', process };
    const { columns, rows } = parts.size;
    this.#screen = parts.screens.open(
      { columns, rows, scrollbackLines: parts.scrollbackLines },
      {
        answered: (bytes) => this.#answer(bytes),
        titled: (title) => this.#setTitle(title),
      },
    );
    void this.#run(process);
  }

  get id(): TerminalId {
    return this.#parts.id;
  }

  get isDetached(): boolean {
    return this.#state.kind === 'detached';
  }

  get hasEnded(): boolean {
    return this.#state.kind === 'ended';
  }

  view(): TerminalView {
    const { id, target, place, keeper, openedAt, scrollbackLines } = this.#parts;
    const state = this.#state;
    const end = state.kind === 'ended' ? state.end : { ...noEnd, reason: null };
    return {
      id,
      name: this.#name,
      title: this.#title,
      target,
      place,
      state: state.kind,
      reason: state.kind === 'detached' ? state.reason : end.reason,
      exitCode: end.exitCode,
      signal: end.signal,
      size: this.#size,
      scrollbackLines,
      viewers: this.#viewers.size,
      keeper,
      openedAt,
    };
  }

  rename(name: string | null): void {
    this.#name = name;
    this.#parts.onChange();
  }

  /** The last size holds. Viewers hear of it between the bytes before and after. */
  resize({ columns, rows }: TerminalSize): void {
    if (columns === this.#size.columns && rows === this.#size.rows) return;
    this.#size = { columns, rows };
    if (this.#state.kind === 'open') this.#state.process.resize(columns, rows);
    this.#screen.resize(columns, rows);
    for (const viewer of this.#viewers) viewer.push({ kind: 'resized', columns, rows });
    this.#parts.onChange();
  }

  /** Sends keys; resolves when more may be sent. Without a program they go nowhere. */
  async input(bytes: Uint8Array): Promise<void> {
    if (this.#state.kind !== 'open') return;
    const { process } = this.#state;
    if (process.stdin.destroyed || process.stdin.writableEnded) return;
    if (!process.stdin.write(bytes)) await drainedOrGone(process);
  }

  /** One more who looks; they must `leave`. */
  attach(options: { answers: boolean }): Viewer {
    const viewer = new Viewer({
      answers: options.answers,
      takeSnapshot: () => this.#screen.snapshot(),
      onRoom: () => this.#wake?.(),
    });
    this.#viewers.add(viewer);
    if (this.#state.kind === 'ended') viewer.push({ kind: 'ended', end: this.#state.end });
    this.#parts.onChange();
    return viewer;
  }

  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    viewer.leave();
    this.#parts.onChange();
  }

  /** Goes back to what a keeper has on the far side; what fails is tried again at the next chance. */
  async resume(): Promise<void> {
    if (this.#state.kind !== 'detached') return;
    try {
      const process = await this.#parts.launch(this.#size);
      if (this.#isClosing) {
        await process[Symbol.asyncDispose]();
        return;
      }
      this.#state = { kind: 'open', process };
      this.#parts.onChange();
      void this.#run(process);
    } catch (error) {
      this.#parts.log.warn({ err: error, terminal: this.id }, 'a kept terminal was not reached');
    }
  }

  /** Ends the program by hanging up, and frees what it held. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const state = this.#state;
    try {
      await this.#parts.endKept();
      if (state.kind === 'open') {
        await state.process.end('SIGHUP');
        await state.process[Symbol.asyncDispose]();
      }
    } finally {
      this.#end({ ...noEnd, reason: 'It was closed.' });
      this.#screen.close();
    }
  }

  /** The core stops: lets go of it. What is kept on the far side stays there. */
  async letGo(): Promise<void> {
    this.#isClosing = true;
    if (this.#state.kind === 'open') await this.#state.process[Symbol.asyncDispose]();
    this.#screen.close();
  }

  async #run(process: RemoteProcess): Promise<void> {
    // A terminal has one stream of output.
    process.stderr.resume();
    try {
      for await (const chunk of process.stdout) {
        this.#show(chunk as Buffer);
        await this.#room();
      }
      const { exitCode, signal } = await process.ended;
      this.#end({ exitCode, signal, reason: null });
    } catch (error) {
      this.#onLost(error);
    }
  }

  #show(bytes: Buffer): void {
    this.#screen.write(bytes);
    for (const viewer of this.#viewers) viewer.push({ kind: 'data', bytes });
  }

  /** Waits until the screen and everyone who looks can take more: the program waits meanwhile. */
  async #room(): Promise<void> {
    for (;;) {
      if (this.#isClosing) return;
      const drawing = this.#screen.room();
      if (drawing !== undefined) await drawing;
      else if ([...this.#viewers].every(({ hasRoom }) => hasRoom)) return;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #onLost(error: unknown): void {
    if (this.#isClosing) return;
    const { log, place, keeper } = this.#parts;
    if (!(error instanceof AppError))
      log.error({ err: error }, 'a terminal broke off unexpectedly');
    if (keeper === null) {
      this.#end({
        ...noEnd,
        reason: `The connection to ${place} was lost, and the terminal with it.`,
      });
      return;
    }
    const reason = `The connection to ${place} was lost; ${keeper} keeps the terminal there. It is taken up again by itself.`;
    this.#state = { kind: 'detached', reason };
    this.#parts.onChange();
  }

  #end(end: TerminalEnd): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended', end };
    for (const viewer of this.#viewers) viewer.push({ kind: 'ended', end });
    this.#parts.onChange();
  }

  #answer(bytes: Uint8Array): void {
    // A terminal that is looked at through another real one is answered by that one.
    if ([...this.#viewers].some(({ answers }) => answers)) return;
    void this.input(bytes);
  }

  #setTitle(title: string): void {
    if (title === this.#title) return;
    this.#title = title;
    this.#parts.onChange();
  }
}
