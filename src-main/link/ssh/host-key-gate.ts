import type { HostKeyConsent } from '../../contract/node.ts';
import { HostKeyChangedError, HostKeyUnknownError, type LinkError } from '../errors.ts';
import { knownHostsName, type HostKeyAlgorithm } from './host-key.ts';
import type { HostKeyVerdict, KnownHost, KnownHosts } from './known-hosts.ts';

export interface HostKeyGateOptions {
  knownHosts: KnownHosts;
  /** The name known_hosts has it under: HostKeyAlias or the host's name. */
  host: string;
  port: number;
  consent?: HostKeyConsent;
}

/**
 * Decides about the key a server shows, before anything secret can be sent to it, and keeps a
 * key that was consented to once the server has proven that it owns it.
 */
export class HostKeyGate {
  readonly #options: HostKeyGateOptions;
  readonly #known: KnownHost;
  #accepted: Buffer | undefined;
  #write: Promise<void> = Promise.resolve();
  #verdict: HostKeyVerdict | undefined;
  #refusal: LinkError | undefined;
  #isPassed = false;

  static async open(options: HostKeyGateOptions): Promise<HostKeyGate> {
    const known = await options.knownHosts.lookup(options.host, options.port);
    return new HostKeyGate(options, known);
  }

  private constructor(options: HostKeyGateOptions, known: KnownHost) {
    this.#options = options;
    this.#known = known;
  }

  get algorithms(): readonly HostKeyAlgorithm[] {
    return this.#known.algorithms;
  }

  /** What was decided about the key last shown. */
  get verdict(): HostKeyVerdict | undefined {
    return this.#verdict;
  }

  /** Why the key was not let through. */
  get refusal(): LinkError | undefined {
    return this.#refusal;
  }

  /** The server has proven that it owns an accepted key. */
  get isPassed(): boolean {
    return this.#isPassed;
  }

  /** Called at the first key exchange and at each later one. */
  verify(key: Buffer): boolean {
    if (this.#accepted?.equals(key) === true) return true;
    const verdict = this.#known.check(key);
    this.#verdict = verdict;
    if (verdict.status === 'known' || (verdict.status === 'new' && this.#isConsented(verdict))) {
      this.#accepted = key;
      return true;
    }
    this.#refusal = refusalOf(verdict, knownHostsName(this.#options.host, this.#options.port));
    return false;
  }

  /** The key exchange is complete: its signature was valid. */
  pass(): void {
    if (this.#isPassed || this.#accepted === undefined) return;
    this.#isPassed = true;
    if (this.#verdict?.status !== 'new') return;
    const { knownHosts, host, port } = this.#options;
    this.#write = knownHosts.accept(host, port, this.#accepted);
    // Whoever waits for `settled` hears of a failure.
    this.#write.catch(() => undefined);
  }

  /** Resolves when an accepted key is written. Throws LinkConfigError where it cannot be. */
  settled(): Promise<void> {
    return this.#write;
  }

  #isConsented(verdict: HostKeyVerdict): boolean {
    const { consent } = this.#options;
    if (consent === undefined) return false;
    return consent === 'any-new' || consent.fingerprints.includes(verdict.fingerprint);
  }
}

function refusalOf(verdict: HostKeyVerdict, host: string): LinkError {
  const { keyType, fingerprint } = verdict;
  const details = { host, keyType, fingerprint };
  if (verdict.status === 'new') {
    return new HostKeyUnknownError(
      'link/host-key-unknown',
      `${host} shows a host key that was never seen before (${fingerprint}). Compare it with the one on the machine, then accept it.`,
      { retry: 'after-user-action', details },
    );
  }
  const place = { file: verdict.file ?? '', line: verdict.line ?? 0 };
  if (verdict.status === 'revoked') {
    return new HostKeyChangedError(
      'link/host-key-revoked',
      `The host key of ${host} is marked as revoked in ${place.file}, line ${place.line}. Nothing was sent to it; ask whoever runs the machine.`,
      { retry: 'after-user-action', details: { ...details, ...place } },
    );
  }
  return new HostKeyChangedError(
    'link/host-key-changed',
    `${host} shows another host key than the one in ${place.file}, line ${place.line}: it was set up anew, or something is in between. Nothing was sent to it. If the change is right, forget the old key first.`,
    { retry: 'after-user-action', details: { ...details, ...place } },
  );
}
