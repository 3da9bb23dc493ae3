// The answers to one piece of work, one after the other.
import { joinPath } from '../../../domain/files/paths.ts';
import { shownName } from '../../../domain/files/path-text.ts';
import type { Item } from '../../../domain/transfers/plan.ts';
import { fromErrno } from '../../../link/local/errno.ts';
import { HostileSourceError, ItemError, TransferError } from '../errors.ts';
import type { Listener } from './local-thread.ts';
import type { Answer, Last, Passed } from './orders.ts';

export class Inbox implements Listener, Disposable {
  readonly #answers: Answer[] = [];
  readonly #signal: AbortSignal;
  #lost: string | undefined;
  #wake: (() => void) | undefined;
  readonly #onAbort = (): void => this.#wake?.();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  onAnswer(answer: Answer): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  onLost(why: string): void {
    this.#lost = why;
    this.#wake?.();
  }

  /** Whether one is there. */
  get hasAnswer(): boolean {
    return this.#answers.length > 0;
  }

  /** @throws when the thread is gone, or as the signal says. */
  async next(): Promise<Answer> {
    for (;;) {
      this.#signal.throwIfAborted();
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#lost !== undefined) throw gone(this.#lost);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

function gone(why: string): TransferError {
  return new TransferError(
    'transfer/failed',
    `The thread for this computer's files ended (${why}). What was moved so far is kept to go on from.`,
    { retry: 'later' },
  );
}

/** What a whole piece of work failed with. */
export function failureOf({ error, code, lie }: Extract<Last, { kind: 'failed' }>): Error {
  if (lie !== null) return new HostileSourceError(lie);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new TransferError(
    isFull ? 'transfer/disk-full' : 'transfer/failed',
    isFull
      ? 'The disk of this computer is full. What was moved so far is kept to go on from.'
      : `The files could not be moved (${shownName(error)}).`,
    { retry: 'after-user-action' },
  );
}

/** The files that a number stands for, and whom to tell. */
export interface Telling {
  readonly items: readonly Item[];
  readonly directory: string;
  readonly onProblem: (item: Item, error: unknown) => void;
}

/** Tells of files that failed; resolves with those that are done. */
export function tellOf({ done, changed, failed }: Passed, telling: Telling): Item[] {
  const { items, directory, onProblem } = telling;
  const itemAt = (at: number) => (items[at] === undefined ? [] : [items[at]]);
  for (const item of changed.flatMap(itemAt)) onProblem(item, changedError(item));
  for (const { at, code } of failed) {
    for (const item of itemAt(at)) {
      const cause = fromErrno(
        Object.assign(new Error(code), { code }),
        joinPath(directory, item.path),
      );
      onProblem(item, new ItemError(shownName(item.path), cause.message, cause));
    }
  }
  return done.flatMap(itemAt);
}

/** It is not as it was when it was listed. */
export function changedError(item: Item): ItemError {
  return new ItemError(shownName(item.path), 'It changed while it was read.');
}
