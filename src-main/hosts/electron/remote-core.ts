// Reaching a core on another computer: by its URL and token, or over SSH to the local socket it has
// there. Over SSH no token is needed: whoever may sign in as its user may use its socket.
import type { CoreAddress } from '../../contract/desktop.ts';
import { RequestError } from '../../contract/errors.ts';
import type { HostKeyConsent, HostKeyReport, SshDestination } from '../../contract/node.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { unavailable } from '../../contract/wire/protocol-error.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { HostAccess, Links } from '../../services/nodes/ports.ts';
import { parseCoreFile } from '../core-file.ts';
import { attachToUrl, openWireOver } from '../server/attach.ts';

const connectTimeoutMs = 20_000;
const silenceMs = 30_000;

/** Prints `core.json` of the data directory given, or of the usual places; see hosts/data-dir.ts. */
const findCoreScript = `
if [ -n "$1" ]; then set -- "$1"; else set -- "\${KOHAKURIVER_DATA_DIR:-}" \\
  "\${XDG_DATA_HOME:-$HOME/.local/share}/kohakuriver-desktop" \\
  "$HOME/Library/Application Support/KohakuRiver Desktop"; fi
for dir do
  if [ -n "$dir" ] && [ -f "$dir/core.json" ]; then cat "$dir/core.json"; exit 0; fi
done
exit 3
`;

export interface RemoteCoreOptions {
  address: CoreAddress;
  token: () => string | undefined;
  links: Pick<Links, 'connect'>;
}

/** One core elsewhere; its SSH connection is made when it is needed and shared by all its ports. */
export class RemoteCore implements AsyncDisposable {
  readonly #options: RemoteCoreOptions;
  #link: Promise<NodeLink> | undefined;

  constructor(options: RemoteCoreOptions) {
    this.#options = options;
  }

  /** Throws LinkError, `core/unavailable`, `auth/required` or `input/invalid`. */
  async open(consent?: HostKeyConsent): Promise<WirePort> {
    const { address, token } = this.#options;
    return address.kind === 'url'
      ? openUrl(address.url, token())
      : this.#openOverSsh(address, consent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    // One that was never made has nothing to close; why, its caller was told.
    await link?.then((open) => open.close()).catch(() => undefined);
  }

  async #openOverSsh(
    address: Extract<CoreAddress, { kind: 'ssh' }>,
    consent: HostKeyConsent | undefined,
  ): Promise<WirePort> {
    const link = await this.#connected(address.destination, consent);
    const { stdout, exitCode } = await link.runScript(findCoreScript, [address.dataDir ?? '']);
    const found = exitCode === 0 ? parseCoreFile(stdout.toString()) : undefined;
    if (found === undefined) {
      throw unavailable(
        `No core runs on ${address.destination.host} for this user. Start one there with "kohakuriver serve".`,
      );
    }
    try {
      return await openWireOver(await link.dialSocket(found.socket));
    } catch (error) {
      throw unavailable(
        `The core on ${address.destination.host} (process ${String(found.pid)}) does not answer; it has probably ended.`,
        error,
      );
    }
  }

  async #connected(
    destination: SshDestination,
    consent: HostKeyConsent | undefined,
  ): Promise<NodeLink> {
    const connecting = (this.#link ??= this.#options.links.connect(accessTo(destination), {
      consent: consent ?? null,
      timeoutMs: connectTimeoutMs,
      silenceMs,
    }));
    try {
      const link = await connecting;
      if (link.isOpen) return link;
    } catch (error) {
      if (this.#link === connecting) this.#link = undefined;
      throw error;
    }
    if (this.#link === connecting) this.#link = undefined;
    return this.#connected(destination, consent);
  }
}

/** The keys that the host of a core shows. Throws LinkError. */
export async function inspectCoreHost(
  links: Pick<Links, 'inspect'>,
  destination: SshDestination,
): Promise<HostKeyReport[]> {
  return [...(await links.inspect(accessTo(destination), { timeoutMs: connectTimeoutMs }))];
}

/** By agent, keys and `~/.ssh/config`, as `ssh` itself would. */
function accessTo(destination: SshDestination): HostAccess {
  return {
    destination,
    jumps: [],
    useSshConfig: true,
    identityFile: null,
    password: null,
    passphrase: null,
  };
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A token must not cross a network that others can read. */
export function checkCoreUrl(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || loopback.test(hostname)) return;
  throw new RequestError(
    'input/invalid',
    'Its token would cross the network in the open. Use https, or reach the core over SSH.',
    { details: { field: 'address.url' } },
  );
}

async function openUrl(url: string, token: string | undefined): Promise<WirePort> {
  checkCoreUrl(url);
  if (token === undefined) {
    throw new RequestError(
      'auth/required',
      'The token of this core was not kept. Remove it from the list and add it again with its token.',
      { retry: 'after-user-action' },
    );
  }
  return attachToUrl(url, token);
}
