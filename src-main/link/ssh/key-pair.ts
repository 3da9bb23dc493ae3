// Keys of the user's own: made here, written once, or read to be let in somewhere.
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ssh2 from 'ssh2';
import { FileError } from '../errors.ts';
import { fingerprintOf, keyTypeOf } from './host-key.ts';

export interface KeyPair {
  /** In OpenSSH's format, without a passphrase. */
  readonly privateKey: string;
  /** A line of authorized_keys. */
  readonly publicKey: string;
}

/** Makes an ed25519 key. */
export function makeKeyPair(comment: string): KeyPair {
  const made = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return { privateKey: made.private, publicKey: made.public.trim() };
}

/**
 * Writes a private key for its owner's eyes only (0600), in a directory that is made if need be
 * (0700). Never overwrites: throws FileError `link/file-exists`.
 */
export async function writePrivateKey(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new FileError(
        'link/file-exists',
        `There is a file ${file} already; it was left as it is. Name another for the key.`,
        { cause, details: { file } },
      );
    }
    throw new FileError(
      'link/file-failed',
      `The key could not be written to ${file} (${code ?? 'unknown'}).`,
      { cause, details: { file } },
    );
  }
}

/** Takes a key back that was written for nothing. */
export async function removePrivateKey(file: string): Promise<void> {
  await rm(file, { force: true });
}

export interface PublicKey {
  readonly type: string;
  /** As a line of authorized_keys has it: type, base64, comment. */
  readonly line: string;
  readonly fingerprint: string;
}

/** Reads a public key; undefined when the text is not exactly one. */
export function readPublicKey(text: string): PublicKey | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const [line, ...others] = lines.filter((one) => one !== '' && !one.startsWith('#'));
  if (line === undefined || others.length > 0) return undefined;
  const [type = '', base64 = ''] = line.split(/\s+/);
  if (!/^[\x20-\x7e\u00a0-\uffff]*$/.test(line) || !/^[A-Za-z0-9+/]+=*$/.test(base64))
    return undefined;
  const blob = Buffer.from(base64, 'base64');
  if (blob.length < 20 || keyTypeOf(blob) !== type) return undefined;
  return { type, line, fingerprint: fingerprintOf(blob) };
}

/** The public keys of `~/.ssh`, by the names of their files. */
export async function publicKeysOf(
  home: string,
): Promise<{ file: string; publicKey: string; fingerprint: string }[]> {
  const directory = join(home, '.ssh');
  const names = await readdir(directory).catch(() => []);
  const files = names
    .filter((name) => name.endsWith('.pub'))
    .sort()
    .slice(0, 100);
  const found = await Promise.all(
    files.map(async (name) => {
      const file = join(directory, name);
      const key = readPublicKey(await readFile(file, 'utf8').catch(() => ''));
      return key === undefined ? [] : [{ file, publicKey: key.line, fingerprint: key.fingerprint }];
    }),
  );
  return found.flat();
}
