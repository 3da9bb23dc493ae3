import { isIPv6 } from 'node:net';
import { sshDestination, type SshDestination } from '../../../contract/node.ts';
import { UsageError } from '../errors.ts';

const howTo =
  'write [USER@]HOST[:PORT], with an IPv6 address in brackets where a port follows: root@[fd00::1]:22';

/**
 * A host as people write it: `[USER@]HOST[:PORT]`, `[USER@][IPv6]:PORT`, a bare IPv6 address, or the
 * same after `ssh://`. Throws UsageError.
 */
export function parseDestination(text: string): SshDestination {
  const bare = text.replace(/^ssh:\/\//i, '').replace(/\/$/, '');
  const at = bare.lastIndexOf('@');
  const user = at === -1 ? undefined : bare.slice(0, at);
  const { host, port } = hostAndPort(bare.slice(at + 1), text);
  const parsed = sshDestination.safeParse({
    host,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  });
  if (parsed.success) return withoutUndefined(parsed.data);
  const rule = parsed.error.issues[0];
  throw new UsageError(
    `"${text}" is not a host (${rule?.path.join('.') ?? ''} ${rule?.message ?? ''}): ${howTo}.`,
  );
}

function hostAndPort(text: string, whole: string): { host: string; port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null && isIPv6(bracketed[1] ?? '')) {
    return { host: bracketed[1] ?? '', port: bracketed[2] };
  }
  // Colons and no brackets: a whole IPv6 address, for where would the port begin?
  if (isIPv6(text)) return { host: text, port: undefined };
  const [, host = '', port] = /^([^:[\]]*)(?::(\d+))?$/.exec(text) ?? [];
  if (host === '') throw new UsageError(`"${whole}" is not a host: ${howTo}.`);
  return { host, port };
}

/** zod writes absent fields as absent; the types say they may be undefined. */
function withoutUndefined(destination: {
  host: string;
  port?: number | undefined;
  user?: string | undefined;
}): SshDestination {
  const { host, port, user } = destination;
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
  };
}
