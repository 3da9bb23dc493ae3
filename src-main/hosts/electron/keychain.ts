import type { Keychain } from '../../store/vault/key-wraps.ts';
import type { ElectronApi } from './electron-api.ts';

/**
 * The operating system's keychain, through Electron; undefined where there is none. Linux without a
 * secret service has `basic_text`, which only hides: nothing secret may rest on it.
 */
export function systemKeychain(
  electron: Pick<ElectronApi, 'safeStorage'>,
  platform: NodeJS.Platform,
): Keychain | undefined {
  const { safeStorage } = electron;
  /* eslint-disable @typescript-eslint/no-deprecated -- the vault opens synchronously, once, before
     there is a window; the asynchronous forms are for what would hold one up */
  if (!safeStorage.isEncryptionAvailable()) return undefined;
  if (platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text')
    return undefined;
  return {
    encrypt: (text) => safeStorage.encryptString(text),
    decrypt: (sealed) => safeStorage.decryptString(Buffer.from(sealed)),
  };
  /* eslint-enable @typescript-eslint/no-deprecated */
}
