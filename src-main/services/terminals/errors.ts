import { AppError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';

/** A terminal that cannot be opened or is not there. */
export class TerminalError extends AppError<
  Extract<ErrorCode, `terminal/${string}` | 'not-found/terminal'>
> {}

export class UnknownTerminalError extends TerminalError {
  constructor(id: string) {
    super(
      'not-found/terminal',
      'This terminal is not there any more. Terminals live as long as their core; open a new one.',
      { details: { terminal: id } },
    );
  }
}

/** Where the terminal is to be opened is not there now: offline, not running, not a container. */
export function notNow(message: string, place: string): TerminalError {
  return new TerminalError('terminal/unavailable', message, { retry: 'later', details: { place } });
}

export function noShell(container: string): TerminalError {
  return new TerminalError(
    'terminal/no-shell',
    `There is no shell (/bin/sh) in ${container}: its image holds only the program itself. Look at its log instead, or run one of its own programs with "terminal exec".`,
    { details: { container } },
  );
}
