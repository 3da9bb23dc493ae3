import { readFile } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { AuthError, codeOf, LinkUnsupportedError } from '../errors.ts';

/** A key file as far as it can be read without its passphrase. */
export interface KeyFile {
  readonly path: string;
  readonly text: string;
  readonly isEncrypted: boolean;
  /** The public key as it goes over the wire, where it can be told. */
  readonly blob: Buffer | undefined;
}

/** A private key that was read from a file and can sign. */
export interface Identity {
  readonly kind: 'file';
  /** The path as people write it. */
  readonly label: string;
  readonly key: ParsedKey;
}

/** Undefined when there is no such file. Throws AuthError `link/key-unreadable` when it cannot be read. */
export async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const header = openSshHeader(text);
  const isEncrypted =
    header === undefined
      ? /Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY|^Encryption: (?!none)/m.test(text)
      : header.cipher !== 'none';
  const blob =
    header?.blob ?? publicBlob(text) ?? publicBlob((await readText(`${path}.pub`)) ?? '');
  return { path, text, isEncrypted, blob };
}

/**
 * The private key in a file. Throws AuthError `link/key-passphrase` when its passphrase is missing
 * or wrong, `link/key-unreadable` for a format that is not one, `link/unsupported` for hardware keys.
 */
export function unlockKey(file: KeyFile, label: string, passphrase?: string): Identity {
  const details = { file: label };
  if (file.isEncrypted && passphrase === undefined) {
    throw new AuthError(
      'link/key-passphrase',
      `The key ${label} is encrypted. Give its passphrase, or add it to the SSH agent.`,
      { retry: 'after-user-action', details },
    );
  }
  const key = parse(file, passphrase);
  if (!(key instanceof Error) && key.isPrivateKey()) return { kind: 'file', label, key };
  if (/^sk-|BEGIN .*sk-/m.test(file.text) || file.blob?.subarray(4, 7).toString() === 'sk-') {
    throw new LinkUnsupportedError(
      'link/unsupported',
      `The key ${label} lies on a hardware token, which this app cannot use. Use another key or a password for this node.`,
      { retry: 'after-user-action', details },
    );
  }
  if (file.isEncrypted) {
    throw new AuthError('link/key-passphrase', `The passphrase for the key ${label} is wrong.`, {
      retry: 'after-user-action',
      details,
    });
  }
  throw new AuthError(
    'link/key-unreadable',
    `${label} holds no private key this app can read. "ssh-keygen -p -f ${label}" rewrites a key in OpenSSH's format.`,
    { ...(key instanceof Error ? { cause: key } : {}), retry: 'after-user-action', details },
  );
}

function parse(file: KeyFile, passphrase: string | undefined): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(file.text, file.isEncrypted ? passphrase : undefined);
  // Several keys in one file: OpenSSH's format allows it, nothing writes it.
  return (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new AuthError(
      'link/key-unreadable',
      `The key ${path} cannot be read (${codeOf(error)}). Check its permissions.`,
      { cause: error, retry: 'after-user-action', details: { file: path } },
    );
  }
}

const OPENSSH_MAGIC = 'openssh-key-v1\0';

/** The clear part of OpenSSH's private key format (PROTOCOL.key): cipher, and the public key. */
function openSshHeader(text: string): { cipher: string; blob: Buffer | undefined } | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const bytes = Buffer.from(match[1], 'base64');
  if (bytes.toString('latin1', 0, OPENSSH_MAGIC.length) !== OPENSSH_MAGIC) return undefined;
  let offset = OPENSSH_MAGIC.length;
  const next = (): Buffer | undefined => {
    if (offset + 4 > bytes.length) return undefined;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    const field = end <= bytes.length ? bytes.subarray(offset + 4, end) : undefined;
    offset = end;
    return field;
  };
  const cipher = next()?.toString('latin1') ?? 'none';
  next(); // the key derivation's name
  next(); // its options
  offset += 4; // the number of keys
  return { cipher, blob: next() };
}

/** The key of a `.pub` file's line. */
function publicBlob(text: string): Buffer | undefined {
  const match = /^(?:ssh-|ecdsa-|sk-)\S+\s+([A-Za-z0-9+/=]+)/.exec(text.trim());
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], 'base64');
}
