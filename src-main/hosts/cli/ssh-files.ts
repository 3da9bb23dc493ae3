// What OpenSSH needs to know, as the command line keeps it.
import type { SshHost } from '../../contract/ssh.ts';
import { quoteForShell } from '../../link/quote.ts';
import { ownCommand } from '../own-command.ts';
import { OpenSshFiles } from '../../store/open-ssh-files.ts';
import type { Call } from './call.ts';

export function sshFiles(call: Call): OpenSshFiles {
  return new OpenSshFiles({ dataDir: call.dataDir, homeDir: call.io.homeDir });
}

/** How OpenSSH starts this very program: as it was started, where it is not installed. */
export function proxyCommand({ dataDir }: Call): string {
  const words = [process.execPath, process.argv[1] ?? '', '--data-dir', dataDir];
  return ownCommand(dataDir) ?? quoteForShell(words);
}

/** Asks the core about a host and remembers its keys. */
export async function learnHost(call: Call, reference: string): Promise<SshHost> {
  const host = await (await call.api()).ssh.describe({ task: reference });
  await sshFiles(call).rememberHostKeys([host]);
  return host;
}
