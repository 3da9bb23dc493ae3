// The one place where words become shell text.
import { LinkConfigError } from './errors.ts';

/**
 * Shell text that any POSIX shell reads back as exactly these words, whatever bytes they hold.
 * Throws LinkConfigError for a NUL, which no argument can carry.
 */
export function quoteForShell(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (word.includes('\0')) {
    throw new LinkConfigError('link/config', 'A command or argument contains a NUL character.');
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * `export` statements for these variables, or an empty text.
 * Throws LinkConfigError for a name that is none.
 */
export function exportsForShell(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        throw new LinkConfigError(
          'link/config',
          `${JSON.stringify(name.slice(0, 80))} is not a name an environment variable can have.`,
        );
      }
      return `${name}=${quoteWord(value)}; export ${name}; `;
    })
    .join('');
}

/** Shell text that writes exactly these bytes to standard output, with the shell's own printf. */
export function printBytes(bytes: Uint8Array): string {
  return `printf '%b' '${printable(bytes)}'`;
}

/** Any bytes as plain text of one line, which `%b` of printf turns back. */
export function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += encodedByte(byte);
  return text;
}

/** One byte for `%b` (POSIX printf: `\0ddd`); what is safe between single quotes stays as it is. */
function encodedByte(byte: number): string {
  const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
  return isPlain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
}
