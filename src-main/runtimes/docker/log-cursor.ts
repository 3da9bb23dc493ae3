// How far a log was read, so that reading goes on after a cut without a hole or a repeat.
// The Engine can only be asked for «from this instant on», and several messages may carry the same
// instant: so each stream keeps the instant of its last message and how many it has seen there.
import { RequestError } from '../../contract/errors.ts';
import { endsLine, type LogMessage } from './log-frames.ts';

interface StreamMark {
  readonly timeNs: bigint;
  /** Messages already given out that carry exactly this instant. */
  readonly seen: number;
  /** The last message did not end its line: what follows of that line carries the same instant. */
  readonly isPartial: boolean;
}

/**
 * stdout and stderr are stamped before they are written one after the other, so that a message may
 * stand behind one that is a little younger. Ten seconds is far more than an Engine ever lags.
 */
const stragglerNs = 10_000_000_000n;
const billion = 1_000_000_000n;

/** The position in a container's log. Opaque outside; small text on disk. */
export class LogCursor {
  readonly #stdout: StreamMark | null;
  readonly #stderr: StreamMark | null;

  private constructor(stdout: StreamMark | null, stderr: StreamMark | null) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  static readonly start = new LogCursor(null, null);

  /** Reads what `toString` wrote. Throws `input/invalid` for anything else. */
  static parse(text: string | null): LogCursor {
    if (text === null) return LogCursor.start;
    const match = /^d1 (\S+) (\S+)$/.exec(text);
    if (match === null) throw notACursor();
    return new LogCursor(parseMark(match[1] ?? ''), parseMark(match[2] ?? ''));
  }

  toString(): string {
    return `d1 ${formatMark(this.#stdout)} ${formatMark(this.#stderr)}`;
  }

  mark(stream: 'stdout' | 'stderr'): StreamMark | null {
    return stream === 'stdout' ? this.#stdout : this.#stderr;
  }

  /** The position after one more message. */
  after(message: LogMessage): LogCursor {
    const before = this.mark(message.stream);
    const isSameInstant = before?.timeNs === message.timeNs;
    const mark: StreamMark = {
      timeNs: message.timeNs,
      seen: isSameInstant ? before.seen + 1 : 1,
      isPartial: !endsLine(message),
    };
    return message.stream === 'stdout'
      ? new LogCursor(mark, this.#stderr)
      : new LogCursor(this.#stdout, mark);
  }

  /** The stream's last message was a piece of a line, and this one belongs to another line. */
  hasOpenLineBefore(message: LogMessage): boolean {
    const mark = this.mark(message.stream);
    return mark?.isPartial === true && mark.timeNs !== message.timeNs;
  }

  /** What to ask the Engine for, `seconds.nanoseconds`; undefined for everything. */
  since(): string | undefined {
    const from = earliest(
      neededFrom(this.#stdout, this.#stderr),
      neededFrom(this.#stderr, this.#stdout),
    );
    if (from === undefined) return undefined;
    return `${String(from / billion)}.${String(from % billion).padStart(9, '0')}`;
  }
}

/** From when on a stream's messages may still be unread; undefined: from the start. */
function neededFrom(own: StreamMark | null, other: StreamMark | null): bigint | undefined {
  const latest = other === null ? undefined : other.timeNs - stragglerNs;
  // A quiet stream need not be read again from its last word, long ago, unless its line is open.
  if (own === null) return latest !== undefined && latest > 0n ? latest : undefined;
  if (own.isPartial || latest === undefined) return own.timeNs;
  return latest > own.timeNs ? latest : own.timeNs;
}

function earliest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a < b ? a : b;
}

/** Passes over what a cursor has seen already, and notices what the node lost meanwhile. */
export class SeenFilter {
  readonly #left: Record<'stdout' | 'stderr', { timeNs: bigint; count: number } | null>;
  readonly #canTellGap: Record<'stdout' | 'stderr', boolean>;

  constructor(cursor: LogCursor) {
    this.#left = { stdout: left(cursor, 'stdout'), stderr: left(cursor, 'stderr') };
    this.#canTellGap = {
      stdout: isAskedFor(cursor, 'stdout'),
      stderr: isAskedFor(cursor, 'stderr'),
    };
  }

  /** Whether the message is new; `gap` when messages seen before it are gone from the node. */
  judge(message: LogMessage): 'seen' | 'new' | 'gap' {
    const left = this.#left[message.stream];
    if (left === null) return 'new';
    if (message.timeNs < left.timeNs) return 'seen';
    if (message.timeNs === left.timeNs && left.count > 0) {
      left.count -= 1;
      return 'seen';
    }
    this.#left[message.stream] = null;
    return left.count > 0 && this.#canTellGap[message.stream] ? 'gap' : 'new';
  }
}

function left(cursor: LogCursor, stream: 'stdout' | 'stderr') {
  const mark = cursor.mark(stream);
  return mark === null ? null : { timeNs: mark.timeNs, count: mark.seen };
}

/** The stream's last messages lie within what is asked for, so that their absence means something. */
function isAskedFor(cursor: LogCursor, stream: 'stdout' | 'stderr'): boolean {
  const mark = cursor.mark(stream);
  const since = cursor.since();
  if (mark === null || since === undefined) return mark !== null;
  const [seconds = '0', nanoseconds = '0'] = since.split('.');
  return BigInt(seconds) * billion + BigInt(nanoseconds) <= mark.timeNs;
}

function formatMark(mark: StreamMark | null): string {
  if (mark === null) return '-';
  return `${String(mark.timeNs)},${String(mark.seen)},${mark.isPartial ? '1' : '0'}`;
}

function parseMark(text: string): StreamMark | null {
  if (text === '-') return null;
  const match = /^(\d{1,20}),(\d{1,12}),([01])$/.exec(text);
  if (match === null) throw notACursor();
  const [, timeNs = '', seen = '', partial = ''] = match;
  return { timeNs: BigInt(timeNs), seen: Number(seen), isPartial: partial === '1' };
}

function notACursor(): RequestError {
  return new RequestError('input/invalid', 'This is not a position in the log of a container.');
}
