import { RemoteError, RequestError } from '../errors.ts';
import { FeedInbox } from './feed-inbox.ts';
import { checkedAgainst, type ProcedureShape } from './procedure-table.ts';
import { protocolError } from './protocol-error.ts';
import { writeFrame, type AnswerFrame, type RequestFrame } from './text-frames.ts';

interface Pending {
  reply(output: unknown): void;
  feed(inbox: FeedInbox): void;
  /** Called when nothing more comes: a reply, a failure, the end of the feed. */
  settled: () => void;
  fail(error: unknown): void;
}

/** The asking side of calls and feeds on one connection. */
export class CallClient {
  readonly #send: (text: string) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #feeds = new Map<number, { inbox: FeedInbox; settled: () => void }>();
  #lastId = 0;
  #closed: { error: unknown } | undefined;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /**
   * Makes one call; the answer is its output or, for a feed, an async iterator. Throws what the core
   * answered as `RemoteError`, the signal's reason when aborted, or what closed the connection.
   */
  async call(request: {
    path: string;
    input: unknown;
    shape: ProcedureShape;
    signal?: AbortSignal | undefined;
  }): Promise<unknown> {
    const { path, shape, signal } = request;
    signal?.throwIfAborted();
    const answer = await this.#ask({ path, input: request.input, signal });
    if (answer instanceof FeedInbox) return checkedFeed(answer, { path, shape });
    return checkedAgainst(shape.output, answer, path);
  }

  /** Takes in an answer. Throws `core/protocol` on one that answers nothing. */
  receive(frame: Exclude<AnswerFrame, { t: 'pong' | 'bye' }>): void {
    if (frame.id > this.#lastId)
      throw protocolError('An answer came to a call that was never made.');
    switch (frame.t) {
      case 'reply':
        this.#settle(frame.id)?.reply(frame.output);
        break;
      case 'feed':
        this.#startFeed(frame.id);
        break;
      case 'item':
        this.#feeds.get(frame.id)?.inbox.receive(frame.item);
        break;
      case 'end':
        this.#endFeed(frame.id, 'ended');
        break;
      case 'fail':
        this.#settle(frame.id)?.fail(new RemoteError(frame.error));
        this.#endFeed(frame.id, { error: new RemoteError(frame.error) });
        break;
    }
  }

  /** The connection is gone: everything under way ends with `error`, and so does every later call. */
  close(error: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.fail(error);
    for (const id of [...this.#feeds.keys()]) this.#endFeed(id, { error });
  }

  #ask(request: {
    path: string;
    input: unknown;
    signal: AbortSignal | undefined;
  }): Promise<unknown> {
    const { path, input, signal } = request;
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed.error;
      const id = this.#lastId + 1;
      const text = writeFrame({ t: 'call', id, path, input });
      if (text === undefined) {
        throw new RequestError(
          'input/invalid',
          `What was given to ${path} is too large to be sent; give less at once.`,
        );
      }
      this.#lastId = id;
      const onAbort = (): void => {
        this.#cancel(id, signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        reply: resolve,
        feed: resolve,
        fail: reject,
        settled: () => signal?.removeEventListener('abort', onAbort),
      });
      this.#send(text);
    });
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.settled();
    return pending;
  }

  #startFeed(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const inbox = new FeedInbox({
      more: (items) => {
        this.#sendFrame({ t: 'more', id, items });
      },
      onLeave: () => {
        this.#endFeed(id, 'ended');
        this.#sendFrame({ t: 'cancel', id });
      },
    });
    this.#feeds.set(id, { inbox, settled: pending.settled });
    pending.feed(inbox);
  }

  #endFeed(id: number, ending: { error: unknown } | 'ended'): void {
    const feed = this.#feeds.get(id);
    this.#feeds.delete(id);
    feed?.settled();
    feed?.inbox.end(ending);
  }

  #cancel(id: number, reason: unknown): void {
    const pending = this.#settle(id);
    const isOpen = pending !== undefined || this.#feeds.has(id);
    if (!isOpen) return;
    this.#sendFrame({ t: 'cancel', id });
    pending?.fail(reason);
    this.#endFeed(id, { error: reason });
  }

  #sendFrame(frame: RequestFrame): void {
    const text = writeFrame(frame);
    if (text !== undefined) this.#send(text);
  }
}

/** The items of a feed, each checked as it is taken. Leaving it cancels the feed at once. */
function checkedFeed(
  inbox: FeedInbox,
  { path, shape }: { path: string; shape: ProcedureShape },
): AsyncIterableIterator<unknown, undefined> {
  return {
    async next() {
      const result = await inbox.next();
      if (result.done === true) return result;
      try {
        return { done: false, value: await checkedAgainst(shape.item, result.value, path) };
      } catch (error) {
        await inbox.return();
        throw error;
      }
    },
    return: () => inbox.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
