// Where a terminal's output can be cut: between characters and control sequences, never within.

type State = 'ground' | 'escape' | 'csi' | 'string' | { readonly charBytesLeft: number };

const esc = 0x1b;
const bel = 0x07;
const cancel = 0x18;
const substitute = 0x1a;
/** A longer string (an image, a clipboard) is not kept: whoever joins within it skips its rest. */
const longestTailBytes = 64 * 1024;
const none = new Uint8Array(0);

/**
 * Follows a terminal's output and keeps what at its end is begun and not complete: a character of
 * several bytes, or a control sequence (ECMA-48, as xterm reads it). Whoever is shown the screen as
 * it is, then this tail, then all that follows, sees what they would have seen from the start.
 */
export class SequenceTail {
  #state: State = 'ground';
  #tail: Uint8Array = none;
  /** Only how it began was kept. */
  #isCut = false;

  get bytes(): Uint8Array {
    return this.#tail;
  }

  feed(bytes: Uint8Array): void {
    /** Where what is incomplete began in `bytes`; -1: before them. */
    let start = -1;
    let state = this.#state;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (state === 'ground' && byte < 0x80 && byte !== esc) continue;
      const next = step(state, byte);
      if (next !== 'ground' && begins(state, byte)) start = at;
      state = next;
    }
    this.#tail = state === 'ground' ? none : this.#kept(bytes, start);
    this.#state = state;
  }

  #kept(bytes: Uint8Array, start: number): Uint8Array {
    if (start >= 0) return this.#bounded(bytes.slice(start));
    if (this.#isCut) return this.#tail;
    const kept = new Uint8Array(this.#tail.length + bytes.length);
    kept.set(this.#tail);
    kept.set(bytes, this.#tail.length);
    return this.#bounded(kept);
  }

  /** The two bytes that begin a string are enough to have its rest skipped. */
  #bounded(tail: Uint8Array): Uint8Array {
    this.#isCut = tail.length > longestTailBytes;
    return this.#isCut ? tail.slice(0, 2) : tail;
  }
}

/** Whether something new begins with this byte: an escape does wherever it comes. */
function begins(state: State, byte: number): boolean {
  return byte === esc || state === 'ground' || (typeof state === 'object' && byte >= 0xc2);
}

function step(state: State, byte: number): State {
  if (byte === esc) return 'escape';
  if (typeof state === 'object') return stepInCharacter(state.charBytesLeft, byte);
  if (state === 'ground') return startOfCharacter(byte);
  if (byte === cancel || byte === substitute) return 'ground';
  if (state === 'escape') return stepAfterEscape(byte);
  if (state === 'csi') return byte >= 0x40 && byte <= 0x7e ? 'ground' : 'csi';
  return byte === bel ? 'ground' : 'string';
}

function stepInCharacter(left: number, byte: number): State {
  if ((byte & 0xc0) !== 0x80) return startOfCharacter(byte);
  return left === 1 ? 'ground' : { charBytesLeft: left - 1 };
}

function startOfCharacter(byte: number): State {
  if (byte < 0xc2 || byte > 0xf4) return 'ground';
  if (byte < 0xe0) return { charBytesLeft: 1 };
  return { charBytesLeft: byte < 0xf0 ? 2 : 3 };
}

function stepAfterEscape(byte: number): State {
  if (byte === 0x5b) return 'csi';
  // OSC, DCS, SOS, PM, APC
  if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte)) return 'string';
  // Intermediate bytes and controls do not complete it.
  return byte < 0x30 ? 'escape' : 'ground';
}
