// `NODE:/path`, `TASK:/path`, or a path of this computer.
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';

/** One side of a copy, as it was written. */
export type FileTarget =
  | { readonly kind: 'local'; readonly path: string; readonly isFolder: boolean }
  | {
      readonly kind: 'remote';
      readonly remote: string;
      readonly path: string;
      /** It ends in a slash: it means a folder, whether or not it is there. */
      readonly isFolder: boolean;
    };

/**
 * Reads one side. A colon before the first slash makes it remote, as for scp; a path that is not
 * absolute begins in the home there. `./a:b` is a file of this computer.
 */
export function parseFileTarget(text: string, { cwd }: { cwd: string }): FileTarget {
  const isFolder = /(^|[/:])\.{0,2}\/?$/.test(text) && text !== '';
  const match = /^([^/:]+):(.*)$/s.exec(text);
  const isDrive = process.platform === 'win32' && match?.[1]?.length === 1;
  if (match === null || isDrive) {
    if (text === '') throw new UsageError('A path is empty.');
    const path = resolve(cwd, text);
    return { kind: 'local', path: process.platform === 'win32' ? slashed(path) : path, isFolder };
  }
  const [, remote = '', rest = ''] = match;
  return { kind: 'remote', remote, path: absolute(rest), isFolder };
}

/** Reads what must be remote. Throws UsageError for anything else. */
export function parseRemote(text: string): FileTarget & { kind: 'remote' } {
  const target = parseFileTarget(text, { cwd: '/' });
  if (target.kind === 'remote') return target;
  throw new UsageError(`"${text}" names no node or TASK: write it as NODE:/path.`);
}

function absolute(path: string): string {
  if (path.startsWith('/')) return path;
  if (path === '' || path === '~') return '~';
  return path.startsWith('~/') ? path : `~/${path}`;
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}
