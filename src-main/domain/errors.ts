// What the domain throws: only for requests that cannot be understood or carried out. Expected
// refusals (an event that does not apply, a task that does not fit now) are values.
import { RequestError, type ErrorDetails } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/error-codes.ts';

export interface TargetFault {
  /** Of the first wrong character, from 1. */
  readonly position: number;
  readonly what: string;
  /** What would be right, as an instruction. */
  readonly right: string;
}

/** A target that cannot be read. `details`: the text, the position of the fault, what would be right. */
export class TargetSyntaxError extends RequestError {
  constructor(text: string, { position, what, right }: TargetFault) {
    super('target/syntax', `Target "${text}": ${what} at position ${String(position)}; ${right}.`, {
      details: { field: 'target', value: text, position, right },
    });
  }
}

/** A value that cannot be read: names what it should be, the value, and what would be right. */
export class ValueSyntaxError extends RequestError {
  constructor(what: string, text: string, right: string) {
    super('input/invalid', `"${text}" is not a ${what}: ${right}.`, {
      details: { field: what, value: text, right },
    });
  }
}

/** A submission that cannot be accepted. `details`: field, value, and what would be right. */
export class SubmissionError extends RequestError {
  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(code, message, { details });
  }
}
