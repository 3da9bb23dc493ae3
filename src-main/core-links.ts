// The link room as the nodes service asks for it.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Timers } from './domain/clock.ts';
import { LocalLink } from './link/local/local-link.ts';
import { listSshConfigHosts, resolveSshDestination } from './link/ssh/config.ts';
import { connectSsh, type ConnectSshOptions } from './link/ssh/connect.ts';
import { inspectHostKeys } from './link/ssh/inspect.ts';
import { KnownHosts } from './link/ssh/known-hosts.ts';
import type { Logger } from './services/logger.ts';
import type { HostAccess, Links } from './services/nodes/ports.ts';

export interface LinkParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Ours; the user's own are read beside it. */
  readonly knownHostsFile: string;
}

/** Three keepalives without an answer end a connection. */
const keepalivesUntilLost = 3;

export function realLinks(parts: LinkParts): Links {
  const { clock, timers, log } = parts;
  const homeDir = homedir();
  const sshConfigPath = join(homeDir, '.ssh', 'config');
  const knownHosts = new KnownHosts({
    userFiles: [join(homeDir, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    ownFile: parts.knownHostsFile,
  });
  const common = (access: HostAccess): Omit<ConnectSshOptions, 'timeoutMs'> => ({
    destination: access.destination,
    jumps: access.jumps,
    useSshConfig: access.useSshConfig,
    identityFile: access.identityFile ?? undefined,
    password: access.password ?? undefined,
    passphrase: access.passphrase ?? undefined,
    knownHosts,
    sshConfigPath,
    homeDir,
    timers,
    clock,
    log: (message, error) => log.warn({ err: error }, message),
  });
  return {
    connect: (access, { consent, timeoutMs, silenceMs, signal }) =>
      connectSsh({
        ...common(access),
        consent: consent ?? undefined,
        timeoutMs,
        keepaliveMs: Math.max(1000, Math.round(silenceMs / keepalivesUntilLost)),
        signal,
      }),
    inspect: (access, { timeoutMs }) => inspectHostKeys({ ...common(access), timeoutMs }),
    resolve: async ({ destination, jumps, useSshConfig }) => {
      const hops = await resolveSshDestination({
        destination,
        jumps,
        useSshConfig,
        sshConfigPath,
        homeDir,
      });
      return hops.map(({ host, port, user }) => ({ host, port, user }));
    },
    configHosts: () => listSshConfigHosts(sshConfigPath, homeDir),
    openLocal: () => Promise.resolve(new LocalLink({ timers, homeDir })),
  };
}
