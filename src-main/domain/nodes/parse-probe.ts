// The probe's report as facts. Whatever a node prints, the result is within the contract's schema.
import type { NodeFacts } from '../../contract/node.ts';
import { parseGpus } from './parse-gpus.ts';
import { parseCores, parseMemory, parseNuma, parsePci, type PciDevice } from './parse-hardware.ts';
import { parseSoftware, type Software } from './parse-software.ts';
import { linesOf, parseSections, wordsOf, type Sections } from './sections.ts';
import { cleanText, numberWithin } from './values.ts';

/** What a probe found: the facts that are kept, and what only findings are made of. */
export interface ProbeReport {
  readonly facts: NodeFacts;
  readonly software: Software;
  /** GPUs that should not be chosen: why, by UUID. */
  readonly ailingGpus: ReadonlyMap<string, string>;
  /** NVIDIA devices on the PCI bus, whether a driver drives them or not. */
  readonly nvidiaDevices: number;
  /** False when the report breaks off: some facts are then only defaults. */
  readonly isComplete: boolean;
}

export interface ProbeContext {
  /** Our clock when the report arrived; null leaves the skew unknown. */
  readonly arrivedAt: number | null;
}

const machineIdForm = /^[0-9a-f]{32}$/;
const bootIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function matching(text: string | undefined, form: RegExp): string | null {
  const value = text?.trim() ?? '';
  return form.test(value) ? value : null;
}

function parseOs(sections: Sections, system: string): string {
  for (const key of ['PRETTY_NAME', 'NAME']) {
    const line = linesOf(sections, 'os').find((text) => text.startsWith(`${key}=`));
    const name = cleanText(line?.slice(key.length + 1).replace(/^"|"$/g, ''), 100);
    if (name !== '') return name;
  }
  return system;
}

function parseSkew(sections: Sections, arrivedAt: number | null): number | null {
  const text = /^\d{9,11}(\.\d{1,9})?/.exec(linesOf(sections, 'clock')[0] ?? '')?.[0];
  const seconds = numberWithin(text, 0, 1e11);
  return seconds === null || arrivedAt === null ? null : Math.round(seconds * 1000 - arrivedAt);
}

function countNvidia(pci: ReadonlyMap<string, PciDevice>): number {
  return [...pci.values()].filter((device) => device.vendor === '0x10de').length;
}

/** Reads a probe's report. Never throws; what is missing or makes no sense gets a plain default. */
export function parseProbe(text: string, context: ProbeContext): ProbeReport {
  const sections = parseSections(text);
  const pci = parsePci(sections);
  const gpus = parseGpus(sections, pci);
  const software = parseSoftware(sections);
  const machine = parseMachine(sections);
  const onlyNuma = machine.numa.length === 1 ? (machine.numa[0]?.id ?? null) : null;
  return {
    facts: {
      ...parseHost(sections),
      ...machine,
      // On a machine of one NUMA node its GPUs belong to it, though firmware says -1.
      gpus: gpus.gpus.map((gpu) => ({ ...gpu, numa: gpu.numa ?? onlyNuma })),
      gpuProblem: gpus.problem,
      docker: null,
      dockerProblem: null,
      qemu:
        software.qemuVersion === null
          ? null
          : { version: software.qemuVersion, kvm: software.kvm === 'usable' },
      process: linesOf(sections, 'uname')[0] === 'Linux' && software.hasSetsid,
      processLimits: software.canLimitProcesses,
      diskFreeBytes: leastFree(software),
      clockSkewMs: parseSkew(sections, context.arrivedAt),
    },
    software,
    ailingGpus: gpus.ailing,
    nvidiaDevices: countNvidia(pci),
    isComplete: sections.has('end'),
  };
}

type HostFacts = 'hostname' | 'machineId' | 'bootId' | 'os' | 'kernel' | 'arch' | 'user' | 'home';

function parseHost(sections: Sections): Pick<NodeFacts, HostFacts> {
  const uname = linesOf(sections, 'uname').map((line) => cleanText(line, 100));
  const [system = '', kernel = '', arch = ''] = uname;
  const host = wordsOf(sections, 'host');
  const home = cleanText(host.get('home'), 1024);
  return {
    hostname: cleanText(host.get('hostname'), 255) || 'unknown',
    machineId: matching(linesOf(sections, 'machine-id')[0], machineIdForm),
    bootId: matching(linesOf(sections, 'boot-id')[0], bootIdForm),
    os: parseOs(sections, system) || 'unknown',
    kernel,
    arch,
    user: cleanText(host.get('user'), 64) || 'unknown',
    home: home.startsWith('/') ? home : '/',
  };
}

type MachineFacts = 'cores' | 'cpuModel' | 'memoryBytes' | 'numa';

function parseMachine(sections: Sections): Pick<NodeFacts, MachineFacts> {
  const cores = parseCores(sections);
  const memoryBytes = parseMemory(sections);
  return {
    cores,
    cpuModel: cleanText(linesOf(sections, 'cpu-model')[0], 200) || null,
    memoryBytes,
    numa: parseNuma(sections, { cores, memoryBytes }),
  };
}

/** Free where work is kept: the fuller one of home and Docker's directory. */
function leastFree({ homeDisk, dockerDisk }: Software): number | null {
  const free = [homeDisk, dockerDisk].flatMap((disk) => (disk === null ? [] : [disk.freeBytes]));
  return free.length === 0 ? null : Math.min(...free);
}
