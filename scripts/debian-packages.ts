// The Debian packages the tests need, installed when this runs as root on Debian, named otherwise.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Package, and a file that shows it is there. */
const packages: readonly (readonly [name: string, shownBy: string])[] = [
  ['docker.io', '/usr/sbin/dockerd'],
  ['docker-registry', '/usr/bin/docker-registry'],
  ['openssh-server', '/usr/sbin/sshd'],
  ['openssh-client', '/usr/bin/ssh'],
  ['openssh-sftp-server', '/usr/lib/openssh/sftp-server'],
  ['iptables', '/usr/sbin/iptables'],
  ['iproute2', '/usr/sbin/ip'],
  ['util-linux', '/usr/bin/unshare'],
  ['busybox-static', '/usr/bin/busybox'],
  ['chromium', '/usr/bin/chromium'],
  ['curl', '/usr/bin/curl'],
  // What people run over SSH.
  ['rsync', '/usr/bin/rsync'],
  ['git', '/usr/bin/git'],
  // Programs that terminals are tried with.
  ['vim', '/usr/bin/vim'],
  ['htop', '/usr/bin/htop'],
  ['tmux', '/usr/bin/tmux'],
];

/** Names of needed packages that are not installed. */
export function missingPackages(): string[] {
  return packages.filter(([, file]) => !existsSync(file)).map(([name]) => name);
}

/**
 * Installs what is missing where that is possible. Returns what is still missing, with the command
 * a person would run.
 */
export function ensurePackages(): { missing: string[]; advice: string | null } {
  const missing = missingPackages();
  if (missing.length === 0) return { missing, advice: null };
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return { missing, advice: `Run as root on Debian: ${command}` };
  }
  console.log(`Installing Debian packages for the tests: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = {
    env,
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
  };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], options);
  const left = missingPackages();
  return { missing: left, advice: left.length === 0 ? null : `This did not work: ${command}` };
}
