// Seeing which host keys a way shows, before anything secret is sent along it.
import type { HostKeyReport } from '../../contract/node.ts';
import { lostError } from '../errors.ts';
import type { ResolvedHop } from './config.ts';
import { routeOf, type ConnectSshOptions } from './connect.ts';
import { SshConnection } from './connection.ts';
import { knownHostsName } from './host-key.ts';
import type { HostKeyGate } from './host-key-gate.ts';
import type { HostKeyVerdict } from './known-hosts.ts';
import { closeAll, describeHop, dialHop, openGate, openHop, type RouteOptions } from './route.ts';
import { SignIn } from './sign-in.ts';

/**
 * The host key of each hop, in order, as far as it can be seen without sending a secret to a host
 * whose key is not known or consented to. Signs in only to jump hosts with such a key, to see what
 * is behind them; what fails there ends the list, and connecting tells why. Throws LinkError when
 * not even the first host shows a key.
 */
export async function inspectHostKeys(options: ConnectSshOptions): Promise<HostKeyReport[]> {
  const route = await routeOf(options);
  const reports: HostKeyReport[] = [];
  const jumps: SshConnection[] = [];
  try {
    for (const hop of route.hops) {
      const { report, isAccepted } = await inspectHop(hop, jumps.at(-1), route);
      reports.push(report);
      if (!isAccepted || hop === route.destination) break;
      jumps.push(await openHop(hop, jumps.at(-1), route));
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (reports.length === 0) throw error;
    options.log?.('A host behind a jump host could not be inspected.', error);
  } finally {
    await closeAll(jumps);
  }
  return reports;
}

interface Inspection {
  report: HostKeyReport;
  isAccepted: boolean;
}

async function inspectHop(
  hop: ResolvedHop,
  via: SshConnection | undefined,
  route: RouteOptions,
): Promise<Inspection> {
  const gate = await openGate(hop, route);
  const { timeoutMs, timers, keepaliveMs, signal } = route;
  const socket = await dialHop(hop, via, route);
  const description = describeHop(hop);
  try {
    const connection = await SshConnection.open({
      socket,
      description,
      user: hop.user,
      gate: closedGate(gate),
      signIn: new SignIn(description, { user: hop.user, keys: [], skipped: [], certificates: [] }),
      timeoutMs,
      timers,
      keepaliveMs,
      ...(signal === undefined ? {} : { signal }),
    });
    await connection.close();
  } catch (error) {
    // The gate stays closed, so every inspection ends here; one that saw no key has failed.
    if (gate.verdict === undefined) throw error;
  }
  const { verdict } = gate;
  if (verdict === undefined) throw lostError(description);
  return { report: reportOf(hop, verdict), isAccepted: gate.refusal === undefined };
}

/** Looks at the key, remembers what is to be said about it, and lets nothing through. */
function closedGate(
  gate: HostKeyGate,
): Pick<HostKeyGate, 'algorithms' | 'verify' | 'refusal' | 'isPassed' | 'pass' | 'settled'> {
  return {
    algorithms: gate.algorithms,
    refusal: undefined,
    isPassed: false,
    verify: (key) => {
      gate.verify(key);
      return false;
    },
    pass: () => undefined,
    settled: () => Promise.resolve(),
  };
}

function reportOf(hop: ResolvedHop, verdict: HostKeyVerdict): HostKeyReport {
  const { keyType, fingerprint, status, file, line } = verdict;
  const host = hop.hostKeyAlias ?? knownHostsName(hop.host, hop.port);
  const isKnown = file !== undefined && line !== undefined && status !== 'new';
  return { host, keyType, fingerprint, status, ...(isKnown && { knownIn: `${file}:${line}` }) };
}
