// What two ends compare to know that they hold the same bytes: SHA-256, or of large files, where both
// ends can make it, GMAC, which takes a fourth of the processor time.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * GMAC (NIST SP 800-38D: AES-GCM of additional data alone) under a key that is made for one transfer. Of
 * two files of up to 2^40 blocks of 16 bytes that differ, whatever differs, less than one pair in 2^87 has
 * the same: nothing that happened to the bytes knew the key. It is no secret of those who make it, and proves
 * nothing against an end that lies, as no hash does.
 */
export type Digest =
  | { readonly kind: 'sha256' }
  | { readonly kind: 'gmac'; readonly key: string; readonly iv: string };

/** Of every end. */
export const sha256: Digest = { kind: 'sha256' };

/** What an end has to make them with. */
export interface DigestPrograms {
  /** What makes the SHA-256 of its input or of files by name, as shell text; undefined where nothing does. */
  readonly digest: string | undefined;
  /** Whether its OpenSSL makes GMAC (3.0 and later). */
  readonly gmac: boolean;
}

/** For large files between two ends. */
export function digestFor(...ends: readonly DigestPrograms[]): Digest {
  if (!ends.every(({ gmac }) => gmac)) return sha256;
  return {
    kind: 'gmac',
    key: randomBytes(16).toString('hex'),
    iv: randomBytes(12).toString('hex'),
  };
}

/** Shell text that makes it of its input; undefined where no program there does. */
export function digestCommand(programs: DigestPrograms, digest: Digest): string | undefined {
  if (digest.kind === 'sha256') return programs.digest;
  return programs.gmac ? gmacCommand(digest) : undefined;
}

function gmacCommand({ key, iv }: { key: string; iv: string }): string {
  return `openssl mac -cipher AES-128-GCM -macopt hexkey:${key} -macopt hexiv:${iv} GMAC`;
}

/** What is known of it: a text, and what a NIST test program for GCM gives for it. */
const known = { key: '00'.repeat(16), iv: '00'.repeat(12) };
const knownTag = '1e05fab9e3a27d58eed8e3b4a252b1da';

/** Shell text that prints `gmac` where it can be made. It is tried: some forbid it, and some call other things openssl. */
export const gmacTrial = `case $(printf x | ${gmacCommand(known)} 2>/dev/null) in
  ${knownTag.toUpperCase()}* | ${knownTag}*) echo gmac;;
esac`;

/** What a program printed of it, in lower case; undefined for anything else. */
export function digestIn(output: string, { kind }: Digest): string | undefined {
  return digestLine[kind].exec(output)?.[1]?.toLowerCase();
}

const digestLine = {
  sha256: /^([0-9a-f]{64})(?: |$)/m,
  gmac: /^([0-9A-Fa-f]{32})(?: |$)/m,
} as const;

/** One that is made here. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** In hexadecimal, lower case; once. */
  finish(): string;
}

export function startDigest(digest: Digest): RunningDigest {
  if (digest.kind === 'sha256') {
    const sum = createHash('sha256');
    return { update: (bytes) => void sum.update(bytes), finish: () => sum.digest('hex') };
  }
  const [key, iv] = [Buffer.from(digest.key, 'hex'), Buffer.from(digest.iv, 'hex')];
  const cipher = createCipheriv('aes-128-gcm', key, iv);
  return {
    // OpenSSL takes additional data part by part.
    update: (bytes) => void cipher.setAAD(bytes),
    finish: () => {
      cipher.final();
      return cipher.getAuthTag().toString('hex');
    },
  };
}

let isMadeHere: boolean | undefined;

/** Whether this program's cryptography makes it part by part: Electron's is not Node's. It is tried once. */
export function isGmacMadeHere(): boolean {
  isMadeHere ??= tried();
  return isMadeHere;
}

function tried(): boolean {
  try {
    const sum = startDigest({ kind: 'gmac', ...known });
    for (const part of ['', 'x', '']) sum.update(Buffer.from(part));
    return sum.finish() === knownTag;
  } catch {
    return false;
  }
}
