// Anything thrown, as something to show: what happened, why, what to do, and details to copy.
import { AppError, RemoteError } from '../../src-main/contract/errors.ts';
import { errorCodes, type ErrorCode } from '../../src-main/contract/error-codes.ts';
import { advice, type Advice } from './texts/advice.ts';

export interface Problem {
  code: ErrorCode;
  title: string;
  message: string;
  todo: string;
  /** Everything known, as text to copy into a report. */
  details: string;
  /** Fields of the input that are wrong, by dotted path, where the core named them. */
  fields: Readonly<Record<string, string>>;
}

function isErrorCode(value: unknown): value is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(value);
}

/** Cancelling is not a failure and never shown. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** The code an error carries, whoever made it. */
export function codeOf(error: unknown): ErrorCode {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return isErrorCode(code) ? code : 'internal/unexpected';
}

/** Puts an error into words. */
export function toProblem(error: unknown): Problem {
  const code = codeOf(error);
  const { title, todo }: Advice = advice[code];
  const message = error instanceof Error ? error.message : String(error);
  return {
    code,
    title,
    message,
    todo,
    details: detailsOf(error, code, message),
    fields: fieldsOf(error),
  };
}

function detailsOf(error: unknown, code: ErrorCode, message: string): string {
  const lines = [`${code}: ${message}`];
  if (error instanceof AppError) {
    for (const [key, value] of Object.entries(error.details)) lines.push(`${key}: ${value}`);
  }
  if (error instanceof RemoteError) {
    for (const cause of error.causes) lines.push(`caused by ${cause.code}: ${cause.message}`);
    if (error.incident !== undefined) lines.push(`incident: ${error.incident}`);
  }
  return lines.join('\n');
}

function fieldsOf(error: unknown): Record<string, string> {
  if (!(error instanceof AppError)) return {};
  const field = error.details['field'] ?? error.details['path'];
  return typeof field === 'string' ? { [field]: error.message } : {};
}
