// Reads a task's log from the core and hands it on, no faster than it is taken.
import { z } from 'zod';
import type { ReadLogInput } from '../../contract/procedures.ts';
import type { Call } from './call.ts';

export type LogQuestion = Partial<Omit<ReadLogInput, 'format'>> & { task: string };

const bytesRecord = z.object({
  stream: z.enum(['stdout', 'stderr']),
  offset: z.number().int().nonnegative(),
  time: z.string(),
  base64: z.string(),
});
const gapRecord = z.object({ gap: z.string(), time: z.string().optional() });
const logRecord = z.union([bytesRecord, gapRecord]);
export type LogRecord = z.infer<typeof logRecord>;

/** Hands on the bytes as they were printed; a gap is said in its place, as the core does. */
export async function copyLog(
  call: Call,
  question: LogQuestion,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (question.follow !== true) return copyRaw(call, question, write);
  // What is followed may outlive a connection: records tell where to go on.
  return copyRecords(call, question, (record) => write(bytesOf(record)));
}

/**
 * Hands on records. A followed log of one stream goes on where it was when the connection was lost
 * and made again, without a byte missing or twice.
 */
export async function copyRecords(
  call: Call,
  question: LogQuestion,
  write: (record: LogRecord) => Promise<void>,
): Promise<void> {
  const core = await call.connect();
  let input: LogQuestion = question;
  const copy = async (): Promise<void> => {
    const stream = core.client.openStream(
      'tasks.readLog',
      { ...input, format: 'records' },
      { signal: call.signal },
    );
    for await (const line of linesOf(stream)) {
      const record = logRecord.parse(JSON.parse(line));
      await write(record);
      if ('base64' in record) input = from(question, record.offset + bytesOf(record).byteLength);
    }
  };
  const isResumable = question.follow === true && question.stream !== 'both';
  await (isResumable ? core.throughLosses(copy) : copy());
}

/** The bytes of a record, or the words for a gap. */
export function bytesOf(record: LogRecord): Uint8Array {
  if ('base64' in record) return Buffer.from(record.base64, 'base64');
  return Buffer.from(`\n[kohakuriver: ${record.gap}]\n`);
}

async function copyRaw(
  call: Call,
  question: LogQuestion,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { client } = await call.connect();
  const stream = client.openStream('tasks.readLog', question, { signal: call.signal });
  for await (const bytes of stream) await write(bytes);
}

/** The rest of the same log. */
function from({ tailLines: _lines, since: _since, ...rest }: LogQuestion, fromOffset: number) {
  return { ...rest, fromOffset };
}

const newline = 0x0a;

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  for await (const bytes of source) {
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield Buffer.concat([...parts, bytes.subarray(start, end)]).toString();
      parts = [];
      start = end + 1;
    }
    if (start < bytes.byteLength) parts.push(bytes.slice(start));
  }
}
