import { AppError } from '../../contract/errors.ts';
import {
  fingerprint,
  hostKeyReport,
  type HostKeyConsent,
  type HostKeyReport,
} from '../../contract/node.ts';
import type { Call } from './call.ts';
import { HostKeyRefusedError, UsageError } from './errors.ts';
import { clean } from './text/clean.ts';

export interface ConsentOptions {
  acceptHostKey?: readonly string[];
  acceptNewHostKey?: boolean;
}

/** Gathers which host keys may be trusted: from the command line, or by asking. */
export class HostKeyConsentGiver {
  readonly #call: Call<ConsentOptions>;
  readonly #accepted: Set<string>;

  constructor(call: Call<ConsentOptions>) {
    this.#call = call;
    const { acceptHostKey = [], acceptNewHostKey = false } = call.options;
    if (acceptNewHostKey && acceptHostKey.length > 0) {
      throw new UsageError('Give --accept-host-key or --accept-new-host-key, not both.');
    }
    this.#accepted = new Set(acceptHostKey.map(readFingerprint));
  }

  get given(): HostKeyConsent {
    if (this.#call.options.acceptNewHostKey === true) return 'any-new';
    return { fingerprints: [...this.#accepted] };
  }

  /** Whether this key may be trusted already. */
  has({ fingerprint: shown }: HostKeyReport): boolean {
    return this.#call.options.acceptNewHostKey === true || this.#accepted.has(shown);
  }

  /**
   * Passes a host key that is known or accepted; asks about a new one. Throws HostKeyRefusedError
   * for one that changed, and for a new one that nobody accepts.
   */
  async judge(report: HostKeyReport): Promise<void> {
    if (report.status === 'known') return;
    if (report.status !== 'new') throw changed(report);
    const { options, io } = this.#call;
    if (this.has(report)) return;
    if (options.acceptHostKey !== undefined) throw notTheOneGiven(report);
    if (io.prompts === undefined) throw unknown(report);
    await this.#call.say(
      `${clean(report.host)} was never seen before. Its ${clean(report.keyType)} key has the fingerprint\n  ${report.fingerprint}\nCompare it with the one on the machine («ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub» there).`,
    );
    if (!(await io.prompts.confirm('Is it right?'))) throw unknown(report);
    this.#accepted.add(report.fingerprint);
  }

  /** The key an error of the core is about, when it is one that nobody has accepted yet. */
  static reportIn(error: unknown): HostKeyReport | undefined {
    if (!(error instanceof AppError) || error.code !== 'link/host-key-unknown') return undefined;
    const parsed = hostKeyReport.safeParse({ ...error.details, status: 'new' });
    return parsed.data;
  }
}

function unknown({ host, fingerprint: shown }: HostKeyReport): HostKeyRefusedError {
  return new HostKeyRefusedError(
    'link/host-key-unknown',
    `The host key of ${clean(host)} is not known (${shown}) and was not accepted; nothing was stored. Compare it with the one on the machine, then give --accept-host-key ${shown}.`,
    { retry: 'after-user-action', details: { host, fingerprint: shown } },
  );
}

function notTheOneGiven({ host, fingerprint: shown }: HostKeyReport): HostKeyRefusedError {
  return new HostKeyRefusedError(
    'link/host-key-unknown',
    `${clean(host)} shows a host key that is none of those given with --accept-host-key: ${shown}. Nothing was stored. Compare it with the one on the machine; for hosts on the way, give the option once for each.`,
    { retry: 'after-user-action', details: { host, fingerprint: shown } },
  );
}

function changed({
  host,
  fingerprint: shown,
  status,
  knownIn,
}: HostKeyReport): HostKeyRefusedError {
  const where = knownIn === undefined ? '' : ` in ${clean(knownIn)}`;
  const what =
    status === 'revoked'
      ? `is marked as revoked${where}`
      : `is not the one written down${where}: it was set up anew, or something is in between`;
  return new HostKeyRefusedError(
    'link/host-key-changed',
    `The host key of ${clean(host)} ${what}. It shows ${shown}. Nothing was sent to it.`,
    { retry: 'after-user-action', details: { host, fingerprint: shown, status } },
  );
}

function readFingerprint(text: string): string {
  const parsed = fingerprint.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(
    `"${text}" is not a fingerprint: it must look like SHA256:… (43 characters).`,
  );
}
