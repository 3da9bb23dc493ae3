// One frame of the metrics loop as counters. Rates need two of them: see metrics-sample.ts.
import { parseDf } from './parse-software.ts';
import { linesOf, type Sections } from './sections.ts';
import { countOf, kibibytes, numberWithin } from './values.ts';

/** Ticks a CPU has spent, since the boot. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** Bytes moved since the boot. */
export interface ByteCounters {
  readonly in: number;
  readonly out: number;
}

/** What a frame says, as the kernel counts it. */
export interface RawSample {
  /** Seconds since the boot: what rates are divided by, since the way here takes its own time. */
  readonly uptimeS: number;
  readonly cpu: CpuTicks;
  readonly cores: readonly CpuTicks[];
  readonly load1: number | null;
  readonly memoryTotalBytes: number;
  readonly memoryUsedBytes: number;
  readonly swapUsedBytes: number | null;
  readonly disk: ByteCounters;
  readonly net: ByteCounters;
  /** Null where this frame does not tell. */
  readonly diskFreeBytes: number | null;
  readonly temperatureC: number | null;
}

/** user nice system idle iowait irq softirq steal: guest time, which follows, is within user time. */
const tickFields = 8;

/**
 * A line of /proc/stat. By hand, because this is most of what the core parses: a frame has a line
 * for each CPU of a node. Undefined for a line with fewer than four numbers.
 */
function parseTicks(line: string): CpuTicks | undefined {
  let total = 0;
  let waiting = 0;
  let field = 0;
  let at = line.indexOf(' ');
  while (at >= 0 && at < line.length && field < tickFields) {
    while (line.charCodeAt(at) === 32) at++;
    const start = at;
    let value = 0;
    for (
      let digit = line.charCodeAt(at) - 48;
      digit >= 0 && digit <= 9;
      digit = line.charCodeAt(++at) - 48
    ) {
      value = value * 10 + digit;
    }
    if (at === start || value > Number.MAX_SAFE_INTEGER) break;
    total += value;
    // Idle and waiting for a disk.
    if (field === 3 || field === 4) waiting += value;
    field++;
  }
  return field < 4 ? undefined : { total, busy: total - waiting };
}

/** The CPUs one by one, from the lines after the first. */
function parseCores(lines: readonly string[]): CpuTicks[] {
  const cores: CpuTicks[] = [];
  for (const line of lines) {
    const ticks = line.startsWith('cpu') ? parseTicks(line) : undefined;
    if (ticks !== undefined) cores.push(ticks);
  }
  return cores;
}

function parseMemory(sections: Sections) {
  const values = new Map<string, number>();
  for (const line of linesOf(sections, 'meminfo')) {
    const parts = /^(\w+):\s+(\d+) kB/.exec(line);
    const bytes = kibibytes(parts?.[2]);
    if (parts?.[1] !== undefined && bytes !== null) values.set(parts[1], bytes);
  }
  const total = values.get('MemTotal') ?? 0;
  // MemAvailable came with Linux 3.14.
  const available =
    values.get('MemAvailable') ?? (values.get('MemFree') ?? 0) + (values.get('Cached') ?? 0);
  const swapTotal = values.get('SwapTotal');
  const swapFree = values.get('SwapFree');
  return {
    memoryTotalBytes: total,
    memoryUsedBytes: Math.max(0, total - available),
    swapUsedBytes:
      swapTotal === undefined || swapFree === undefined ? null : Math.max(0, swapTotal - swapFree),
  };
}

const sectorBytes = 512;
/** Layers above real disks, whose bytes would be counted twice. */
const layeredDisk = /^(dm-|md\d|zram|sr\d|fd\d|loop|ram|nbd)/;

/** Whole disks only: `sda1` and `nvme0n1p2` are parts of what is listed too. */
function parseDisks(sections: Sections): ByteCounters {
  const disks = new Map<string, ByteCounters>();
  for (const line of linesOf(sections, 'diskstats')) {
    const fields = line.trim().split(/\s+/, 10);
    const name = fields[2];
    const read = countOf(fields[5]);
    const written = countOf(fields[9]);
    if (name === undefined || read === null || written === null || layeredDisk.test(name)) continue;
    disks.set(name, { in: read * sectorBytes, out: written * sectorBytes });
  }
  const isPart = (name: string) => {
    const whole = /^(.*?)p?\d+$/.exec(name)?.[1];
    return whole !== undefined && (disks.has(whole) || disks.has(name.replace(/\d+$/, '')));
  };
  return sum([...disks].filter(([name]) => !isPart(name)).map(([, counters]) => counters));
}

/** Bridges, tunnels and the node's ends of containers: their bytes pass a real interface too, or never leave. */
const virtualInterface =
  /^(lo|docker|br-|veth|virbr|vnet|tap|tun|wg|vxlan|flannel|cni|cali|bond|team|ifb|dummy|kohaku|vxkr)|\./;

function parseNet(sections: Sections): ByteCounters {
  const counters: ByteCounters[] = [];
  for (const line of linesOf(sections, 'net')) {
    const colon = line.indexOf(':');
    if (colon < 0 || virtualInterface.test(line.slice(0, colon).trim())) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/, 9);
    const received = countOf(fields[0]);
    const sent = countOf(fields[8]);
    if (received !== null && sent !== null) counters.push({ in: received, out: sent });
  }
  return sum(counters);
}

function sum(counters: readonly ByteCounters[]): ByteCounters {
  return counters.reduce((all, one) => ({ in: all.in + one.in, out: all.out + one.out }), {
    in: 0,
    out: 0,
  });
}

/** The hottest sensor of the CPU, in °C. */
function parseTemperature(sections: Sections): number | null {
  const degrees = linesOf(sections, 'temperatures').flatMap((line) => {
    const value = numberWithin(line.split(' ')[1], -50_000, 150_000);
    return value === null ? [] : [value / 1000];
  });
  return degrees.length === 0 ? null : Math.max(...degrees);
}

/** Undefined when the frame lacks what every Linux has. Never throws. */
export function parseTick(sections: Sections): RawSample | undefined {
  const uptimeS = numberWithin(linesOf(sections, 'uptime')[0]?.split(' ')[0], 0, 1e10);
  const [first, ...rest] = linesOf(sections, 'stat');
  const cpu = first?.startsWith('cpu ') === true ? parseTicks(first) : undefined;
  if (uptimeS === null || cpu === undefined) return undefined;
  return {
    uptimeS,
    cpu,
    cores: parseCores(rest),
    load1: numberWithin(linesOf(sections, 'loadavg')[0]?.split(' ')[0], 0, 1e6),
    ...parseMemory(sections),
    disk: parseDisks(sections),
    net: parseNet(sections),
    diskFreeBytes: parseDf(linesOf(sections, 'disk')[0])?.freeBytes ?? null,
    temperatureC: parseTemperature(sections),
  };
}
