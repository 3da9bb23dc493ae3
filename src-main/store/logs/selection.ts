// Which part of a log a reader wants, as a place to begin and a filter for what follows.
import type { Instant } from '../../contract/ids.ts';
import type { Frame, Gap, StreamName } from './frame.ts';
import { lastWhere, type JournalIndex } from './journal-index.ts';
import { countNewlines, indexOfNewline, lineCount, type Stream, type Tally } from './tally.ts';

/** A part of a log. Without bounds: all of it. */
export interface LogRange {
  readonly stream: Stream;
  /** Begin at this byte of the stream. Not with `both`. */
  readonly fromOffset?: number | undefined;
  /** Only the last lines of what is there, an unfinished one counted. Not with `fromOffset`. */
  readonly tailLines?: number | undefined;
  /** Only what was printed at or after this instant. */
  readonly since?: Instant | undefined;
}

/** What a reader gets, in the order it was printed. */
export type LogEntry =
  | {
      readonly kind: 'bytes';
      readonly stream: StreamName;
      /** Of the first byte, in its stream. */
      readonly offset: number;
      readonly timeNs: bigint;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'gap'; readonly timeNs: bigint; readonly gap: Gap };

type BytesFrame = Extract<Frame, { kind: StreamName }>;

/** A journal as far as a reader may read it. */
export interface ReadableJournal {
  readonly index: JournalIndex;
  readonly end: Tally;
}

/** Chooses from the records it is shown, in order. Remembers what it skipped: one per reader. */
export class Selection {
  readonly #stream: Stream;
  readonly #fromOffset: number;
  readonly #sinceNs: bigint;
  /** Newlines still to be skipped before the first byte. */
  #linesToSkip: number;
  #isPastOffset: boolean;
  /** Where to begin to read: the beginning of a record. */
  readonly start: number;

  constructor(range: LogRange, journal: ReadableJournal) {
    const { stream, fromOffset = 0, since, tailLines } = range;
    this.#stream = stream;
    this.#fromOffset = fromOffset;
    this.#isPastOffset = fromOffset === 0;
    this.#sinceNs = since === undefined ? 0n : BigInt(since) * 1_000_000n;
    const all = lineCount(journal.end[stream]);
    const skipped = tailLines === undefined ? 0 : Math.max(0, all - tailLines);
    const start = tailLines === 0 ? journal.end : this.#startOf(journal, skipped);
    this.start = start.position;
    this.#linesToSkip = tailLines === 0 ? 0 : Math.max(0, skipped - start[stream].lines);
  }

  /** The last entry of the index before which nothing is wanted. */
  #startOf({ index, end }: ReadableJournal, skipped: number): Tally {
    const stream = this.#stream;
    const isUnwanted = (tally: Tally): boolean =>
      tally[stream].lines < skipped ||
      tally.latestNs < this.#sinceNs ||
      (this.#fromOffset > 0 && tally[stream].bytes <= this.#fromOffset);
    return lastWhere(index, (tally) => tally.position <= end.position && isUnwanted(tally));
  }

  /** What of a record the reader wants, if anything. */
  choose(frame: Frame): LogEntry | undefined {
    if (frame.kind === 'gap') return this.#chooseGap(frame.gap, frame.timeNs);
    if (this.#stream !== 'both' && frame.kind !== this.#stream) return undefined;
    const skipped = Math.max(this.#skipLines(frame), this.#skipToOffset(frame));
    if (skipped >= frame.bytes.length || frame.timeNs < this.#sinceNs) return undefined;
    return {
      kind: 'bytes',
      stream: frame.kind,
      offset: frame.offset + skipped,
      timeNs: frame.timeNs,
      bytes: frame.bytes.subarray(skipped),
    };
  }

  #chooseGap(gap: Gap, timeNs: bigint): LogEntry | undefined {
    const isOfStream =
      this.#stream === 'both' || gap.stream === null || gap.stream === this.#stream;
    const hasBegun = this.#linesToSkip === 0 && this.#isPastOffset && timeNs >= this.#sinceNs;
    return isOfStream && hasBegun ? { kind: 'gap', timeNs, gap } : undefined;
  }

  #skipLines({ bytes }: BytesFrame): number {
    if (this.#linesToSkip === 0) return 0;
    const tally = countNewlines(bytes);
    if (tally < this.#linesToSkip) {
      this.#linesToSkip -= tally;
      return bytes.length;
    }
    const skipped = indexOfNewline(bytes, this.#linesToSkip) + 1;
    this.#linesToSkip = 0;
    return skipped;
  }

  #skipToOffset({ offset, bytes }: BytesFrame): number {
    if (this.#isPastOffset) return 0;
    const skipped = this.#fromOffset - offset;
    if (skipped >= bytes.length) return bytes.length;
    this.#isPastOffset = true;
    return Math.max(0, skipped);
  }
}
