import { RequestError, type ErrorShape } from '../../contract/errors.ts';
import { maxOpenCalls } from '../../contract/wire/limits.ts';
import { protocolError } from '../../contract/wire/protocol-error.ts';
import {
  writeFrame,
  type AnswerFrame,
  type RequestFrame,
} from '../../contract/wire/text-frames.ts';
import { shapeOf } from './error-mapping.ts';
import { FeedOutbox } from './feed-outbox.ts';
import type { WireLog } from './log.ts';
import type { RunProcedure } from './procedures.ts';

interface OpenCall {
  abort: AbortController;
  feed: FeedOutbox | undefined;
}

export interface CallServerOptions {
  procedures: ReadonlyMap<string, RunProcedure>;
  send: (text: string) => void;
  log: WireLog;
}

/** The answering side of calls and feeds on one connection. */
export class CallServer {
  readonly #options: CallServerOptions;
  readonly #open = new Map<number, OpenCall>();
  #lastId = 0;

  constructor(options: CallServerOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Takes in a request. Throws `core/protocol` on a violation. */
  receive(frame: RequestFrame): void {
    switch (frame.t) {
      case 'call':
        if (frame.id <= this.#lastId) throw protocolError('A call was made under a used number.');
        this.#lastId = frame.id;
        void this.#answer(frame);
        break;
      case 'cancel':
        this.#cancel(frame.id);
        break;
      case 'more':
        this.#open.get(frame.id)?.feed?.grant(frame.items);
        break;
      case 'ping':
        this.#send({ t: 'pong' });
        break;
    }
  }

  /** The client is gone: everything under way is aborted, feeds are closed at their source. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.#cancel(id);
  }

  async #answer(frame: RequestFrame & { t: 'call' }): Promise<void> {
    const { id, path } = frame;
    const run = this.#options.procedures.get(path);
    const refusal = this.#refusal(path, run !== undefined);
    if (run === undefined || refusal !== undefined) {
      this.#fail(id, shapeOf(refusal, { name: path, log: this.#options.log }));
      return;
    }
    const call: OpenCall = { abort: new AbortController(), feed: undefined };
    this.#open.set(id, call);
    try {
      const output = await run(frame.input, call.abort.signal);
      if (isIterator(output)) await this.#runFeed({ id, path, call }, output);
      else if (this.#open.has(id)) this.#reply(id, { output, path });
    } catch (error) {
      // A cancelled call has nobody to tell; that it ended with the abort is no failure.
      if (this.#open.has(id))
        this.#fail(id, shapeOf(error, { name: path, log: this.#options.log }));
    } finally {
      this.#open.delete(id);
    }
  }

  #refusal(path: string, isKnown: boolean): RequestError | undefined {
    if (!isKnown) {
      return protocolError(
        `This core knows no call named "${path}"; the app and the core may be of different versions.`,
      );
    }
    if (this.#open.size < maxOpenCalls) return undefined;
    return new RequestError(
      'core/protocol',
      `Too many calls are open on one connection (at most ${String(maxOpenCalls)}); let some end first.`,
      { retry: 'later' },
    );
  }

  async #runFeed(
    { id, path, call }: { id: number; path: string; call: OpenCall },
    source: AsyncIterator<unknown>,
  ): Promise<void> {
    const feed = new FeedOutbox(source);
    if (!this.#open.has(id)) {
      await feed.stop();
      return;
    }
    call.feed = feed;
    this.#send({ t: 'feed', id });
    try {
      const outcome = await feed.run((item) => {
        if (!this.#send({ t: 'item', id, item })) throw tooLarge(path);
      });
      if (outcome === 'ended' && this.#open.has(id)) this.#send({ t: 'end', id });
    } finally {
      await feed.stop();
    }
  }

  #reply(id: number, { output, path }: { output: unknown; path: string }): void {
    if (!this.#send({ t: 'reply', id, output })) throw tooLarge(path);
  }

  #fail(id: number, error: ErrorShape): void {
    this.#send({ t: 'fail', id, error });
  }

  #cancel(id: number): void {
    const call = this.#open.get(id);
    if (call === undefined) return;
    this.#open.delete(id);
    call.abort.abort(new DOMException('The client cancelled the call or is gone.', 'AbortError'));
    call.feed?.stop().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'a cancelled feed could not be closed');
    });
  }

  #send(frame: AnswerFrame): boolean {
    const text = writeFrame(frame);
    if (text === undefined) return false;
    this.#options.send(text);
    return true;
  }
}

function tooLarge(path: string): RequestError {
  return new RequestError(
    'core/protocol',
    `The answer to ${path} is larger than a message may be; ask for less at once.`,
  );
}

function isIterator(value: unknown): value is AsyncIterator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
