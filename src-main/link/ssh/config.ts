// What ~/.ssh/config says about a destination, as ssh(1) would resolve it.
import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshDestination } from '../../contract/node.ts';
import { LinkConfigError, LinkUnsupportedError } from '../errors.ts';
import { readHostNames, readSshConfig, type ConfigValues } from './config-file.ts';
import { expandHome } from './identities.ts';

export interface ResolveOptions {
  destination: SshDestination;
  /** Hosts to go through; when empty, ProxyJump of the configuration counts. */
  jumps?: readonly SshDestination[];
  useSshConfig: boolean;
  /** Default `~/.ssh/config`. */
  sshConfigPath?: string | undefined;
  homeDir: string;
}

/** One host on the way, with everything needed to sign in there. */
export interface ResolvedHop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** HostKeyAlias, or undefined: known_hosts then has it under host and port. */
  readonly hostKeyAlias: string | undefined;
  readonly identityFiles: readonly string[];
  /** Named, because what cannot be used must be told. */
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** IdentityAgent: a socket, `none`, or undefined for the usual one. */
  readonly identityAgent: string | undefined;
}

const MAX_JUMPS = 8;

/**
 * The hosts to sign in to, in order; the last is the destination. Throws LinkUnsupportedError for
 * ProxyCommand, LinkConfigError for a configuration that makes no sense.
 */
export async function resolveSshDestination(options: ResolveOptions): Promise<ResolvedHop[]> {
  const given = options.jumps ?? [];
  const { hop, jumps } = await resolveHost(options.destination, options, given.length > 0);
  const before = given.length > 0 ? given : jumps;
  const path = await resolveJumps(before, options, { isGiven: given.length > 0, depth: 0 });
  return [...path, hop];
}

/** Names one can connect to by `~/.ssh/config`, in its order. A missing file has none. */
export function listSshConfigHosts(path: string, homeDir?: string): Promise<string[]> {
  return readHostNames(path, homeDir ?? userInfo().homedir);
}

/** Only the first of several jumps may have jumps of its own: the others come after it (ssh -J). */
async function resolveJumps(
  jumps: readonly SshDestination[],
  options: ResolveOptions,
  { isGiven, depth }: { isGiven: boolean; depth: number },
): Promise<ResolvedHop[]> {
  const [first, ...others] = jumps;
  if (first === undefined) return [];
  if (depth > MAX_JUMPS) {
    throw new LinkConfigError(
      'link/config',
      'The jump hosts of the SSH configuration go round in a circle.',
      {
        retry: 'after-user-action',
        details: { host: first.host },
      },
    );
  }
  const { hop, jumps: own } = await resolveHost(first, options, isGiven);
  const before = isGiven
    ? []
    : await resolveJumps(own, options, { isGiven: false, depth: depth + 1 });
  const rest = await Promise.all(
    others.map(async (jump) => (await resolveHost(jump, options, true)).hop),
  );
  return [...before, hop, ...rest];
}

async function resolveHost(
  destination: SshDestination,
  options: ResolveOptions,
  ignoresJumps: boolean,
): Promise<{ hop: ResolvedHop; jumps: SshDestination[] }> {
  const localUser = userInfo().username;
  const alias = destination.host;
  const values = await readValues(destination, options, localUser);
  const first = (name: string) => values.get(name)?.[0];

  const port = destination.port ?? portOf(first('port'), alias);
  const user = destination.user ?? first('user') ?? localUser;
  const host = expandTokens(first('hostname') ?? alias, { '%': '%', h: alias });
  const tokens = tokensOf({ alias, host, port, user, localUser, homeDir: options.homeDir });
  if (!ignoresJumps) refuseProxyCommand(first('proxycommand'), values, alias);
  const path = (text: string) => expandHome(expandTokens(text, tokens), options.homeDir);
  const hop: ResolvedHop = {
    host,
    port,
    user,
    hostKeyAlias: first('hostkeyalias'),
    identityFiles: (values.get('identityfile') ?? []).filter((file) => file !== 'none').map(path),
    certificateFiles: (values.get('certificatefile') ?? []).map(path),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    identityAgent: agentOf(first('identityagent'), path),
  };
  const jumps = ignoresJumps
    ? []
    : parseProxyJump(expandTokens(first('proxyjump') ?? 'none', tokens));
  return { hop, jumps };
}

async function readValues(
  destination: SshDestination,
  options: ResolveOptions,
  localUser: string,
): Promise<ConfigValues> {
  if (!options.useSshConfig) return new Map();
  const path = options.sshConfigPath ?? join(options.homeDir, '.ssh', 'config');
  const { host: alias, user } = destination;
  return readSshConfig(path, options.homeDir, { alias, user, localUser });
}

/** `[user@]host[:port],…` or `ssh://` URIs; `none` is no jump. Throws LinkConfigError. */
export function parseProxyJump(text: string): SshDestination[] {
  if (text.trim().toLowerCase() === 'none') return [];
  return text.split(',').map((part) => {
    const plain = part
      .trim()
      .replace(/^ssh:\/\//, '')
      .replace(/\/$/, '');
    const match = /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:@[\]]+))(?::(\d+))?$/.exec(plain);
    const host = match?.[2] ?? match?.[3];
    if (host === undefined) {
      throw new LinkConfigError(
        'link/config',
        `ProxyJump has "${part.trim()}", which is no host.`,
        {
          retry: 'after-user-action',
        },
      );
    }
    return {
      host,
      ...(match?.[1] === undefined ? {} : { user: match[1] }),
      ...(match?.[4] === undefined ? {} : { port: portOf(match[4], host) }),
    };
  });
}

/** A ProxyJump that stands before it in the file wins over ProxyCommand, as in OpenSSH. */
function refuseProxyCommand(
  command: string | undefined,
  values: ConfigValues,
  alias: string,
): void {
  if (command === undefined || command.toLowerCase() === 'none') return;
  const names = [...values.keys()];
  const jump = names.indexOf('proxyjump');
  if (jump >= 0 && jump < names.indexOf('proxycommand')) return;
  throw new LinkUnsupportedError(
    'link/unsupported',
    `The SSH configuration reaches ${alias} through ProxyCommand, which this app does not run. Use ProxyJump, or give the jump host when adding the node.`,
    { retry: 'after-user-action', details: { host: alias, setting: 'ProxyCommand' } },
  );
}

function portOf(text: string | undefined, host: string): number {
  if (text === undefined) return 22;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new LinkConfigError(
    'link/config',
    `The SSH configuration has a port for ${host} that is none.`,
    {
      retry: 'after-user-action',
      details: { host },
    },
  );
}

function agentOf(value: string | undefined, path: (text: string) => string): string | undefined {
  if (value === undefined || value === 'SSH_AUTH_SOCK') return undefined;
  if (value.toLowerCase() === 'none') return 'none';
  return value.startsWith('$') ? process.env[value.slice(1)] : path(value);
}

interface TokenFacts {
  alias: string;
  host: string;
  port: number;
  user: string;
  localUser: string;
  homeDir: string;
}

/** The %-tokens of ssh_config(5), section TOKENS, that make sense in the settings read here. */
function tokensOf(facts: TokenFacts): Record<string, string> {
  const { alias, host, port, user, localUser, homeDir } = facts;
  const local = hostname();
  const connection = createHash('sha1').update(`${local}${host}${port}${user}`).digest('hex');
  return {
    '%': '%',
    C: connection,
    d: homeDir,
    h: host,
    i: String(userInfo().uid),
    k: alias,
    L: local.split('.')[0] ?? local,
    l: local,
    n: alias,
    p: String(port),
    r: user,
    u: localUser,
  };
}

/** `%x` and `${NAME}`; what is not known stays as it is. */
function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole)
    .replace(
      /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
      (whole, name: string) => process.env[name] ?? whole,
    );
}
