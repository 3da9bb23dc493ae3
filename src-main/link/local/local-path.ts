import type { Stats, BigIntStats } from 'node:fs';
import { bytesOfText, hasRawBytes } from '../../domain/files/path-text.ts';
import type { FileStat } from '../node-link.ts';

/** The path as Node takes it: as bytes where it is no text. */
export function localPath(path: string): string | Buffer {
  return hasRawBytes(path) ? Buffer.from(bytesOfText(path)) : path;
}

export function statOf(stats: Stats | BigIntStats): FileStat {
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    modifiedAt: Math.floor(Number(stats.mtimeMs) / 1000),
  };
}

function kindOf(stats: Stats | BigIntStats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}
