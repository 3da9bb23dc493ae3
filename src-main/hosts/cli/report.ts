import { CommanderError } from 'commander';
import { AppError, toErrorShape } from '../../contract/errors.ts';
import { Interruption, ReaderGone } from './errors.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { paintFor } from './text/style.ts';

/** Says on standard error why a command failed, and answers with its exit code. */
export async function report(error: unknown, io: Io, isJson: boolean): Promise<number> {
  if (error instanceof ReaderGone) return exitCodes.done;
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof CommanderError) return reportUsage(error, io, isJson);
  const { code, message, details, causes, incident } = describe(error);
  if (isJson) {
    await io.err.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  } else {
    const paint = paintFor(io.err, io.env);
    const because = causes.map((cause) => `\n  because: ${cause.message}`).join('');
    const where = incident === undefined ? '' : `\n  (incident ${incident} in the log of the core)`;
    await io.err.write(`${paint('red', 'error:')} ${message}${because}${where}\n`);
  }
  return exitCodeOfError(code);
}

function describe(error: unknown) {
  if (error instanceof AppError) {
    // What the core sent carries its causes as data.
    const { causes: sent, incident } = error as AppError & {
      causes?: { code: string; message: string }[];
      incident?: string;
    };
    const shape = toErrorShape(error, incident);
    return { ...shape, incident, causes: sent ?? (isOurs(error) ? [] : shape.causes) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'internal/unexpected' as const,
    message: `Something unexpected went wrong: ${message}.`,
    details: {},
    causes: [],
    incident: undefined,
  };
}

/** The command line's own errors say the whole story already. */
function isOurs(error: Pick<AppError, 'code'>): boolean {
  return error.code === 'core/unavailable' || error.code === 'auth/required';
}

async function reportUsage(error: CommanderError, io: Io, isJson: boolean): Promise<number> {
  // Help and the version were asked for, and are printed already.
  if (error.exitCode === 0) return exitCodes.done;
  // «kohakuriver task» without a word: its help was printed, to standard error.
  if (error.code === 'commander.help') return exitCodes.usage;
  const message = error.message.replace(/^error: /, '');
  await io.err.write(
    isJson
      ? `${JSON.stringify({ error: { code: 'input/invalid', message, details: {} } })}\n`
      : `${paintFor(io.err, io.env)('red', 'error:')} ${message}\nSee --help for what can be said.\n`,
  );
  return exitCodes.usage;
}
