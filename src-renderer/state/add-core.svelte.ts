// The form that adds a core elsewhere: what was typed, whether it can be tried, and the host's keys
// that have to be confirmed first.
import type { CoreAddress } from '../../src-main/contract/desktop.ts';
import type { HostKeyReport } from '../../src-main/contract/node.ts';
import { toProblem, type Problem } from '../lib/problem.ts';
import { parseDestination } from '../lib/ssh-line.ts';
import type { Desktop } from './desktop.svelte.ts';

export class AddCore {
  readonly #desktop: Desktop;
  how = $state<'ssh' | 'url'>('ssh');
  name = $state('');
  host = $state('');
  dataDir = $state('');
  url = $state('');
  token = $state('');
  #keys = $state.raw<readonly HostKeyReport[]>([]);
  #problem = $state.raw<Problem | undefined>(undefined);
  #isBusy = $state(false);

  readonly destination = $derived(parseDestination(this.host));
  readonly isUrlValid = $derived(/^https?:\/\/[^\s/]+/.test(this.url) && URL.canParse(this.url));
  readonly isReady = $derived(
    this.how === 'ssh'
      ? this.destination !== undefined
      : this.isUrlValid && this.token.trim() !== '',
  );

  constructor(desktop: Desktop) {
    this.#desktop = desktop;
  }

  /** Keys never seen before: the person has to say that they are right. */
  get keys(): readonly HostKeyReport[] {
    return this.#keys;
  }
  get hasBadKey(): boolean {
    return this.#keys.some(({ status }) => status === 'changed' || status === 'revoked');
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** What was confirmed was confirmed for another host. */
  changed(): void {
    this.#keys = [];
    this.#problem = undefined;
  }

  /** Tries the core and adds it. True when it is shown now; false when keys wait for a look, or it failed. */
  async connect(): Promise<boolean> {
    this.#isBusy = true;
    this.#problem = undefined;
    try {
      if (this.#keys.length === 0 && (await this.#mustLookAtKeys())) return false;
      const fingerprints = this.#keys.map(({ fingerprint }) => fingerprint);
      const address = this.#address();
      await this.#desktop.add({
        name: this.name.trim() === '' ? this.#nameOf(address) : this.name.trim(),
        address,
        ...(address.kind === 'url' ? { token: this.token.trim() } : {}),
        ...(fingerprints.length === 0 ? {} : { consent: { fingerprints } }),
      });
      return true;
    } catch (error) {
      this.#problem = toProblem(error);
      return false;
    } finally {
      this.#isBusy = false;
    }
  }

  async #mustLookAtKeys(): Promise<boolean> {
    if (this.how === 'url' || this.destination === undefined) return false;
    const keys = await this.#desktop.inspect(this.destination);
    if (keys.every(({ status }) => status === 'known')) return false;
    this.#keys = keys;
    return true;
  }

  #address(): CoreAddress {
    if (this.how === 'url') return { kind: 'url', url: this.url.trim() };
    const dataDir = this.dataDir.trim();
    const destination = this.destination ?? { host: this.host };
    return { kind: 'ssh', destination, ...(dataDir === '' ? {} : { dataDir }) };
  }

  #nameOf(address: CoreAddress): string {
    return address.kind === 'url' ? new URL(address.url).hostname : address.destination.host;
  }
}
