// Containers as hosts of OpenSSH. Their host keys are read from inside, so that nobody has to trust
// the first key they are shown.
import type { SshAccess, SshHost } from '../../contract/ssh.ts';
import { aliasOf, includeLine } from '../../domain/forwards/open-ssh.ts';
import type { OpenSshFiles } from '../../store/open-ssh-files.ts';
import { findPlace } from '../terminals/places.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { cannotForward, sshConfigFailed } from './errors.ts';

/** The server that was set up in a VPS has a key of its own (resources/node/vps-ssh.sh). */
const readKeys = [
  'sh',
  '-c',
  'cat /etc/kohakuriver/ssh_host_*_key.pub 2>/dev/null || cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null',
];
const keyLine = /^(ssh-[a-z0-9-]{1,30}|ecdsa-sha2-nistp\d{3}) ([A-Za-z0-9+/=]{40,2000})(?: |$)/;
const mostKeys = 8;

export interface SshHostsParts {
  readonly terminals: TerminalParts;
  readonly files: OpenSshFiles;
  /** Shell text that starts the command line on this computer; undefined where it is not installed. */
  readonly command: string | undefined;
  /** The private key a VPS was made with, if it was written here. */
  readonly identityFile: (task: string) => string | null;
}

export class SshHosts {
  readonly #parts: SshHostsParts;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(parts: SshHostsParts) {
    this.#parts = parts;
  }

  /** Throws what finding the container throws, and ForwardError when it has no SSH server. */
  async describe(reference: string): Promise<SshHost> {
    const { terminals, identityFile } = this.#parts;
    const task = terminals.tasks.get(reference);
    const place = await findPlace(terminals, { kind: 'task', task: task.id });
    const hostKeys = readHostKeys(await place.ask(readKeys, terminals.newMark()));
    if (hostKeys.length === 0) {
      throw cannotForward(
        `There is no SSH server in ${place.text}. Open a terminal in it with "kohakuriver connect", or create it with SSH.`,
        place.text,
      );
    }
    return {
      id: task.id,
      name: task.name,
      hostKeyAlias: `kohakuriver-${task.type === 'vps' ? 'vps' : 'task'}-${task.id}`,
      user: 'root',
      port: 22,
      identityFile: identityFile(task.id),
      hostKeys,
    };
  }

  /**
   * Writes what OpenSSH needs to reach it by name. Throws what `describe` throws, and ForwardError
   * where the command line is missing or a file cannot be written.
   */
  async setUp(reference: string, mayInclude: boolean): Promise<SshAccess> {
    const { files, command } = this.#parts;
    if (command === undefined) {
      throw cannotForward(
        'OpenSSH reaches it through the kohakuriver command, which is not installed beside this app. Forward its port 22 instead.',
        'this computer',
      );
    }
    const host = await this.describe(reference);
    try {
      await this.#oneByOne(async () => {
        await files.putHost(host, command);
        if (mayInclude) await files.include();
      });
      const isIncluded = await files.isIncluded();
      return {
        alias: aliasOf(host),
        configFile: files.config,
        userConfigFile: files.userConfig,
        isIncluded,
        includeLine: includeLine(files.config),
      };
    } catch (error) {
      throw sshConfigFailed(files, error);
    }
  }

  /** Files are read, changed and written: two at a time would lose one's change. */
  #oneByOne(write: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(write);
    this.#writing = done.catch(() => undefined);
    return done;
  }
}

/** The keys in what the container said; anything else there is left out. */
export function readHostKeys(output: string): string[] {
  return output
    .split('\n')
    .flatMap((line) => {
      const [, kind, key] = keyLine.exec(line.trim()) ?? [];
      return kind === undefined || key === undefined ? [] : [`${kind} ${key}`];
    })
    .slice(0, mostKeys);
}
