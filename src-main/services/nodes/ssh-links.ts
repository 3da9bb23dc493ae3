// The link room as the nodes service takes it: SSH with this core's known_hosts, and this computer.
import { join } from 'node:path';
import type { HostKeyConsent } from '../../contract/node.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { LocalLink } from '../../link/local/local-link.ts';
import { listSshConfigHosts, resolveSshDestination } from '../../link/ssh/config.ts';
import { connectSsh, type ConnectSshOptions } from '../../link/ssh/connect.ts';
import { inspectHostKeys } from '../../link/ssh/inspect.ts';
import { KnownHosts } from '../../link/ssh/known-hosts.ts';
import type { Logger } from '../logger.ts';
import type { ConnectOptions, HostAccess, Links } from './ports.ts';

export interface SshLinksOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** The user's home: `~/.ssh` is looked into, and never written. */
  readonly homeDir: string;
  /** Where accepted host keys are kept. */
  readonly knownHostsFile: string;
  /** Null for no agent; absent for the usual one. */
  readonly agentSocket?: string | null;
}

/** Three keepalives without an answer end a link. */
const keepalivesUntilSilent = 3;

/** Reaches nodes over SSH, and this computer without. */
export function sshLinks(options: SshLinksOptions): Links {
  const { homeDir, timers, clock, log, agentSocket } = options;
  const sshConfigPath = join(homeDir, '.ssh', 'config');
  const knownHosts = new KnownHosts({
    userFiles: [join(homeDir, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    ownFile: options.knownHostsFile,
  });

  const toConnect = (
    access: HostAccess,
    more: Partial<ConnectOptions> & { timeoutMs: number },
  ): ConnectSshOptions => ({
    destination: access.destination,
    jumps: access.jumps,
    useSshConfig: access.useSshConfig,
    identityFile: access.identityFile ?? undefined,
    password: access.password ?? undefined,
    passphrase: access.passphrase ?? undefined,
    sshConfigPath,
    homeDir,
    knownHosts,
    consent: consentOf(more.consent),
    timeoutMs: more.timeoutMs,
    ...(more.silenceMs === undefined
      ? {}
      : { keepaliveMs: Math.max(1000, Math.floor(more.silenceMs / keepalivesUntilSilent)) }),
    signal: more.signal,
    agentSocket,
    timers,
    clock,
    log: (message, error) => log.debug({ err: error }, message),
  });

  return {
    connect: (access, connecting) => connectSsh(toConnect(access, connecting)),
    inspect: (access, inspecting) => inspectHostKeys(toConnect(access, inspecting)),
    async resolve(access) {
      const hops = await resolveSshDestination({ ...access, sshConfigPath, homeDir });
      return hops.map(({ host, port, user }) => ({ host, port, user }));
    },
    configHosts: () => listSshConfigHosts(sshConfigPath, homeDir),
    openLocal: () => Promise.resolve(new LocalLink({ timers, homeDir })),
  };
}

function consentOf(consent: HostKeyConsent | null | undefined): HostKeyConsent | undefined {
  return consent ?? undefined;
}
