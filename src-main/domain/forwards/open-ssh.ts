// What OpenSSH reads: blocks of ssh_config and lines of known_hosts for containers, as text.
import type { SshHost } from '../../contract/ssh.ts';

export interface OpenSshOptions {
  /** Shell text that starts our command line, words quoted. */
  readonly command: string;
  /** The file of the keys that hosts are recognised by. */
  readonly knownHosts: string;
}

const heading = '# Written by kohakuriver.';

/** The name to give to ssh: `kr-` and the name, or the ID where there is none that fits. */
export function aliasOf({ id, name }: Pick<SshHost, 'id' | 'name'>): string {
  const usable = (name ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `kr-${usable === '' ? id : usable}`;
}

/** Settings of ssh for one host, without its name. Host keys are checked, always. */
export function sshSettings(
  host: SshHost,
  { command, knownHosts }: OpenSshOptions,
): readonly (readonly [string, string])[] {
  return [
    ['HostKeyAlias', host.hostKeyAlias],
    ['User', host.user],
    // ssh expands % in these; the shell reads what is then left.
    ['ProxyCommand', `${command} proxy ${host.id}`.replaceAll('%', '%%')],
    ...(host.identityFile === null ? [] : [['IdentityFile', quoted(host.identityFile)] as const]),
    ['UserKnownHostsFile', quoted(knownHosts)],
    ['GlobalKnownHostsFile', 'none'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
  ];
}

export function hostBlock(host: SshHost, options: OpenSshOptions): string {
  const lines = sshSettings(host, options).map(([key, value]) => `  ${key} ${value}`);
  return `Host ${aliasOf(host)}\n${lines.join('\n')}\n`;
}

/** The whole file of ours. */
export function hostsFile(blocks: readonly string[]): string {
  return [heading, ...blocks].join('\n\n').replace(/\n*$/, '\n');
}

/** Our file with the block of one host in it: in the place of the one it had, whatever its name was. */
export function withHost(file: string, host: SshHost, options: OpenSshOptions): string {
  const others = file
    .split(/^(?=Host )/m)
    .filter((block) => block.startsWith('Host ') && !isOf(block, host))
    .map((block) => block.trimEnd());
  return hostsFile([...others, hostBlock(host, options)]);
}

function isOf(block: string, host: SshHost): boolean {
  const [first = '', ...rest] = block.split('\n').map((line) => line.trim());
  return first === `Host ${aliasOf(host)}` || rest.includes(`HostKeyAlias ${host.hostKeyAlias}`);
}

/** A known_hosts with the keys of these hosts; keys of others stay. */
export function withKnownKeys(file: string, hosts: readonly SshHost[]): string {
  const ours = new Set(hosts.map(({ hostKeyAlias }) => hostKeyAlias));
  const kept = file
    .split('\n')
    .filter((line) => line !== '' && !ours.has(line.split(' ')[0] ?? ''));
  const added = hosts.flatMap(({ hostKeyAlias, hostKeys }) =>
    hostKeys.map((key) => `${hostKeyAlias} ${key}`),
  );
  return [...kept, ...added, ''].join('\n');
}

export function includeLine(file: string): string {
  return `Include "${file}"`;
}

export function includes(userConfig: string, file: string): boolean {
  return userConfig.split('\n').some((line) => line.trim() === includeLine(file));
}

/** At the top: what follows a Host line belongs to it. */
export function withInclude(userConfig: string, file: string): string {
  return includes(userConfig, file) ? userConfig : `${includeLine(file)}\n\n${userConfig}`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
