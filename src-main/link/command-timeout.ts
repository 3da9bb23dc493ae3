import { CommandFailedError } from './errors.ts';

/** The error for a command that took too long. */
export function commandTimeout(host: string, timeoutMs: number): CommandFailedError {
  return new CommandFailedError(
    'link/command-timeout',
    `A command on ${host} took longer than ${timeoutMs / 1000} s and was ended.`,
    { retry: 'later', details: { host, timeoutMs } },
  );
}
