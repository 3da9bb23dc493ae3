import type { WireMessage } from './port.ts';

/** Keeps what a carrier delivers until somebody listens, and tells of the end exactly once. */
export class PortInbox {
  #early: WireMessage[] = [];
  #listener: ((message: WireMessage) => void) | undefined;
  #closeListener: (() => void) | undefined;
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  onMessage(listener: (message: WireMessage) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const message of early) listener(message);
  }

  onClose(listener: () => void): void {
    this.#closeListener = listener;
    if (this.#isClosed) queueMicrotask(listener);
  }

  deliver(message: WireMessage): void {
    if (this.#isClosed) return;
    if (this.#listener === undefined) this.#early.push(message);
    else this.#listener(message);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeListener?.();
  }
}
