import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostKeyConsent } from '../../contract/node.ts';
import type { Timers } from '../../domain/clock.ts';
import { asError, fromSocketError, timeoutError } from '../errors.ts';
import type { ResolvedHop } from './config.ts';
import { SshConnection } from './connection.ts';
import { HostKeyGate } from './host-key-gate.ts';
import { findKeys, type IdentityOptions } from './identities.ts';
import type { KnownHosts } from './known-hosts.ts';
import { connectReading } from './received-memory.ts';
import { SignIn } from './sign-in.ts';

/** What every hop of a way shares. */
export interface RouteOptions {
  /** All of them, the destination last. */
  hops: readonly ResolvedHop[];
  destination: ResolvedHop;
  identityFile?: string | undefined;
  /** For the destination only: a jump host must not learn it. */
  password?: string | undefined;
  passphrase?: string | undefined;
  knownHosts: KnownHosts;
  consent?: HostKeyConsent | undefined;
  timeoutMs: number;
  keepaliveMs: number;
  timers: Timers;
  agentSocket: string | undefined;
  homeDir: string;
  signal?: AbortSignal | undefined;
}

/** The name of a hop for people and logs. */
export function describeHop(hop: ResolvedHop): string {
  const host = hop.host.includes(':') ? `[${hop.host}]` : hop.host;
  return `${hop.user}@${host}:${hop.port}`;
}

/** The gate that a hop's key must pass. */
export function openGate(
  hop: ResolvedHop,
  options: Pick<RouteOptions, 'knownHosts' | 'consent'>,
): Promise<HostKeyGate> {
  const { knownHosts, consent } = options;
  // A HostKeyAlias stands in known_hosts as it is, without the port.
  const name =
    hop.hostKeyAlias === undefined
      ? { host: hop.host, port: hop.port }
      : { host: hop.hostKeyAlias, port: 22 };
  return HostKeyGate.open({ knownHosts, ...name, ...(consent === undefined ? {} : { consent }) });
}

/** A byte stream to the hop's SSH port: direct, or through the host before it. */
export function dialHop(
  hop: ResolvedHop,
  via: SshConnection | undefined,
  options: Pick<RouteOptions, 'timeoutMs' | 'timers' | 'signal'>,
): Promise<Duplex> {
  return via === undefined ? dialDirectly(hop, options) : via.dialTcp(hop.host, hop.port);
}

/** Signs in to one hop. Throws LinkError. */
export async function openHop(
  hop: ResolvedHop,
  via: SshConnection | undefined,
  options: RouteOptions,
): Promise<SshConnection> {
  const description = describeHop(hop);
  const isDestination = hop === options.destination;
  const { keys, skipped, certificates } = await findKeys(identityOptions(hop, options));
  const gate = await openGate(hop, options);
  const signIn = new SignIn(description, {
    user: hop.user,
    keys,
    skipped,
    certificates,
    ...(isDestination && options.password !== undefined ? { password: options.password } : {}),
  });
  const socket = await dialHop(hop, via, options);
  const { keepaliveMs, timeoutMs, timers, signal } = options;
  return SshConnection.open({
    socket,
    description,
    user: hop.user,
    gate,
    signIn,
    keepaliveMs,
    timeoutMs,
    timers,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Signs in to every hop before the destination and returns them in order; closes them all on failure. */
export async function openJumps(options: RouteOptions): Promise<SshConnection[]> {
  const open: SshConnection[] = [];
  try {
    for (const hop of options.hops.slice(0, -1))
      open.push(await openHop(hop, open.at(-1), options));
    return open;
  } catch (error) {
    await closeAll(open);
    throw error;
  }
}

/** Closes connections that lie on top of one another, the farthest first. */
export async function closeAll(connections: readonly SshConnection[]): Promise<void> {
  for (const connection of connections.toReversed()) await connection.close();
}

function identityOptions(hop: ResolvedHop, options: RouteOptions): IdentityOptions {
  const agent = hop.identityAgent ?? options.agentSocket;
  return {
    homeDir: options.homeDir,
    agentSocket: agent === 'none' ? undefined : agent,
    identityFile: options.identityFile,
    passphrase: options.passphrase,
    configFiles: hop.identityFiles,
    certificateFiles: hop.certificateFiles,
    identitiesOnly: hop.identitiesOnly,
  };
}

function dialDirectly(
  hop: ResolvedHop,
  options: Pick<RouteOptions, 'timeoutMs' | 'timers' | 'signal'>,
): Promise<Socket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const socket = connectReading({ host: hop.host, port: hop.port, noDelay: true });
    const finish = (error?: unknown) => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      if (error === undefined) {
        resolve(socket);
      } else {
        socket.destroy();
        reject(asError(error));
      }
    };
    const onAbort = () => finish(signal?.reason);
    const onError = (error: Error) => finish(fromSocketError(error, `${hop.host}:${hop.port}`));
    const timer = options.timers.after(options.timeoutMs, () =>
      finish(timeoutError(`${hop.host}:${hop.port}`, 'connecting')),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.once('connect', () => finish());
  });
}
