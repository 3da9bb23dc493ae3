// Who we are for registries. Passwords lie in the vault, and leave it only in the header of a pull.
import { z } from 'zod';
import type { NodeId } from '../../contract/ids.ts';
import type { RegistryView } from '../../contract/registries.ts';
import { registryHost } from '../../domain/registries/registry.ts';
import type { RegistryAccount } from '../../runtimes/image-engine.ts';
import { imagesOf, nameOf, needImages, whyNot } from '../environments/ports.ts';
import type { Fleet } from '../fleet.ts';
import { UnknownNodeError } from '../nodes/errors.ts';
import { NoNodeToAskError, UnknownRegistryError } from './errors.ts';

/** The part of the vault used here. */
export interface RegistryVault {
  readonly state: 'open' | 'locked' | 'unavailable';
  put(entry: { scope: string; name: string; value: string }): unknown;
  get(entry: { scope: string; name: string }): string | undefined;
  /** Works on a closed vault, too. */
  names(scope: string): readonly string[];
  deleteOf(entry: { scope: string; name: string }): void;
}

const scope = 'registry';
const account = z.object({ username: z.string(), password: z.string() });

/** What is kept, for whoever pulls. Throws VaultError where something is kept and cannot be read. */
export class RegistryAccounts {
  readonly #vault: RegistryVault;

  constructor(vault: RegistryVault) {
    this.#vault = vault;
  }

  hosts(): readonly string[] {
    return this.#vault.names(scope);
  }

  /** Undefined where nothing is kept; the vault is not needed then. */
  of(host: string): RegistryAccount | undefined {
    if (!this.hosts().includes(host)) return undefined;
    const text = this.#vault.get({ scope, name: host });
    return text === undefined ? undefined : account.parse(JSON.parse(text));
  }

  /**
   * What a pull goes with. Without a vault that could ever be opened here it goes without an account:
   * public images need none, and the registry says where one is missing.
   */
  forPull(host: string): RegistryAccount | undefined {
    return this.#vault.state === 'unavailable' ? undefined : this.of(host);
  }

  keep(host: string, value: RegistryAccount): void {
    this.#vault.put({ scope, name: host, value: JSON.stringify(value) });
  }

  forget(host: string): void {
    this.#vault.deleteOf({ scope, name: host });
  }

  get canBeRead(): boolean {
    return this.#vault.state === 'open';
  }
}

export interface RegistryParts {
  readonly accounts: RegistryAccounts;
  readonly flushed: () => Promise<void>;
  readonly fleet: Pick<Fleet, 'plannerNodes' | 'node' | 'find' | 'runtime' | 'onDidComeOnline'>;
  readonly isLocal: (node: NodeId) => boolean;
}

export class RegistryService {
  readonly #parts: RegistryParts;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  list(): RegistryView[] {
    const { accounts } = this.#parts;
    return [...accounts.hosts()].sort().map((host) => ({
      host,
      username: accounts.canBeRead ? (accounts.of(host)?.username ?? null) : null,
    }));
  }

  /**
   * Throws `registry/denied` and `registry/unreachable` from the node that asks, `registry/no-node`,
   * VaultError; nothing is kept then.
   */
  async login(order: {
    host: string;
    username: string;
    password: string;
    verify: boolean;
    node?: string | undefined;
  }): Promise<RegistryView & { verifiedOn: string | null }> {
    const { accounts, flushed, fleet } = this.#parts;
    const host = registryHost(order.host);
    const { username, password } = order;
    let verifiedOn: string | null = null;
    if (order.verify) {
      const node = this.#asker(order.node);
      await needImages(fleet, node).checkRegistry(host, { username, password });
      verifiedOn = nameOf(fleet, node);
    }
    accounts.keep(host, { username, password });
    await flushed();
    return { host, username, verifiedOn };
  }

  async logout(given: string): Promise<{ host: string }> {
    const { accounts, flushed } = this.#parts;
    const host = registryHost(given);
    if (!accounts.hosts().includes(host)) throw new UnknownRegistryError(host);
    accounts.forget(host);
    await flushed();
    return { host };
  }

  #asker(reference: string | undefined): NodeId {
    const { fleet, isLocal } = this.#parts;
    if (reference !== undefined) {
      const found = fleet.find(reference);
      if (found === undefined) throw new UnknownNodeError(reference);
      return found.id;
    }
    const ids = fleet.plannerNodes().map(({ id }) => id);
    const able = ids.filter((id) => imagesOf(fleet, id) !== undefined);
    const chosen = able.find(isLocal) ?? able[0];
    if (chosen !== undefined) return chosen;
    const [first] = ids;
    throw new NoNodeToAskError(
      first === undefined
        ? 'there is none.'
        : `${nameOf(fleet, first)}: ${whyNot(fleet.node(first))}`,
    );
  }
}
