// Calls and feeds as they travel: one JSON object a message. Requests go to the core, answers come
// back. A call is answered once (`reply` or `fail`), or by `feed`, items under credit, and `end` or `fail`.
import { z } from 'zod';
import { errorShape } from '../errors.ts';
import { maxTextLength } from './limits.ts';
import { protocolError } from './protocol-error.ts';

const id = z.number().int().positive();

const request = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('call'),
    id,
    path: z.string().max(200),
    input: z.unknown().optional(),
  }),
  z.strictObject({ t: z.literal('cancel'), id }),
  /** The reader of feed `id` has consumed `items` more. */
  z.strictObject({ t: z.literal('more'), id, items: z.number().int().min(1).max(1_000_000) }),
  z.strictObject({ t: z.literal('ping') }),
]);
export type RequestFrame = z.infer<typeof request>;

const answer = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('reply'), id, output: z.unknown().optional() }),
  z.strictObject({ t: z.literal('feed'), id }),
  z.strictObject({ t: z.literal('item'), id, item: z.unknown().optional() }),
  z.strictObject({ t: z.literal('end'), id }),
  z.strictObject({ t: z.literal('fail'), id, error: errorShape }),
  z.strictObject({ t: z.literal('pong') }),
  /** The core closes the connection, and why. */
  z.strictObject({ t: z.literal('bye'), error: errorShape }),
]);
export type AnswerFrame = z.infer<typeof answer>;

/** Reads a message sent to the core. Throws `core/protocol`. */
export function readRequest(text: string): RequestFrame {
  return read(request, text);
}

/** Reads a message sent by the core. Throws `core/protocol`. */
export function readAnswer(text: string): AnswerFrame {
  return read(answer, text);
}

/** Writes a frame; undefined when it is longer than a message may be. Throws on what JSON cannot hold. */
export function writeFrame(frame: RequestFrame | AnswerFrame): string | undefined {
  const text = JSON.stringify(frame);
  return text.length > maxTextLength ? undefined : text;
}

function read<S extends z.ZodType>(schema: S, text: string): z.infer<S> {
  if (text.length > maxTextLength) throw protocolError('A message was longer than allowed.');
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) throw protocolError('A message was not of a known form.');
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw protocolError('A message was not valid JSON.');
    throw error;
  }
}
