// What is installed on a node and what the login user may use, out of the probe's report.
import { answerOf, linesOf, wordsOf, type Sections } from './sections.ts';
import { cleanText, countOf, kibibytes } from './values.ts';

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Where it is mounted. */
  readonly mount: string;
}

/** Facts beyond the contract's: findings and the choice of Docker's socket are made of these. */
export interface Software {
  readonly isRoot: boolean;
  readonly groups: readonly string[];
  readonly hasDockerCli: boolean;
  readonly hasPodman: boolean;
  /** Engine sockets found, in the order to try them. */
  readonly dockerSockets: readonly { readonly path: string; readonly usable: boolean }[];
  readonly hasDockerGroup: boolean;
  readonly hasNvidiaToolkit: boolean;
  readonly qemuVersion: string | null;
  readonly kvm: 'absent' | 'denied' | 'usable';
  readonly iommuGroups: number;
  readonly hasSetsid: boolean;
  readonly hasSystemd: boolean;
  readonly canLimitProcesses: boolean;
  readonly isLingering: boolean;
  /** As sshd_config says; null where it says nothing or may not be read. */
  readonly maxSessions: number | null;
  readonly maxStartups: string | null;
  readonly homeDisk: DiskSpace | null;
  readonly dockerDisk: DiskSpace | null;
  /** Newest messages of the NVIDIA driver about faults, as the kernel logged them. */
  readonly xids: readonly string[];
}

/** A line of `df -P -k`: device, size, used, free, percent, mount. */
export function parseDf(line: string | undefined): DiskSpace | null {
  const parts = /^\S.*?\s(\d+)\s+(\d+)\s+(-?\d+)\s+\S+\s+(\/.*)$/.exec(cleanText(line, 1024));
  const totalBytes = kibibytes(parts?.[1]);
  // Reserved blocks can make «available» negative: nothing is free then.
  const freeBytes = kibibytes(parts?.[3]?.replace(/^-\d+$/, '0'));
  if (totalBytes === null || freeBytes === null) return null;
  return { totalBytes, freeBytes, mount: parts?.[4] ?? '/' };
}

function parseSockets(sections: Sections): Software['dockerSockets'] {
  const found = linesOf(sections, 'docker').flatMap((line) => {
    const parts = /^socket (usable|denied) (\/[\x21-\x7e]{1,200})$/.exec(line);
    return parts?.[2] === undefined ? [] : [{ path: parts[2], usable: parts[1] === 'usable' }];
  });
  return found.slice(0, 4).sort((a, b) => Number(b.usable) - Number(a.usable));
}

function parseKvm(words: ReadonlyMap<string, string>): Software['kvm'] {
  if (words.get('there') !== 'yes') return 'absent';
  return words.get('usable') === 'yes' ? 'usable' : 'denied';
}

/** sshd takes the first value it meets. */
function sshdValue(sections: Sections, key: string): string | undefined {
  const form = new RegExp(`^${key}\\s+(\\S{1,40})`, 'i');
  for (const line of linesOf(sections, 'sshd')) {
    const value = form.exec(line)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}

function parseQemu(sections: Sections): string | null {
  const answer = answerOf(sections, 'qemu');
  if (answer?.code !== 0) return null;
  return /version (\d{1,3}(?:\.\d{1,3}){1,3})/.exec(answer.lines[0] ?? '')?.[1] ?? null;
}

function parseXids(sections: Sections): string[] {
  const lines = answerOf(sections, 'xid')?.lines ?? [];
  return lines
    .filter((line) => line.includes('NVRM: Xid'))
    .slice(-5)
    .map((line) => cleanText(line, 200));
}

/** Reads everything but the hardware. Never throws. */
export function parseSoftware(sections: Sections): Software {
  const host = wordsOf(sections, 'host');
  const docker = wordsOf(sections, 'docker');
  const kvm = wordsOf(sections, 'kvm');
  const process = wordsOf(sections, 'process');
  const disk = wordsOf(sections, 'disk');
  return {
    isRoot: host.get('uid') === '0',
    groups: (host.get('groups') ?? '')
      .split(' ')
      .slice(0, 256)
      .map((group) => cleanText(group, 64)),
    hasDockerCli: docker.get('cli') === 'yes',
    hasPodman: docker.get('podman') === 'yes',
    dockerSockets: parseSockets(sections),
    hasDockerGroup: docker.get('group') === 'yes',
    hasNvidiaToolkit: docker.get('toolkit') === 'yes',
    qemuVersion: parseQemu(sections),
    kvm: parseKvm(kvm),
    iommuGroups: countOf(kvm.get('iommu-groups')) ?? 0,
    hasSetsid: process.get('setsid') === 'yes',
    hasSystemd: process.get('systemd') === 'yes',
    canLimitProcesses: answerOf(sections, 'scope')?.code === 0,
    isLingering: process.get('linger') === 'yes',
    maxSessions: countOf(sshdValue(sections, 'MaxSessions')),
    maxStartups: sshdValue(sections, 'MaxStartups') ?? null,
    homeDisk: parseDf(disk.get('home')?.replace(/^\|code 0 \|/, '')),
    dockerDisk: parseDf(disk.get('docker')?.replace(/^\|code 0 \|/, '')),
    xids: parseXids(sections),
  };
}
