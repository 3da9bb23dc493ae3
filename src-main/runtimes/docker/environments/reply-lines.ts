// Replies of the Engine that come as JSON objects, a line each, while it works.
import type { Readable } from 'node:stream';
import { z } from 'zod';

const replyLine = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  error: z.string().max(4000).optional(),
  /** Of an image that was made. */
  aux: z
    .object({
      ID: z
        .string()
        .regex(/^sha256:[a-f0-9]{64}$/)
        .optional(),
    })
    .optional(),
});
export type ReplyLine = z.infer<typeof replyLine>;

const longestLineBytes = 64 * 1024;

/** Every line that can be read; what is too long or no JSON is passed over. */
export async function* replyLines(reply: Readable): AsyncGenerator<ReplyLine, void, undefined> {
  let rest = '';
  for await (const chunk of reply) {
    const lines = (rest + String(chunk)).split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLineBytes);
    for (const line of lines) {
      const read = parse(line);
      if (read !== undefined) yield read;
    }
  }
  const last = parse(rest);
  if (last !== undefined) yield last;
}

/** What the Engine complains of, once it is done. */
export async function lastError(reply: Readable): Promise<string | undefined> {
  let complaint: string | undefined;
  for await (const { error } of replyLines(reply)) complaint = error ?? complaint;
  return complaint;
}

function parse(line: string): ReplyLine | undefined {
  try {
    return replyLine.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
