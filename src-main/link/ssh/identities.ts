import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AuthError, isLinkError } from '../errors.ts';
import { listAgentKeys, type AgentKey } from './agent.ts';
import { readKeyFile, unlockKey, type Identity, type KeyFile } from './key-file.ts';

export type { Identity } from './key-file.ts';

export interface IdentityOptions {
  homeDir: string;
  /** Socket of the agent, or `pageant`; undefined for none. */
  agentSocket: string | undefined;
  /** A key that was chosen for this host: a problem with it is an error. */
  identityFile?: string | undefined;
  passphrase?: string | undefined;
  /** From ssh_config; what is not there is passed over. Empty: OpenSSH's default names. */
  configFiles: readonly string[];
  identitiesOnly: boolean;
  /** From ssh_config. */
  certificateFiles: readonly string[];
}

export interface FoundKeys {
  keys: (AgentKey | Identity)[];
  skipped: string[];
  /** SSH certificates that belong to these keys; ssh2 cannot show them. */
  certificates: string[];
}

const defaultNames = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * The keys to offer, in order: the chosen one, then the agent's (those named by a file first),
 * then those in files. A key that is in the agent is not asked for its passphrase.
 */
export async function findKeys(options: IdentityOptions): Promise<FoundKeys> {
  const found: FoundKeys = { keys: [], skipped: [], certificates: [] };
  const agentKeys = await agentKeysOf(options, found.skipped);
  const chosen = await chosenKey(options, agentKeys);
  const files = await keyFiles(options, found.skipped);
  const inAgent = files.flatMap((file) => agentKeys.filter((key) => isSame(key, file)));
  const otherAgentKeys = options.identitiesOnly ? [] : agentKeys;
  const onlyFiles = files.filter((file) => !agentKeys.some((key) => isSame(key, file)));
  const unlocked = onlyFiles.flatMap((file) => unlockIfPossible(file, options, found.skipped));
  found.keys = [...new Set([...chosen, ...inAgent, ...otherAgentKeys, ...unlocked])];
  found.certificates = await certificatesOf(options);
  return found;
}

async function agentKeysOf(options: IdentityOptions, skipped: string[]): Promise<AgentKey[]> {
  if (options.agentSocket === undefined) return [];
  try {
    return await listAgentKeys(options.agentSocket);
  } catch (error) {
    // No agent is no failure: keys and passwords are still to be tried. It is told with them.
    skipped.push(`the SSH agent (${error instanceof Error ? error.message : 'no answer'})`);
    return [];
  }
}

async function chosenKey(
  options: IdentityOptions,
  agentKeys: readonly AgentKey[],
): Promise<(AgentKey | Identity)[]> {
  if (options.identityFile === undefined) return [];
  const path = expandHome(options.identityFile, options.homeDir);
  const label = shortPath(path, options.homeDir);
  const file = await readKeyFile(path);
  if (file === undefined) {
    throw new AuthError('link/key-unreadable', `There is no key file ${label}.`, {
      retry: 'after-user-action',
      details: { file: label },
    });
  }
  const inAgent = agentKeys.find((key) => isSame(key, file));
  return [inAgent ?? unlockKey(file, label, options.passphrase)];
}

async function keyFiles(options: IdentityOptions, skipped: string[]): Promise<KeyFile[]> {
  // As OpenSSH: the default names are tried only where no file is named.
  if (options.identityFile !== undefined && options.configFiles.length === 0) return [];
  const paths = namedOrDefault(options);
  const files: KeyFile[] = [];
  for (const path of paths) {
    try {
      const file = await readKeyFile(path);
      if (file !== undefined) files.push(file);
    } catch (error) {
      skipped.push(problemOf(error));
    }
  }
  return files;
}

function namedOrDefault(options: IdentityOptions): readonly string[] {
  return options.configFiles.length > 0
    ? options.configFiles
    : defaultNames.map((name) => join(options.homeDir, '.ssh', name));
}

/** Those named, and those beside the keys (`id_x-cert.pub`), as far as they are there. */
async function certificatesOf(options: IdentityOptions): Promise<string[]> {
  const { identityFile, homeDir } = options;
  const chosen = identityFile === undefined ? [] : [expandHome(identityFile, homeDir)];
  const beside = [...chosen, ...namedOrDefault(options)].map((path) => `${path}-cert.pub`);
  const found: string[] = [];
  for (const path of [...options.certificateFiles, ...beside]) {
    if (await isThere(path)) found.push(shortPath(path, homeDir));
  }
  return found;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Whatever keeps it from being seen: it is only mentioned if it can be.
    return false;
  }
}

function unlockIfPossible(file: KeyFile, options: IdentityOptions, skipped: string[]): Identity[] {
  try {
    return [unlockKey(file, shortPath(file.path, options.homeDir), options.passphrase)];
  } catch (error) {
    skipped.push(problemOf(error));
    return [];
  }
}

function problemOf(error: unknown): string {
  if (!isLinkError(error)) throw error;
  const file = String(error.details['file'] ?? '');
  const why: Partial<Record<string, string>> = {
    'link/key-passphrase': 'encrypted',
    'link/key-unreadable': 'unreadable',
    'link/unsupported': 'on a hardware token',
  };
  return `${file} (${why[error.code] ?? error.code})`;
}

function isSame(key: AgentKey, file: KeyFile): boolean {
  return file.blob?.equals(key.blob) === true;
}

/** `~/x` as an absolute path. */
export function expandHome(path: string, homeDir: string = homedir()): string {
  return path === '~' || path.startsWith('~/') ? join(homeDir, path.slice(2)) : path;
}

function shortPath(path: string, homeDir: string): string {
  return path.startsWith(`${homeDir}/`) ? `~${path.slice(homeDir.length)}` : path;
}
