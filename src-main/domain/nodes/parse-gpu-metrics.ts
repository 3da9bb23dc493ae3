// A `@gpu` frame of the metrics loop: how each GPU is doing, and which processes are on it.
import { answerOf, linesOf, type Answer, type Sections } from './sections.ts';
import { cleanText, countOf, mebibytes, numberWithin, pciAddress } from './values.ts';

export interface RawGpuProcess {
  readonly pid: number;
  readonly user: string | null;
  readonly name: string;
  readonly memoryBytes: number | null;
  /** The container it runs in, as far as its cgroup tells. */
  readonly containerId: string | null;
}

export interface RawGpu {
  readonly utilization: number | null;
  readonly memoryBytes: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  readonly powerLimitW: number | null;
  readonly fanPercent: number | null;
  readonly eccErrors: number | null;
  readonly processes: readonly RawGpuProcess[];
}

export interface RawGpus {
  /** NVIDIA GPUs by UUID. */
  readonly nvidia: ReadonlyMap<string, RawGpu>;
  /** AMD GPUs by PCI address: sysfs knows no other name for them. */
  readonly amd: ReadonlyMap<string, RawGpu>;
  /** A sentence when nvidia-smi did not answer sensibly. */
  readonly problem: string | null;
}

const maxGpus = 64;
const maxProcesses = 256;

/** utilization.gpu and fan.speed in percent become 0…1 and 0…100 as the contract has them. */
function parseNvidia(
  fields: readonly (string | undefined)[],
  processes: readonly RawGpuProcess[],
): RawGpu {
  const percent = numberWithin(fields[1], 0, 100);
  return {
    utilization: percent === null ? null : percent / 100,
    memoryBytes: mebibytes(fields[2]),
    temperatureC: numberWithin(fields[3], -50, 200),
    powerW: numberWithin(fields[4], 0, 10_000),
    powerLimitW: numberWithin(fields[5], 0, 10_000),
    fanPercent: numberWithin(fields[6], 0, 200),
    eccErrors: countOf(fields[7]),
    processes,
  };
}

/** `pid owner cgroup-entry` lines. Docker's cgroups end in the container's ID, with or without a systemd scope around it. */
function parseOwners(sections: Sections) {
  const owners = new Map<number, { user: string | null; containerId: string | null }>();
  for (const line of linesOf(sections, 'owners')) {
    const [number, user, ...group] = line.split(' ');
    const pid = countOf(number);
    if (pid === null || owners.size >= maxProcesses) continue;
    const containerId =
      /(?:docker|libpod|crio|cri-containerd)[-/]([0-9a-f]{64})/.exec(group.join(' '))?.[1] ?? null;
    owners.set(pid, { user: user === '-' ? null : cleanText(user, 64) || null, containerId });
  }
  return owners;
}

function parseProcesses(sections: Sections): ReadonlyMap<string, readonly RawGpuProcess[]> {
  const owners = parseOwners(sections);
  const byGpu = new Map<string, Map<number, RawGpuProcess>>();
  for (const line of linesOf(sections, 'apps').slice(0, maxProcesses)) {
    const [uuid, number, memory, ...name] = line.split(',').map((field) => field.trim());
    const pid = countOf(number);
    if (uuid === undefined || uuid === '' || pid === null || pid > 2 ** 31) continue;
    const owner = owners.get(pid);
    const processes = byGpu.get(uuid) ?? new Map<number, RawGpuProcess>();
    byGpu.set(uuid, processes);
    processes.set(pid, {
      pid,
      user: owner?.user ?? null,
      name: cleanText(name.join(','), 200) || '?',
      memoryBytes: mebibytes(memory),
      containerId: owner?.containerId ?? null,
    });
  }
  return new Map([...byGpu].map(([uuid, processes]) => [uuid, [...processes.values()]]));
}

/** `address used busy temp1_input power1_average power1_cap pwm1`; `-` where there is no such file. */
function parseAmd(sections: Sections): ReadonlyMap<string, RawGpu> {
  const gpus = new Map<string, RawGpu>();
  for (const line of linesOf(sections, 'amd').slice(0, maxGpus)) {
    const [where, memory, busy, temperature, power, cap, fan] = line.split(' ');
    const address = pciAddress(where);
    if (address === null) continue;
    const percent = numberWithin(busy, 0, 100);
    gpus.set(address, {
      utilization: percent === null ? null : percent / 100,
      memoryBytes: countOf(memory),
      temperatureC: scaled(numberWithin(temperature, -50_000, 200_000), 1000),
      powerW: scaled(numberWithin(power, 0, 1e10), 1e6),
      powerLimitW: scaled(numberWithin(cap, 0, 1e10), 1e6),
      fanPercent: scaled(numberWithin(fan, 0, 255), 2.55),
      eccErrors: null,
      processes: [],
    });
  }
  return gpus;
}

function scaled(value: number | null, divisor: number): number | null {
  return value === null ? null : value / divisor;
}

/** 127: there is no nvidia-smi, which is no problem where there are only AMD GPUs; 6: no devices. */
const nothingThere: readonly Answer['code'][] = [127, 6];

function problemOf({ code }: Answer): string | null {
  if (code === 0 || nothingThere.includes(code)) return null;
  return code === 'timeout' ? 'nvidia-smi does not answer.' : `nvidia-smi fails with ${code}.`;
}

function parseNvidiaRows(
  sections: Sections,
  lines: readonly string[],
): ReadonlyMap<string, RawGpu> {
  const processes = parseProcesses(sections);
  const gpus = new Map<string, RawGpu>();
  for (const line of lines.slice(0, maxGpus)) {
    const fields = line.split(',').map((field) => field.trim());
    const uuid = fields[0] ?? '';
    if (fields.length < 7 || uuid === '' || gpus.has(uuid)) continue;
    gpus.set(uuid, parseNvidia(fields, processes.get(uuid) ?? []));
  }
  return gpus;
}

/** Reads a `@gpu` frame. Never throws. */
export function parseGpuFrame(sections: Sections): RawGpus {
  const answer = answerOf(sections, 'nvidia');
  const amd = parseAmd(sections);
  if (answer === undefined) return { nvidia: new Map(), amd, problem: null };
  const nvidia =
    answer.code === 0 ? parseNvidiaRows(sections, answer.lines) : new Map<string, RawGpu>();
  return { nvidia, amd, problem: problemOf(answer) };
}
