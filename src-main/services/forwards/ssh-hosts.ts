// Containers as hosts of OpenSSH. Their host keys are read from inside, so that nobody has to trust
// the first key they are shown.
import type { SshHost } from '../../contract/ssh.ts';
import { findPlace } from '../terminals/places.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { cannotForward } from './errors.ts';

const readKeys = ['sh', '-c', 'cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null'];
const keyLine = /^(ssh-[a-z0-9-]{1,30}|ecdsa-sha2-nistp\d{3}) ([A-Za-z0-9+/=]{40,2000})(?: |$)/;
const mostKeys = 8;

/** Throws what finding the container throws, and ForwardError when it has no SSH server. */
export async function describeSshHost(parts: TerminalParts, reference: string): Promise<SshHost> {
  const task = parts.tasks.get(reference);
  const place = await findPlace(parts, { kind: 'task', task: task.id });
  const hostKeys = readHostKeys(await place.ask(readKeys, parts.newMark()));
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
    hostKeys,
  };
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
