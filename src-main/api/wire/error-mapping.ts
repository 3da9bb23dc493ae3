import { ValidationError } from '@orpc/contract';
import { ORPCError } from '@orpc/server';
import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError, RequestError, toErrorShape, type ErrorShape } from '../../contract/errors.ts';
import type { WireLog } from './log.ts';

/** What a check found, as Standard Schema tells it; zod adds `code` and, for unknown fields, `keys`. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
  readonly code?: unknown;
  readonly keys?: unknown;
}

/** A person can take in this many faults at once. */
const mostIssues = 5;

/**
 * What a call or stream threw, as it may leave the core. What is not one of our errors becomes
 * `internal/unexpected`, and its full story goes to the log under an incident.
 */
export function shapeOf(error: unknown, about: { name: string; log: WireLog }): ErrorShape {
  if (error instanceof AppError) return toErrorShape(error);
  const issues = inputIssues(error);
  if (issues !== undefined) return toErrorShape(invalidInput(issues));
  const incident = crypto.randomUUID().slice(0, 8);
  about.log.error({ err: logged(error), incident, name: about.name }, 'unexpected error');
  return toErrorShape(error, incident);
}

/** The refusal of an input: names each field and the rule it breaks, never the value, which may be a secret. */
export function invalidInput(issues: readonly Issue[]): RequestError {
  const first = issues[0];
  const unknownFields = first?.code === 'unrecognized_keys';
  const code: ErrorCode = unknownFields ? 'input/unknown-field' : 'input/invalid';
  const told = issues.slice(0, mostIssues).map(tellIssue);
  const more = issues.length > mostIssues ? `; and ${String(issues.length - mostIssues)} more` : '';
  return new RequestError(code, `Nothing was changed: ${told.join('; ')}${more}.`, {
    details: { field: first === undefined ? '' : fieldOf(first), rule: first?.message ?? '' },
  });
}

function tellIssue(issue: Issue): string {
  const field = fieldOf(issue);
  const rule = issue.message.replace(/\.$/, '');
  return field === '' ? rule : `${field}: ${rule}`;
}

function fieldOf(issue: Issue): string {
  const path = (issue.path ?? []).map((part) =>
    typeof part === 'object' && part !== null && 'key' in part ? part.key : part,
  );
  const unknown: unknown[] = Array.isArray(issue.keys) ? issue.keys.slice(0, 1) : [];
  return [...path, ...unknown].reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${String(part)}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function inputIssues(error: unknown): readonly Issue[] | undefined {
  if (!(error instanceof ORPCError) || error.code !== 'BAD_REQUEST') return undefined;
  return error.cause instanceof ValidationError ? error.cause.issues : undefined;
}

/** For the log, the issues of a wrong output say what is wrong; the output itself may hold secrets. */
function logged(error: unknown): unknown {
  if (error instanceof ORPCError && error.cause instanceof ValidationError) {
    return {
      message: error.message,
      issues: error.cause.issues.slice(0, mostIssues).map(tellIssue),
    };
  }
  return error;
}
