// Lines of the core's own log as things to show. What is no line of pino stands for itself.
import { z } from 'zod';

export type LogLevel = 'full' | 'debug' | 'info' | 'warning' | 'error';

export interface CoreLogLine {
  /** Counts up; lines have no other name. */
  id: number;
  level: LogLevel;
  at: number | null;
  message: string;
  /** `node=alpha task=…`: what was said beside the message. */
  context: string;
  /** The error's stack, or the whole of what is no line of pino. */
  more: string | null;
}

const record = z.looseObject({
  level: z.number(),
  time: z.number().optional(),
  msg: z.string().default(''),
});
const failure = z.looseObject({
  message: z.string().optional(),
  stack: z.string().optional(),
});
const maxContextChars = 400;
const maxMoreChars = 8000;

function levelOf(number: number): LogLevel {
  if (number >= 50) return 'error';
  if (number >= 40) return 'warning';
  if (number >= 30) return 'info';
  return number >= 20 ? 'debug' : 'full';
}

/** Reads one line. */
export function parseLogLine(text: string, id: number): CoreLogLine {
  const parsed = record.safeParse(parseJson(text));
  if (!parsed.success) {
    const message = text.slice(0, maxContextChars);
    return { id, level: 'warning', at: null, message, context: '', more: null };
  }
  const { level, time, msg, err, ...facts } = parsed.data;
  const error = failure.safeParse(err);
  const context = Object.entries(facts).map(([key, value]) => `${key}=${wordOf(value)}`);
  if (error.success && error.data.message !== undefined) context.push(error.data.message);
  return {
    id,
    level: levelOf(level),
    at: time ?? null,
    message: msg,
    context: context.join('  ').slice(0, maxContextChars),
    more: error.success ? (error.data.stack?.slice(0, maxMoreChars) ?? null) : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Cuts bytes into lines; what is not ended yet waits for the rest. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  take(bytes: Uint8Array): string[] {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = parts.pop() ?? '';
    return parts.filter((part) => part !== '');
  }
}
