// GPUs out of the probe's report: what nvidia-smi and the AMD driver say, and why they cannot be
// trusted where they do not answer sensibly.
import type { GpuFacts } from '../../contract/node.ts';
import type { PciDevice } from './parse-hardware.ts';
import { answerOf, linesOf, type Answer, type Sections } from './sections.ts';
import { cleanText, countOf, mebibytes, pciAddress } from './values.ts';

export interface GpuReport {
  readonly gpus: readonly GpuFacts[];
  /** A sentence when GPUs are unknown rather than absent. */
  readonly problem: string | null;
  /** GPUs that answer but should not be chosen: why, by UUID. */
  readonly ailing: ReadonlyMap<string, string>;
}

const maxGpus = 64;
/** What NVML and our own sources use; anything else would travel into requests to the Engine. */
const uuidForm = /^[A-Za-z0-9][A-Za-z0-9._-]{3,63}$/;

interface GpuRow {
  readonly gpu: GpuFacts;
  /** Why it should not be chosen. */
  readonly ailment: string | null;
}

/** Index, UUID and PCI address: without each of them a row names no GPU. */
function parseIdentity([number, uuid, , , bus]: readonly string[]) {
  const index = countOf(number);
  const pciBusId = pciAddress(bus);
  const isNamed = uuid !== undefined && uuidForm.test(uuid);
  if (index === null || index > 255 || !isNamed || pciBusId === null) return undefined;
  return { index, uuid, pciBusId };
}

function ailmentOf(memoryBytes: number | null, eccErrors: number): string | null {
  if (memoryBytes === null) return 'its memory cannot be read';
  if (eccErrors === 0) return null;
  return `${eccErrors} uncorrectable memory errors since the driver was loaded`;
}

/** Fields as the probe asks for them: MIG mode and ECC count only where the driver knows them. */
function parseNvidiaRow(line: string, pci: ReadonlyMap<string, PciDevice>): GpuRow | undefined {
  const fields = line.split(',').map((field) => field.trim());
  const identity = parseIdentity(fields);
  if (identity === undefined) return undefined;
  const [, , name, memory, , driver, mig, ecc] = fields;
  const memoryBytes = mebibytes(memory);
  const gpu: GpuFacts = {
    ...identity,
    name: cleanText(name) || 'NVIDIA GPU',
    vendor: 'nvidia',
    memoryBytes: memoryBytes ?? 0,
    numa: pci.get(identity.pciBusId)?.numa ?? null,
    driver: cleanText(driver, 32) || null,
    mig: mig === 'Enabled',
  };
  return { gpu, ailment: ailmentOf(memoryBytes, countOf(ecc) ?? 0) };
}

function refused(answer: Answer): string | null {
  switch (answer.code) {
    case 0:
      return null;
    // «No devices were found»: the driver is there and knows of none.
    case 6:
      return null;
    case 'timeout':
      return 'nvidia-smi does not answer; GPUs are unknown. A GPU may have hung: look at the kernel log (dmesg), reboot the node if it persists.';
    case 'unavailable':
      return 'nvidia-smi could not be asked because nothing can be written to /dev/shm, /tmp or the home directory; GPUs are unknown.';
    default: {
      const said = cleanText(
        answer.lines.find((line) => line.trim() !== '' && line !== 'retry'),
        200,
      );
      const words = said === '' ? '' : `: ${said.replace(/\.$/, '')}`;
      return `nvidia-smi failed with ${String(answer.code)}${words}. GPUs are unknown until it works again.`;
    }
  }
}

/** What nvidia-smi answered. One row that makes no sense makes the whole answer doubtful. */
export function parseNvidia(sections: Sections, pci: ReadonlyMap<string, PciDevice>): GpuReport {
  const answer = answerOf(sections, 'nvidia');
  if (answer === undefined) return { gpus: [], problem: null, ailing: new Map() };
  const failure = refused(answer);
  if (failure !== null || answer.code === 6)
    return { gpus: [], problem: failure, ailing: new Map() };

  const gpus = new Map<string, GpuFacts>();
  const ailing = new Map<string, string>();
  const retried = answer.lines.indexOf('retry');
  let problem: string | null = null;
  for (const line of answer.lines.slice(retried + 1)) {
    if (line.trim() === '') continue;
    const row = parseNvidiaRow(line, pci);
    const isKnown =
      row !== undefined &&
      (gpus.has(row.gpu.uuid) || [...gpus.values()].some((gpu) => gpu.index === row.gpu.index));
    if (row === undefined || isKnown || gpus.size >= maxGpus) {
      problem =
        'nvidia-smi answers, but not with a list of GPUs that makes sense; what it named otherwise is shown and not used.';
      continue;
    }
    gpus.set(row.gpu.uuid, row.gpu);
    if (row.ailment !== null) ailing.set(row.gpu.uuid, row.ailment);
  }
  return { gpus: [...gpus.values()].sort((a, b) => a.index - b.index), problem, ailing };
}

/** Market names by PCI address, from whatever shape of JSON amd-smi or rocm-smi printed. */
function amdNames(sections: Sections): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const answer = answerOf(sections, 'amd-names');
  if (answer?.code !== 0) return names;
  const visit = (value: unknown, depth: number) => {
    if (typeof value !== 'object' || value === null || depth > 6) return;
    const flat = Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === 'object' && inner !== null
          ? Object.entries(inner as object)
          : [[key, inner as unknown]],
      ),
    ) as Record<string, unknown>;
    const address = pciAddress(textIn(flat, ['bdf', 'PCI Bus']));
    const name = cleanText(
      textIn(flat, ['market_name', 'Card Series', 'Card series', 'Card Model']),
    );
    if (address !== null && name !== '' && names.size < maxGpus) names.set(address, name);
    for (const inner of Object.values(value)) visit(inner, depth + 1);
  };
  try {
    visit(JSON.parse(answer.lines.join('\n')), 0);
  } catch (error) {
    // Names are a nicety; sysfs already said what is there.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return names;
}

function textIn(record: Record<string, unknown>, keys: readonly string[]): string | undefined {
  const key = keys.find((candidate) => typeof record[candidate] === 'string');
  return key === undefined ? undefined : (record[key] as string);
}

/** A line `address vram unique-id device-id name…`; `-` where there is no such file. */
function parseAmdLine(
  line: string,
): Pick<GpuFacts, 'pciBusId' | 'uuid' | 'name' | 'memoryBytes'> | undefined {
  const [where, memory, id = '', model = '', ...words] = line.split(' ');
  const pciBusId = pciAddress(where);
  if (pciBusId === null) return undefined;
  return {
    pciBusId,
    uuid: /^[0-9a-f]{8,32}$/.test(id) ? `GPU-${id}` : `pci-${pciBusId}`,
    name:
      cleanText(words.join(' ')) ||
      (/^0x[0-9a-f]{4}$/.test(model) ? `AMD GPU ${model}` : 'AMD GPU'),
    memoryBytes: countOf(memory) ?? 0,
  };
}

/** AMD GPUs from sysfs, numbered in the order of their PCI addresses as ROCm does. */
export function parseAmd(
  sections: Sections,
  pci: ReadonlyMap<string, PciDevice>,
): readonly GpuFacts[] {
  const names = amdNames(sections);
  const driver = cleanText(linesOf(sections, 'amd-driver')[0], 32) || 'amdgpu';
  const gpus = new Map<string, GpuFacts>();
  for (const line of linesOf(sections, 'amd-sysfs').slice(0, maxGpus)) {
    const found = parseAmdLine(line);
    if (found === undefined) continue;
    const { pciBusId } = found;
    const isUnnamed = found.name.startsWith('AMD GPU');
    gpus.set(pciBusId, {
      ...found,
      name: isUnnamed ? (names.get(pciBusId) ?? found.name) : found.name,
      index: 0,
      vendor: 'amd',
      numa: pci.get(pciBusId)?.numa ?? null,
      driver,
      mig: false,
    });
  }
  const inOrder = [...gpus.values()].sort((a, b) => (a.pciBusId < b.pciBusId ? -1 : 1));
  return uniqueUuids(inOrder).map((gpu, index) => ({ ...gpu, index }));
}

/** A vendor's UUID given twice names nothing; the PCI address then does. */
function uniqueUuids(gpus: readonly GpuFacts[]): GpuFacts[] {
  const seen = new Set<string>();
  return gpus.map((gpu) => {
    const uuid = seen.has(gpu.uuid) ? `pci-${gpu.pciBusId}` : gpu.uuid;
    seen.add(uuid);
    return { ...gpu, uuid };
  });
}

/** Everything on the node. AMD GPUs are numbered after NVIDIA's where both are there. */
export function parseGpus(sections: Sections, pci: ReadonlyMap<string, PciDevice>): GpuReport {
  const nvidia = parseNvidia(sections, pci);
  const next = Math.max(-1, ...nvidia.gpus.map((gpu) => gpu.index)) + 1;
  const amd = parseAmd(sections, pci).map((gpu) => ({ ...gpu, index: gpu.index + next }));
  return { ...nvidia, gpus: [...nvidia.gpus, ...amd] };
}
