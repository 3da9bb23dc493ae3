// Files of ours that OpenSSH reads, in the data directory, and the line in the user's own
// configuration that includes them.
import { copyFile, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SshHost } from '../contract/ssh.ts';
import {
  hostBlock,
  hostsFile,
  includes,
  withHost,
  withInclude,
  withKnownKeys,
} from '../domain/forwards/open-ssh.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { codeOf } from './errors.ts';

/** Paths are absolute. Methods throw what the file system throws; a file is the old one or the new one, never half. */
export class OpenSshFiles {
  readonly knownHosts: string;
  readonly config: string;
  /** The user's own. */
  readonly userConfig: string;

  constructor({ dataDir, homeDir }: { dataDir: string; homeDir: string }) {
    this.knownHosts = join(dataDir, 'ssh', 'known_hosts');
    this.config = join(dataDir, 'ssh', 'config');
    this.userConfig = join(homeDir, '.ssh', 'config');
  }

  async rememberHostKeys(hosts: readonly SshHost[]): Promise<void> {
    const before = await readText(this.knownHosts);
    await replace(this.knownHosts, withKnownKeys(before, hosts));
  }

  /** Makes the file of hosts these and no others. */
  async writeHosts(hosts: readonly SshHost[], command: string): Promise<void> {
    const options = { command, knownHosts: this.knownHosts };
    await replace(this.config, hostsFile(hosts.map((host) => hostBlock(host, options))));
  }

  /** Adds one host, or says anew how it is reached; others stay. */
  async putHost(host: SshHost, command: string): Promise<void> {
    await this.rememberHostKeys([host]);
    const before = await readText(this.config);
    const options = { command, knownHosts: this.knownHosts };
    await replace(this.config, withHost(before, host, options));
  }

  async isIncluded(): Promise<boolean> {
    return includes(await readText(this.userConfig), this.config);
  }

  /** Has the user's configuration include ours. What it was is kept beside it. */
  async include(): Promise<void> {
    const before = await readText(this.userConfig);
    if (includes(before, this.config)) return;
    // People keep it elsewhere and link to it: the link stays one.
    const file = before === '' ? this.userConfig : await realpath(this.userConfig);
    if (before !== '') await copyFile(file, `${this.userConfig}.before-kohakuriver`);
    await replace(file, withInclude(before, this.config));
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

async function replace(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomically(file, text);
}
