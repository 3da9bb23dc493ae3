// Shell text for what is to run: always in a subshell or after `exec`, so that it cannot change
// the long-lived shell it is sent to.
import type { RunOptions } from '../node-link.ts';
import { exportsForShell, printBytes, quoteForShell } from '../quote.ts';

type Setting = Pick<RunOptions, 'env' | 'cwd' | 'stdin'>;

/** Runs a vector in place of a subshell, so that its exit code is the command's own. */
export function commandText(command: readonly string[], setting: Setting): string {
  return wrapped(`exec ${quoteForShell(command)}`, setting);
}

/** Runs a script in a subshell with arguments as $1…. A syntax error or `exit` ends only that. */
export function scriptText(script: string, args: readonly string[], setting: Setting): string {
  const set = `set -- ${quoteForShell(args)}`.trimEnd();
  return wrapped(`${set}; eval ${quoteForShell([script])}`, setting);
}

/** What replaces the bootstrap of a channel of its own. */
export function execText(
  command: readonly string[],
  setting: Pick<RunOptions, 'env' | 'cwd'>,
): string {
  return `${usualPath}; ${prefix(setting)}exec ${quoteForShell(command)}`;
}

/**
 * What replaces the bootstrap of the long-lived shell: without what start-up files may have set
 * to change how shells behave, in the home directory.
 */
export const longLivedShellText = `unset ENV BASH_ENV CDPATH GREP_OPTIONS SHELLOPTS BASHOPTS 2>/dev/null; ${usualPathText()}; cd; exec sh`;

/** The path of a login without profile often lacks where administrators' tools are. */
function usualPathText(): string {
  return 'PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin"; export PATH';
}
const usualPath = usualPathText();

function wrapped(text: string, setting: Setting): string {
  const stdin = setting.stdin ?? '';
  const body = `( ${prefix(setting)}${text} )`;
  if (stdin.length === 0) return `${body} </dev/null`;
  return `${printBytes(typeof stdin === 'string' ? Buffer.from(stdin) : stdin)} | ${body}`;
}

function prefix(setting: Pick<RunOptions, 'env' | 'cwd'>): string {
  const cd = setting.cwd === undefined ? '' : `cd ${quoteForShell([setting.cwd])} || exit; `;
  return cd + exportsForShell(setting.env ?? {});
}
