// How people and programs of this computer name a container for OpenSSH.
import type { SshAccess } from '../../src-main/contract/ssh.ts';
import { quoteWord } from './shell-words.ts';

/** To be pasted into a shell; while the user's own configuration does not know it, ours is named. */
export function sshCommand({ alias, configFile, isIncluded }: SshAccess): string {
  return isIncluded ? `ssh ${alias}` : `ssh -F ${quoteWord(configFile)} ${alias}`;
}

/** Opens the root folder of a host in VS Code with its Remote-SSH. */
export function codeLink(alias: string): string {
  return `vscode://vscode-remote/ssh-remote+${encodeURIComponent(alias)}/root`;
}
