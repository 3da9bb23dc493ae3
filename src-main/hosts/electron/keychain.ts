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
  // The synchronous forms: the vault opens once, before there is a window to hold up.
  if (!safeStorage.isEncryptionAvailable()) return undefined;
  if (platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text')
    return undefined;
  return {
    encrypt: (text) => safeStorage.encryptString(text),
    decrypt: (sealed) => safeStorage.decryptString(Buffer.from(sealed)),
  };
}
