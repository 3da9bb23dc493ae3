import { createHmac, timingSafeEqual } from 'node:crypto';
import { keyTypeOf } from './host-key.ts';

/** One usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHostsEntry {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** The first field as it is written: patterns with commas, or one hashed name. */
  readonly names: string;
  readonly keyType: string;
  readonly key: Buffer;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Reads a known_hosts file. Lines that make no sense are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, { file, line: index + 1 }));
}

function parseLine(text: string, place: { file: string; line: number }): KnownHostsEntry[] {
  const fields = text.trim().split(/[ \t]+/);
  if (fields[0] === undefined || fields[0] === '' || fields[0].startsWith('#')) return [];
  const marker = markerOf(fields[0]);
  if (marker === undefined) return [];
  if (marker !== 'none') fields.shift();
  const [names, keyType, base64] = fields as (string | undefined)[];
  if (names === undefined || keyType === undefined || base64 === undefined) return [];
  const key = Buffer.from(base64, 'base64');
  if (keyTypeOf(key) !== keyType) return [];
  return [{ marker, names, keyType, key, ...place }];
}

function markerOf(field: string): KnownHostsEntry['marker'] | undefined {
  if (!field.startsWith('@')) return 'none';
  if (field === '@revoked') return 'revoked';
  if (field === '@cert-authority') return 'cert-authority';
  return undefined;
}

/** Whether the entry is about this name (`host` or `[host]:port`, in lower case). */
export function namesMatch(names: string, name: string): boolean {
  return names.startsWith('|') ? hashMatches(names, name) : patternsMatch(names.split(','), name);
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both in base64. */
function hashMatches(names: string, name: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * OpenSSH's pattern lists: `*` and `?`, and a match of a negated pattern wins over all others.
 * Used for known_hosts and for `Host` lines of ssh_config.
 */
export function patternsMatch(patterns: readonly string[], name: string): boolean {
  let isMatched = false;
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!');
    if (!globMatches((isNegated ? pattern.slice(1) : pattern).toLowerCase(), name.toLowerCase())) {
      continue;
    }
    if (isNegated) return false;
    isMatched = true;
  }
  return isMatched;
}

/** Linear in practice: remembers only the last star, so that no pattern from a file can stall us. */
function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
