const tilde = 0x7e;
const dot = 0x2e;
const lineEnds = new Set([0x0a, 0x0d]);

/**
 * Finds what is meant for the command and not for the far side, as `ssh` does: `~.` at the
 * beginning of a line detaches, `~~` there is one `~`.
 */
export class EscapeKeys {
  #state: 'line-start' | 'tilde' | 'within' = 'line-start';

  /** The keys to send on; `isDetach` when the rest was `~.`. */
  read(keys: Uint8Array): { send: Uint8Array; isDetach: boolean } {
    const send: number[] = [];
    for (const key of keys) {
      if (this.#state === 'tilde') {
        if (key === dot) return { send: Uint8Array.from(send), isDetach: true };
        if (key !== tilde) send.push(tilde);
        this.#state = 'within';
      } else if (this.#state === 'line-start' && key === tilde) {
        this.#state = 'tilde';
        continue;
      }
      send.push(key);
      this.#state = lineEnds.has(key) ? 'line-start' : 'within';
    }
    return { send: Uint8Array.from(send), isDetach: false };
  }
}
