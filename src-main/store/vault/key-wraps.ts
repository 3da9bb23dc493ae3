// Ways to keep the key of the vault. The key itself is random; what differs is under what it lies in
// the database.
//
// - keychain: the system's own store, through functions the desktop host hands in. Other users and
//   whoever copies the data directory cannot read it; programs of the same user may.
// - passphrase: nobody can read it without the passphrase, which is asked for at each start.
// - key-file: a file beside the database. It keeps secrets out of the database, its backups (which
//   leave the file out) and out of sight of other users. Whoever can read the whole data directory
//   can read the secrets.
import { randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { syncDirectory } from '../atomic-file.ts';
import { codeOf, VaultError } from '../errors.ts';
import { keyBytes, seal, unseal } from './cipher.ts';

export const keyKind = z.enum(['keychain', 'passphrase', 'key-file']);
export type KeyKind = z.infer<typeof keyKind>;

/** The system's store of secrets as the desktop host has it (Electron's safeStorage). May throw. */
export interface Keychain {
  encrypt(text: string): Uint8Array;
  decrypt(sealed: Uint8Array): string;
}

/** The vault's key as it is stored. */
export const wrappedKey = z.strictObject({
  kind: keyKind,
  sealed: z.base64(),
  /** Of the passphrase. */
  salt: z.base64().optional(),
  cost: z.number().int().optional(),
});
export type WrappedKey = z.infer<typeof wrappedKey>;

const context = 'kohakuriver vault key';

/** CPU and memory cost of the passphrase: 128 MiB and some tenths of a second a guess. */
export const scryptCost = 2 ** 17;
const scryptMaxMemory = 256 * 2 ** 20;

// promisify cannot choose among overloads.
const derive = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

function fromPassphrase(passphrase: string, salt: Uint8Array, cost: number): Promise<Buffer> {
  const normal = passphrase.normalize('NFKC');
  return derive(normal, salt, keyBytes, { N: cost, r: 8, p: 1, maxmem: scryptMaxMemory });
}

export async function wrapWithPassphrase(
  key: Uint8Array,
  passphrase: string,
  cost: number,
): Promise<WrappedKey> {
  const salt = randomBytes(16);
  const wrapping = await fromPassphrase(passphrase, salt, cost);
  return {
    kind: 'passphrase',
    sealed: seal(wrapping, key, context).toString('base64'),
    salt: salt.toString('base64'),
    cost,
  };
}

/** @throws VaultError `vault/unreadable` for a wrong passphrase. */
export async function unwrapWithPassphrase(
  wrapped: WrappedKey,
  passphrase: string,
): Promise<Buffer> {
  const salt = Buffer.from(wrapped.salt ?? '', 'base64');
  const wrapping = await fromPassphrase(passphrase, salt, wrapped.cost ?? scryptCost);
  try {
    return unseal(wrapping, Buffer.from(wrapped.sealed, 'base64'), context);
  } catch (error) {
    throw new VaultError('vault/unreadable', 'The passphrase is not right. Try again.', {
      cause: error,
      retry: 'after-user-action',
    });
  }
}

/** Makes the key file, readable by its owner only, if it is not there. */
export async function wrapWithKeyFile(key: Uint8Array, path: string): Promise<WrappedKey> {
  try {
    await writeFile(path, randomBytes(keyBytes), { flag: 'wx', mode: 0o600, flush: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw noKeyFile(path, error);
  }
  const wrapping = await readKeyFile(path);
  return { kind: 'key-file', sealed: seal(wrapping, key, context).toString('base64') };
}

/** @throws VaultError `vault/unavailable` without the file, `vault/unreadable` with another one. */
export async function unwrapWithKeyFile(wrapped: WrappedKey, path: string): Promise<Buffer> {
  return unseal(await readKeyFile(path), Buffer.from(wrapped.sealed, 'base64'), context);
}

async function readKeyFile(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw noKeyFile(path, error);
  });
  if (bytes.length === keyBytes) return bytes;
  throw new VaultError('vault/unreadable', `${path} is not a key of this vault. Restore it.`, {
    retry: 'after-user-action',
  });
}

function noKeyFile(path: string, cause: unknown): VaultError {
  return new VaultError(
    'vault/unavailable',
    `The key of the vault, ${path}, cannot be used (${codeOf(cause)}). Restore the file, or mend its permissions.`,
    { cause, retry: 'after-user-action' },
  );
}

/** @throws VaultError `vault/unavailable` when the system refuses. */
export function wrapWithKeychain(key: Uint8Array, keychain: Keychain): WrappedKey {
  const text = Buffer.from(key).toString('base64');
  const sealed = asked(() => keychain.encrypt(text));
  return { kind: 'keychain', sealed: Buffer.from(sealed).toString('base64') };
}

/** @throws VaultError `vault/unavailable` when the system refuses, `vault/unreadable` for another key. */
export function unwrapWithKeychain(wrapped: WrappedKey, keychain: Keychain): Buffer {
  const text = asked(() => keychain.decrypt(Buffer.from(wrapped.sealed, 'base64')));
  const key = Buffer.from(text, 'base64');
  if (key.length === keyBytes) return key;
  throw new VaultError('vault/unreadable', "The system's keychain gave another key back.");
}

function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    throw new VaultError(
      'vault/unavailable',
      "The system's keychain refused. Unlock it, then start the app again.",
      { cause, retry: 'after-user-action' },
    );
  }
}
