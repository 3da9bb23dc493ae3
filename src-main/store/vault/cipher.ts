import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { VaultError } from '../errors.ts';

// AES-256-GCM (NIST SP 800-38D): format byte, 12 bytes of nonce, 16 of tag, then the ciphertext.
const algorithm = 'aes-256-gcm';
const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

export const keyBytes = 32;

/** Encrypts under a fresh random nonce. `context` must be the same to open it: it ties it to its place. */
export function seal(key: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from([format]), nonce, cipher.getAuthTag(), sealed]);
}

/** @throws VaultError `vault/unreadable` when the key, the bytes or the context are not what they were. */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  try {
    if (sealed[0] !== format || sealed.length < headBytes) throw new RangeError('unknown format');
    const nonce = sealed.subarray(1, 1 + nonceBytes);
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]);
  } catch (error) {
    throw new VaultError(
      'vault/unreadable',
      'A secret cannot be read: it or the key of the vault is not what it was. Enter it again.',
      { cause: error, retry: 'after-user-action' },
    );
  }
}
