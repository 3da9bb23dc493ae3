import type { FileStat } from '../../node-link.ts';
import type { Attributes } from './packets.ts';

/** SSH_FXF_… of the ways to open a file. */
export const openFlags = {
  r: 0x01,
  w: 0x02 | 0x08 | 0x10,
  wx: 0x02 | 0x08 | 0x20,
  'r+': 0x01 | 0x02,
  a: 0x02 | 0x04 | 0x08,
} as const;

const typeMask = 0o170000;
const kinds: Readonly<Record<number, FileStat['kind']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'link',
};

/** What a server said of a file; what it left out counts as nothing special. */
export function statOf({ size, uid, gid, mode, modifiedAt }: Attributes): FileStat {
  return {
    kind: kinds[(mode ?? 0) & typeMask] ?? 'other',
    size: size ?? 0,
    mode: (mode ?? 0) & 0o7777,
    uid: uid ?? 0,
    gid: gid ?? 0,
    modifiedAt: modifiedAt ?? 0,
  };
}
