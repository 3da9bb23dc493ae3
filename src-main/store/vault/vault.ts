// The one place for secrets: passwords, passphrases, credentials, secret variables of tasks. Values
// are encrypted under a random key; vault/key-wraps.ts says how that key is kept and from whom.
import { randomBytes } from 'node:crypto';
import type { StoreLog } from '../connection.ts';
import { VaultError } from '../errors.ts';
import type { GroupCommit } from '../group-commit.ts';
import { parseJson } from '../json.ts';
import type { Meta } from '../meta.ts';
import type { SecretId } from '../node-rows.ts';
import { keyBytes, seal, unseal } from './cipher.ts';
import {
  scryptCost,
  unwrapWithKeychain,
  unwrapWithKeyFile,
  unwrapWithPassphrase,
  wrapWithKeychain,
  wrapWithKeyFile,
  wrapWithPassphrase,
  wrappedKey,
  type Keychain,
  type KeyKind,
  type WrappedKey,
} from './key-wraps.ts';
import type { SecretRef, SecretRepository, SecretRow } from './secret-repository.ts';

/** How the vault's key may be kept here. */
export interface VaultOptions {
  /** Where there is one, it is what a new vault uses. */
  readonly keychain?: Keychain | undefined;
  /** How a new vault keeps its key. Default: the keychain where there is one, else a key file. */
  readonly newKey?: KeyKind | undefined;
  /** Opens a vault that needs one, without asking. */
  readonly passphrase?: string | undefined;
  /** What guessing a new passphrase shall cost (scrypt's N). Default: `scryptCost`. */
  readonly passphraseCost?: number | undefined;
}

/** `locked`: a passphrase opens it. `unavailable`: its key cannot be had here; `problem` says why. */
export type VaultState = 'open' | 'locked' | 'unavailable';

export interface VaultParts {
  readonly meta: Meta;
  readonly secrets: SecretRepository;
  readonly group: GroupCommit;
  readonly keyFile: string;
  readonly log: StoreLog;
  readonly options: VaultOptions;
}

const metaKey = 'vault';

/** Keeps secrets. Values go in and come out here and nowhere else; what it writes is durable with `store.flushed()`. */
export class SecretVault {
  readonly #parts: VaultParts;
  #kind: KeyKind;
  #key: Buffer | undefined;
  #problem: VaultError | undefined;

  private constructor(parts: VaultParts, kind: KeyKind) {
    this.#parts = parts;
    this.#kind = kind;
  }

  /** Opens the vault, made if there is none. One whose key cannot be had is there all the same, not open. */
  static async open(parts: VaultParts): Promise<SecretVault> {
    const { keychain, newKey, passphrase } = parts.options;
    const text = parts.meta.get(metaKey);
    const wrapped = text === undefined ? undefined : parseJson(wrappedKey, text, 'meta.vault');
    const preferred = newKey ?? (keychain === undefined ? 'key-file' : 'keychain');
    const vault = new SecretVault(parts, wrapped?.kind ?? preferred);
    try {
      if (vault.#kind !== 'passphrase') await vault.#openByItself(wrapped);
      else if (passphrase !== undefined) await vault.unlock(passphrase);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      parts.log.warn({ err: error, kind: vault.#kind }, 'the vault could not be opened');
      vault.#problem = error;
    }
    return vault;
  }

  get state(): VaultState {
    if (this.#key !== undefined) return 'open';
    return this.#kind === 'passphrase' ? 'locked' : 'unavailable';
  }

  /** How its key is kept. */
  get kind(): KeyKind {
    return this.#kind;
  }

  /** A sentence when it is not open. */
  get problem(): string | null {
    return this.#key === undefined ? this.#closedError().message : null;
  }

  /** Keeps a value, in the place of another of the same scope and name. @throws VaultError unless open */
  put({ scope, name, value }: SecretRef & { readonly value: string }): SecretId {
    const key = this.#openKey();
    const { group, secrets } = this.#parts;
    return group.write(() =>
      secrets.put({ scope, name }, (id) =>
        seal(key, Buffer.from(value, 'utf8'), contextOf({ id, scope, name })),
      ),
    );
  }

  /** Undefined when there is none. @throws VaultError `vault/locked`, `vault/unavailable`, `vault/unreadable` */
  get(ref: SecretId | SecretRef): string | undefined {
    const key = this.#openKey();
    const row = this.#parts.secrets.find(ref);
    return row === undefined
      ? undefined
      : unseal(key, row.ciphertext, contextOf(row)).toString('utf8');
  }

  /** Works on a closed vault too. What is gone already is success. */
  delete(id: SecretId): void {
    this.#parts.group.write(() => this.#parts.secrets.delete(id));
  }

  /** The names in a scope; of a closed vault, too. */
  names(scope: string): readonly string[] {
    return this.#parts.secrets.names(scope);
  }

  /** As `delete`, by where it belongs. */
  deleteOf({ scope, name }: SecretRef): void {
    this.#parts.group.write(() => this.#parts.secrets.deleteOf({ scope, name }));
  }

  deleteScope(scope: string): void {
    this.#parts.group.write(() => this.#parts.secrets.deleteScope(scope));
  }

  /**
   * Opens a vault that is kept by passphrase; the first one given to a new vault becomes its own.
   * @throws VaultError `vault/unreadable` for a wrong one, `vault/unavailable` when none is wanted.
   */
  async unlock(passphrase: string): Promise<void> {
    if (this.#key !== undefined) return;
    if (this.#kind !== 'passphrase') throw this.#closedError();
    const text = this.#parts.meta.get(metaKey);
    if (text === undefined) {
      const key = randomBytes(keyBytes);
      await this.#adopt(key, await wrapWithPassphrase(key, passphrase, this.#cost));
    } else {
      const wrapped = parseJson(wrappedKey, text, 'meta.vault');
      this.#key = await unwrapWithPassphrase(wrapped, passphrase);
    }
  }

  /** Keeps the key of an open vault in another way; the secrets stay as they are. @throws VaultError */
  async changeKey(kind: KeyKind, passphrase?: string): Promise<void> {
    const key = this.#openKey();
    if (kind === 'passphrase') {
      await this.#adopt(key, await wrapWithPassphrase(key, passphrase ?? '', this.#cost));
    } else {
      await this.#adopt(key, await this.#wrap(key, kind));
    }
  }

  async #openByItself(wrapped: WrappedKey | undefined): Promise<void> {
    if (wrapped !== undefined) {
      this.#key = await this.#unwrap(wrapped);
    } else if (this.#kind !== 'passphrase') {
      const key = randomBytes(keyBytes);
      await this.#adopt(key, await this.#wrap(key, this.#kind));
    }
  }

  async #wrap(key: Buffer, kind: Exclude<KeyKind, 'passphrase'>): Promise<WrappedKey> {
    return kind === 'keychain'
      ? wrapWithKeychain(key, this.#keychain())
      : wrapWithKeyFile(key, this.#parts.keyFile);
  }

  async #unwrap(wrapped: WrappedKey): Promise<Buffer> {
    return wrapped.kind === 'keychain'
      ? unwrapWithKeychain(wrapped, this.#keychain())
      : unwrapWithKeyFile(wrapped, this.#parts.keyFile);
  }

  #keychain(): Keychain {
    const { keychain } = this.#parts.options;
    if (keychain !== undefined) return keychain;
    throw new VaultError(
      'vault/unavailable',
      "The secrets here are kept by the system's keychain, which only the desktop app can ask. Start that, or change how they are kept there.",
      { retry: 'after-user-action' },
    );
  }

  async #adopt(key: Buffer, wrapped: WrappedKey): Promise<void> {
    const { group, meta } = this.#parts;
    group.write(() => meta.set(metaKey, JSON.stringify(wrapped)));
    await group.flushed();
    this.#kind = wrapped.kind;
    this.#key = key;
    this.#problem = undefined;
  }

  get #cost(): number {
    return this.#parts.options.passphraseCost ?? scryptCost;
  }

  #openKey(): Buffer {
    if (this.#key === undefined) throw this.#closedError();
    return this.#key;
  }

  #closedError(): VaultError {
    if (this.#kind === 'passphrase') {
      return new VaultError('vault/locked', 'The vault is locked. Unlock it with its passphrase.', {
        retry: 'after-user-action',
        cause: this.#problem,
      });
    }
    const { code, message } = this.#problem ?? {
      code: 'vault/unavailable' as const,
      message: 'The vault has no key.',
    };
    return new VaultError(code, message, { retry: 'after-user-action', cause: this.#problem });
  }
}

/** Ties a ciphertext to its row: moved to another one it cannot be read. */
function contextOf({ id, scope, name }: Omit<SecretRow, 'ciphertext'>): string {
  return JSON.stringify([id, scope, name]);
}
