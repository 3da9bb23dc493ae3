// Cores, memory, NUMA and PCI devices out of the probe's report.
import type { NumaFacts } from '../../contract/node.ts';
import { linesOf, type Sections } from './sections.ts';
import { countOf, cpuList, kibibytes, pciAddress } from './values.ts';

/** Logical CPUs; 1 where the node did not say. */
export function parseCores(sections: Sections): number {
  const cores = countOf(linesOf(sections, 'cores')[0]) ?? 1;
  return Math.min(Math.max(cores, 1), 8192);
}

/** Bytes of memory; 0 where the node did not say. */
export function parseMemory(sections: Sections): number {
  const line = linesOf(sections, 'memory').find((text) => text.startsWith('MemTotal:'));
  return kibibytes(/^MemTotal:\s+(\d+) kB$/.exec(line ?? '')?.[1]) ?? 0;
}

/** A line `id memory-in-KiB cpu-list`; the list is empty for a node that is memory only. */
function parseNumaLine(line: string): NumaFacts | undefined {
  const [number, memory, cpus = ''] = line.trimEnd().split(' ');
  const id = countOf(number);
  if (id === null || id > 4096) return undefined;
  return { id, cores: cpuList(cpus), memoryBytes: kibibytes(memory) ?? 0 };
}

/**
 * NUMA nodes by number. A single one stands for the whole machine, whatever the kernel says of it:
 * under memory hot-plug its own total is only what was there at boot.
 */
export function parseNuma(
  sections: Sections,
  totals: { cores: number; memoryBytes: number },
): NumaFacts[] {
  const nodes = new Map<number, NumaFacts>();
  for (const line of linesOf(sections, 'numa').slice(0, 256)) {
    const node = parseNumaLine(line);
    if (node !== undefined && !nodes.has(node.id)) nodes.set(node.id, node);
  }
  const [only, ...others] = [...nodes.values()].sort((a, b) => a.id - b.id);
  if (only === undefined) return [];
  if (others.length > 0) return [only, ...others];
  const cores = only.cores.length > 0 ? only.cores : [...Array(totals.cores).keys()];
  return [{ id: only.id, cores, memoryBytes: totals.memoryBytes }];
}

export interface PciDevice {
  readonly address: string;
  /** As sysfs writes it: `0x10de`. */
  readonly vendor: string;
  /** Null where the firmware does not say (`-1`). */
  readonly numa: number | null;
}

/** Display controllers and accelerators by PCI address. */
export function parsePci(sections: Sections): ReadonlyMap<string, PciDevice> {
  const devices = new Map<string, PciDevice>();
  for (const line of linesOf(sections, 'pci').slice(0, 512)) {
    const [where, vendor, , numa] = line.split(' ');
    const address = pciAddress(where);
    if (address === null || vendor === undefined || !/^0x[0-9a-f]{4}$/.test(vendor)) continue;
    devices.set(address, { address, vendor, numa: countOf(numa) });
  }
  return devices;
}
