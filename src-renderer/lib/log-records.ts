// Log records (`{stream, offset, time, base64}` or `{gap}` a line) into bytes for the terminal:
// what is on stderr is tinted, times can stand before lines, gaps are marked.
import { z } from 'zod';
import { RequestError } from '../../src-main/contract/errors.ts';
import { formatMoment } from './format.ts';

const record = z.union([
  z.object({
    stream: z.enum(['stdout', 'stderr']),
    offset: z.number(),
    time: z.union([z.number(), z.iso.datetime()]).nullish(),
    base64: z.string(),
  }),
  z.object({ gap: z.string().max(1000) }),
]);

/** The words for a gap are text, never terminal orders. */
const control = /\p{Cc}/gu;
const tint = '\u001b[91m';
const untint = '\u001b[39m';
const dim = '\u001b[2m';
const undim = '\u001b[22m';
/** A record is bounded by the core; a line longer than this is no record. */
const maxLine = 4 * 1024 * 1024;

export interface RecordView {
  isTimed: boolean;
}

/** Turns pieces of the record stream into pieces for the terminal. */
export class LogRecords {
  readonly #view: RecordView;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #isLineStart = true;

  constructor(view: RecordView) {
    this.#view = view;
  }

  take(bytes: Uint8Array): Uint8Array[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxLine)
      throw new RequestError('core/protocol', 'The core sent a log record without an end.');
    return lines.filter((line) => line !== '').flatMap((line) => this.#show(line));
  }

  #show(line: string): Uint8Array[] {
    const parsed = readRecord(line);
    if ('gap' in parsed)
      return [encode(`${dim}⋯ ${parsed.gap.replace(control, ' ')} ⋯${undim}\r\n`)];
    const bytes = Uint8Array.from(atob(parsed.base64), (char) => char.charCodeAt(0));
    const pieces: Uint8Array[] = [];
    if (this.#view.isTimed && this.#isLineStart && parsed.time != null) {
      pieces.push(encode(`${dim}${formatMoment(new Date(parsed.time).getTime())}${undim} `));
    }
    this.#isLineStart = bytes.at(-1) === 10;
    if (parsed.stream === 'stderr') return [...pieces, encode(tint), bytes, encode(untint)];
    return [...pieces, bytes];
  }
}

/** Throws in words when the core sends something else. */
function readRecord(line: string): z.infer<typeof record> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new RequestError('core/protocol', 'The core sent a log record that cannot be read.', {
      cause: error,
    });
  }
  const parsed = record.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RequestError(
    'core/protocol',
    'The core sent a log record of a kind the app does not know.',
    {
      cause: parsed.error,
    },
  );
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
