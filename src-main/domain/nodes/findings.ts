// What a person should know about a node, with the exact command that would mend it.
import type { Finding, NodeFacts } from '../../contract/node.ts';
import type { ProbeReport } from './parse-probe.ts';
import type { DiskSpace, Software } from './parse-software.ts';

/** Clocks further apart than this are worth a warning: logs and retention are told by them. */
export const maxSkewMs = 5000;
const lowDiskBytes = 5 * 2 ** 30;
const lowDiskShare = 0.05;

function finding(
  level: Finding['level'],
  id: string,
  words: { title: string; detail?: string; fix?: string },
): Finding {
  return { id, level, title: words.title, detail: words.detail ?? null, fix: words.fix ?? null };
}

/** A command for the login user: through sudo unless that is root. */
function asRoot(software: Software, command: string): string {
  return software.isRoot ? command : `sudo ${command}`;
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Clocks apart by more than five seconds; null when they agree or nothing is known. */
export function clockFinding(facts: Pick<NodeFacts, 'clockSkewMs'>): Finding | null {
  const skew = facts.clockSkewMs;
  if (skew === null || Math.abs(skew) <= maxSkewMs) return null;
  const seconds = (Math.abs(skew) / 1000).toFixed(0);
  return finding('warning', 'clock', {
    title: `The clock is ${seconds} s ${skew > 0 ? 'ahead' : 'behind'}`,
    detail: 'Times of logs and of ended tasks come from the node. Let it keep time by itself.',
    fix: 'sudo timedatectl set-ntp true',
  });
}

function diskFinding(id: string, what: string, disk: DiskSpace | null): Finding[] {
  if (disk === null || disk.totalBytes === 0) return [];
  const isLow = disk.freeBytes < lowDiskBytes || disk.freeBytes / disk.totalBytes < lowDiskShare;
  if (!isLow) return [];
  return [
    finding(disk.freeBytes === 0 ? 'error' : 'warning', id, {
      title: `${what} is nearly full: ${gib(disk.freeBytes)} of ${gib(disk.totalBytes)} free`,
      detail: `Mounted at ${disk.mount}. Tasks and image pulls fail when nothing is left.`,
      ...(id === 'disk-docker' ? { fix: 'docker system prune' } : {}),
    }),
  ];
}

function diskFindings({ homeDisk, dockerDisk }: Software): Finding[] {
  const docker = diskFinding('disk-docker', "The disk with Docker's data", dockerDisk);
  if (homeDisk?.mount === dockerDisk?.mount) return docker;
  return [...diskFinding('disk-home', 'The disk with the home directory', homeDisk), ...docker];
}

function gpuFindings({ facts, ailingGpus, nvidiaDevices, software }: ProbeReport): Finding[] {
  const findings: Finding[] = [];
  if (facts.gpuProblem !== null) {
    findings.push(
      finding('error', 'gpu-unknown', {
        title: 'GPUs are unknown',
        detail: facts.gpuProblem,
        fix: 'nvidia-smi',
      }),
    );
  } else if (nvidiaDevices > 0 && !facts.gpus.some((gpu) => gpu.vendor === 'nvidia')) {
    findings.push(
      finding('warning', 'gpu-driver', {
        title: 'There is an NVIDIA GPU without a working driver',
        detail:
          'nvidia-smi is not there or knows of no GPU. Install the driver of your distribution, then reboot.',
      }),
    );
  }
  for (const gpu of facts.gpus) {
    const why = ailingGpus.get(gpu.uuid);
    if (why === undefined) continue;
    findings.push(
      finding('warning', `gpu-${String(gpu.index)}`, {
        title: `GPU ${String(gpu.index)} (${gpu.name}) is not chosen by itself`,
        detail: `${why}. If it comes back after a reboot, have the card looked at.`,
      }),
    );
  }
  const newest = software.xids.at(-1);
  if (newest !== undefined) {
    findings.push(
      finding('warning', 'gpu-xid', {
        title: 'The NVIDIA driver reported GPU faults since the boot',
        detail: newest,
        fix: asRoot(software, "dmesg | grep 'NVRM: Xid'"),
      }),
    );
  }
  return findings;
}

function toolkitFinding({ facts, software }: ProbeReport): Finding[] {
  const hasNvidia = facts.gpus.some((gpu) => gpu.vendor === 'nvidia');
  if (!hasNvidia || facts.docker === null || facts.docker.gpuRuntime) return [];
  const configure = `nvidia-ctk runtime configure --runtime=docker && ${asRoot(software, 'systemctl restart docker')}`;
  const fix = asRoot(
    software,
    software.hasNvidiaToolkit
      ? configure
      : `apt-get install -y nvidia-container-toolkit && ${asRoot(software, configure)}`,
  );
  return [
    finding('error', 'gpu-toolkit', {
      title: software.hasNvidiaToolkit
        ? 'Docker does not know the NVIDIA runtime'
        : 'The NVIDIA container toolkit is missing',
      detail: 'Without it, containers cannot be given GPUs.',
      fix,
    }),
  ];
}

function dockerFinding({ facts, software }: ProbeReport): Finding[] {
  if (facts.docker !== null) {
    return [finding('ok', 'docker', { title: `Docker ${facts.docker.version}` })];
  }
  const detail = facts.dockerProblem ?? 'Docker does not answer.';
  const isDenied =
    software.dockerSockets.length > 0 && software.dockerSockets.every((socket) => !socket.usable);
  if (isDenied) {
    return [
      finding('error', 'docker-denied', {
        title: `${facts.user} may not use Docker`,
        detail,
        fix: `sudo usermod -aG docker ${facts.user}`,
      }),
    ];
  }
  if (software.hasDockerCli || software.dockerSockets.length > 0 || software.hasDockerGroup) {
    return [
      finding('warning', 'docker-down', {
        title: 'Docker does not answer',
        detail,
        fix: asRoot(software, 'systemctl start docker'),
      }),
    ];
  }
  return [
    finding('info', 'docker-absent', {
      title: 'There is no Docker',
      detail: software.hasPodman
        ? 'Podman is there; its Docker-compatible socket is not used.'
        : 'Tasks run as plain processes only.',
      fix: 'curl -fsSL https://get.docker.com | sh',
    }),
  ];
}

function processFindings({ facts, software }: ProbeReport): Finding[] {
  if (!facts.process) {
    return [
      finding('info', 'process', {
        title: 'Plain processes cannot be run here',
        detail: 'That takes Linux with setsid (util-linux).',
      }),
    ];
  }
  if (facts.processLimits || !software.hasSystemd) return [];
  return [
    finding('info', 'process-limits', {
      title: 'Processes cannot be given limits',
      detail:
        'systemd-run is not usable for this user, so cores and memory of plain processes are counted but not enforced.',
      fix: `sudo loginctl enable-linger ${facts.user}`,
    }),
  ];
}

/** Findings that matter all the time; they stand on the node in every list. */
export function standingFindings(report: ProbeReport): Finding[] {
  const clock = clockFinding(report.facts);
  return [
    ...(clock === null ? [] : [clock]),
    ...diskFindings(report.software),
    ...gpuFindings(report),
    ...toolkitFinding(report),
    ...dockerFinding(report).filter(({ level }) => level === 'warning' || level === 'error'),
    ...(report.isComplete ? [] : [incomplete()]),
  ];
}

function incomplete(): Finding {
  return finding('warning', 'probe-incomplete', {
    title: 'The node was read only in part',
    detail:
      'What it printed about itself breaks off; some facts may be missing until the next probe.',
  });
}

function sshdFindings(software: Software, isLocal: boolean): Finding[] {
  return isLocal ? [] : [sessionsFinding(software), ...startupsFinding(software)];
}

function sessionsFinding({ maxSessions }: Software): Finding {
  const sessions = maxSessions ?? 10;
  if (sessions >= 10) {
    return finding('ok', 'sshd-sessions', {
      title: `sshd allows ${String(sessions)} sessions per connection`,
    });
  }
  return finding(sessions < 4 ? 'warning' : 'info', 'sshd-sessions', {
    title: `sshd allows only ${String(sessions)} sessions per connection (MaxSessions)`,
    detail: 'More connections are opened when they are used up; terminals and logs may wait.',
    fix: "echo 'MaxSessions 32' | sudo tee /etc/ssh/sshd_config.d/kohakuriver.conf && sudo systemctl reload ssh",
  });
}

/** `start:rate:full`: from `start` unauthenticated connections on, some are refused. */
function startupsFinding({ maxStartups }: Software): Finding[] {
  const start = Number(/^(\d{1,6})/.exec(maxStartups ?? '')?.[1] ?? 10);
  if (start >= 5) return [];
  return [
    finding('info', 'sshd-startups', {
      title: `sshd refuses connections from ${String(start)} at once (MaxStartups)`,
      detail: 'Several people connecting at the same moment may be turned away.',
      fix: "echo 'MaxStartups 10:30:100' | sudo tee -a /etc/ssh/sshd_config.d/kohakuriver.conf && sudo systemctl reload ssh",
    }),
  ];
}

function machineFindings({ facts, software }: ProbeReport): Finding[] {
  const kvm: Record<Software['kvm'], Finding> = {
    usable: finding('ok', 'kvm', { title: 'KVM can be used' }),
    denied: finding('info', 'kvm', {
      title: `${facts.user} may not use /dev/kvm`,
      detail: 'Virtual machines would be emulated, slowly.',
      fix: `sudo usermod -aG kvm ${facts.user}`,
    }),
    absent: finding('info', 'kvm', {
      title: 'There is no KVM',
      detail:
        'Virtual machines would be emulated, slowly. Look for VT-x or AMD-V in the firmware settings.',
    }),
  };
  const iommu =
    software.iommuGroups > 0
      ? finding('ok', 'iommu', { title: `IOMMU on (${String(software.iommuGroups)} groups)` })
      : finding('info', 'iommu', {
          title: 'The IOMMU is off',
          detail:
            'GPUs cannot be given to virtual machines. Enable VT-d or AMD-Vi in the firmware settings and add intel_iommu=on to the kernel command line.',
        });
  const qemu =
    facts.qemu === null
      ? finding('info', 'qemu', {
          title: 'There is no QEMU',
          detail: 'Virtual machines cannot be run here.',
          fix: asRoot(software, 'apt-get install -y qemu-system-x86 qemu-utils'),
        })
      : finding('ok', 'qemu', { title: `QEMU ${facts.qemu.version}` });
  return [qemu, kvm[software.kvm], iommu];
}

/** Everything `doctor` has to say about a node: what is well, too. */
export function doctorFindings(report: ProbeReport, isLocal: boolean): Finding[] {
  const standing = standingFindings(report);
  const { facts } = report;
  const well: Finding[] = [];
  if (facts.clockSkewMs !== null && !standing.some(({ id }) => id === 'clock')) {
    well.push(finding('ok', 'clock', { title: 'The clock is right' }));
  }
  if (!standing.some(({ id }) => id.startsWith('disk-')) && facts.diskFreeBytes !== null) {
    well.push(finding('ok', 'disk', { title: `${gib(facts.diskFreeBytes)} of disk free` }));
  }
  if (facts.gpus.length > 0 && facts.gpuProblem === null) {
    well.push(
      finding('ok', 'gpus', {
        title: `${String(facts.gpus.length)} GPU${facts.gpus.length === 1 ? '' : 's'}`,
      }),
    );
  }
  const calm = dockerFinding(report).filter(({ level }) => level === 'ok' || level === 'info');
  return [
    ...standing,
    ...well,
    ...calm,
    ...processFindings(report),
    ...sshdFindings(report.software, isLocal),
    ...machineFindings(report),
  ];
}
