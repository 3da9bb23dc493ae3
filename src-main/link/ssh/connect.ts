// The way in: resolves a destination, signs in hop by hop, and hands over a NodeLink.
import { homedir } from 'node:os';
import type { HostKeyConsent, SshDestination } from '../../contract/node.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { LinkConfigError } from '../errors.ts';
import type { NodeLink } from '../node-link.ts';
import { systemClock, systemTimers } from '../system-timers.ts';
import { resolveSshDestination } from './config.ts';
import type { KnownHosts } from './known-hosts.ts';
import { closeAll, openHop, openJumps, type RouteOptions } from './route.ts';
import { SshLink } from './ssh-link.ts';

export interface ConnectSshOptions {
  destination: SshDestination;
  jumps?: readonly SshDestination[] | undefined;
  /** A private key for the destination; also offered to jump hosts. */
  identityFile?: string | undefined;
  /** For the destination only. Never sent before its host key is accepted. */
  password?: string | undefined;
  /** Unlocks encrypted key files. */
  passphrase?: string | undefined;
  useSshConfig: boolean;
  /** Default `~/.ssh/config`. */
  sshConfigPath?: string | undefined;
  knownHosts: KnownHosts;
  /** Host keys never seen before that may be accepted, on every hop; none without it. */
  consent?: HostKeyConsent | undefined;
  /** For each hop: to connect, shake hands and sign in. */
  timeoutMs: number;
  /** Between keepalives; three without an answer end the connection. Default 10 s. */
  keepaliveMs?: number | undefined;
  /** What the login shell's start-up files may take. Default 10 s. */
  shellTimeoutMs?: number | undefined;
  /** Default `$SSH_AUTH_SOCK` (on Windows OpenSSH's pipe); null for no agent. */
  agentSocket?: string | null | undefined;
  homeDir?: string | undefined;
  timers?: Timers | undefined;
  clock?: Pick<Clock, 'monotonic'> | undefined;
  /** Gives up connecting; it does nothing to a link that is open. */
  signal?: AbortSignal | undefined;
  /** Told of what went wrong where nobody waits for it. */
  log?: ((message: string, error: unknown) => void) | undefined;
}

/**
 * Connects to a node. Throws LinkError: `link/unreachable`, `link/refused`, `link/timeout`,
 * `link/host-key-unknown`, `-changed`, `-revoked`, `link/auth`, `link/key-unreadable`,
 * `link/key-passphrase`, `link/config`, `link/unsupported`; an aborted signal rejects with its reason.
 */
export async function connectSsh(options: ConnectSshOptions): Promise<NodeLink> {
  const route = await routeOf(options);
  const { timers } = route;
  const jumps = await openJumps(route);
  try {
    const control = await openHop(route.destination, jumps.at(-1), route);
    // Further connections come later, when the caller's signal means nothing any more.
    const later: RouteOptions = { ...route, consent: undefined, signal: undefined };
    return new SshLink({
      control,
      openExtra: () => openHop(route.destination, jumps.at(-1), later),
      closeJumps: () => closeAll(jumps),
      shellTimeoutMs: options.shellTimeoutMs ?? 10_000,
      timers,
      clock: options.clock ?? systemClock,
      log: options.log ?? (() => undefined),
    });
  } catch (error) {
    await closeAll(jumps);
    throw error;
  }
}

/** The options with their defaults filled in and the destination resolved. */
export async function routeOf(options: ConnectSshOptions): Promise<RouteOptions> {
  const homeDir = options.homeDir ?? homedir();
  const { destination, useSshConfig, sshConfigPath } = options;
  const jumps = options.jumps ?? [];
  const hops = await resolveSshDestination({
    destination,
    jumps,
    useSshConfig,
    sshConfigPath,
    homeDir,
  });
  const last = hops.at(-1);
  if (last === undefined)
    throw new LinkConfigError('link/config', 'There is no host to connect to.');
  const { identityFile, password, passphrase, knownHosts, consent, timeoutMs, signal } = options;
  return {
    hops,
    destination: last,
    identityFile,
    password,
    passphrase,
    knownHosts,
    consent,
    timeoutMs,
    signal,
    keepaliveMs: options.keepaliveMs ?? 10_000,
    timers: options.timers ?? systemTimers,
    agentSocket:
      options.agentSocket === undefined ? usualAgent() : (options.agentSocket ?? undefined),
    homeDir,
  };
}

function usualAgent(): string | undefined {
  const fromEnvironment = process.env['SSH_AUTH_SOCK'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  return process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : undefined;
}
