// What is written for OpenSSH: host keys in a file of our own, and blocks of ssh_config.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findPlaces } from '../places.ts';
import { quoteForShell } from '../../link/quote.ts';
import type { SshHost } from '../../contract/ssh.ts';
import type { Call } from './call.ts';

export interface SshFiles {
  readonly knownHosts: string;
  readonly config: string;
}

export function sshFiles(dataDir: string): SshFiles {
  const dir = join(dataDir, 'ssh');
  return { knownHosts: join(dir, 'known_hosts'), config: join(dir, 'config') };
}

/** The name to give to ssh: `kr-` and the name, or the ID where there is none that fits. */
export function aliasOf({ id, name }: Pick<SshHost, 'id' | 'name'>): string {
  const usable = (name ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `kr-${usable === '' ? id : usable}`;
}

/** How this very program is started, as words: the launcher for what was built, else as now. */
export function ownCommand(dataDir: string): string[] {
  const { root } = findPlaces(import.meta.url);
  const launcher = join(root, 'bin', 'kohakuriver');
  const script = process.argv[1] ?? '';
  const isBuilt = script === join(root, 'dist', 'main', 'cli.js') && existsSync(launcher);
  return [...(isBuilt ? [launcher] : [process.execPath, script]), '--data-dir', dataDir];
}

/** Settings of ssh for one host, without its name. Host keys are checked, always. */
export function sshSettings(host: SshHost, options: { command: string[]; knownHosts: string }) {
  // ssh expands % in these; the shell reads what is then left.
  const proxy = quoteForShell([...options.command, 'proxy', host.id]).replaceAll('%', '%%');
  return [
    ['HostKeyAlias', host.hostKeyAlias],
    ['User', host.user],
    ['ProxyCommand', proxy],
    ['UserKnownHostsFile', `"${options.knownHosts.replaceAll('%', '%%')}"`],
    ['GlobalKnownHostsFile', 'none'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
  ] as const;
}

export function hostBlock(
  host: SshHost,
  options: { command: string[]; knownHosts: string },
): string {
  const lines = sshSettings(host, options).map(([key, value]) => `  ${key} ${value}`);
  return `Host ${aliasOf(host)}\n${lines.join('\n')}\n`;
}

/** Writes what hosts are recognised by; keys of others stay. */
export async function rememberHostKeys(file: string, hosts: readonly SshHost[]): Promise<void> {
  const ours = new Set(hosts.map(({ hostKeyAlias }) => hostKeyAlias));
  const before = existsSync(file) ? await readFile(file, 'utf8') : '';
  const kept = before
    .split('\n')
    .filter((line) => line !== '' && !ours.has(line.split(' ')[0] ?? ''));
  const added = hosts.flatMap(({ hostKeyAlias, hostKeys }) =>
    hostKeys.map((key) => `${hostKeyAlias} ${key}`),
  );
  await replaceFile(file, [...kept, ...added, ''].join('\n'));
}

/** The old or the new, never half. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${String(process.pid)}.tmp`;
  await writeFile(beside, text, { mode: 0o600 });
  await rename(beside, file);
}

/** Asks the core about a host and remembers its keys. */
export async function learnHost(call: Call, reference: string): Promise<SshHost> {
  const host = await (await call.api()).ssh.describe({ task: reference });
  await rememberHostKeys(sshFiles(call.dataDir).knownHosts, [host]);
  return host;
}
