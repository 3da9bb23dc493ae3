// A node in words: how it is reached, what it is, what GPUs it has.
import type { NodeFacts, NodeView } from '../../src-main/contract/node.ts';
import { formatBytes } from './format.ts';
import { nodes as words } from './texts/nodes.ts';

/** How it is reached: `river@10.0.0.12:2222 through gate`. */
export function reachLine(node: NodeView): string {
  if (node.local) return words.local;
  const port = node.port === null || node.port === 22 ? '' : `:${node.port}`;
  const via = node.jumps.length === 0 ? '' : ` through ${node.jumps.join(', ')}`;
  return `${node.user === null ? '' : `${node.user}@`}${node.address ?? ''}${port}${via}`;
}

/** A GPU's name without what every one of its maker has in it. */
export function shortGpuName(name: string): string {
  return name.replace(/^(NVIDIA|AMD)\s+/, '').replace(/^GeForce\s+/, '');
}

/** `8 × H100 80GB HBM3, 1 × RTX 4090`. */
export function gpuLine(facts: NodeFacts | null): string {
  const counts = new Map<string, number>();
  for (const { name } of facts?.gpus ?? []) {
    const short = shortGpuName(name);
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  if (counts.size === 0) return words.noGpus;
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
}

function dockerWords({ docker, dockerProblem }: NodeFacts): string {
  if (docker === null) return dockerProblem ?? 'not there';
  return `${docker.version}${docker.gpuRuntime ? ', with GPUs' : ''}`;
}

function processWords({ process, processLimits }: NodeFacts): string {
  if (!process) return 'no';
  return processLimits ? 'yes, with limits' : 'yes, without limits';
}

function processorWords({ cores, numa, cpuModel }: NodeFacts): string {
  const parts = numa.length > 1 ? ` in ${numa.length} NUMA nodes` : '';
  return `${cores} cores${parts}${cpuModel === null ? '' : `, ${cpuModel}`}`;
}

function clockWords({ clockSkewMs }: NodeFacts): string | undefined {
  if (clockSkewMs === null) return undefined;
  return Math.abs(clockSkewMs) < 1000 ? 'in step' : `${(clockSkewMs / 1000).toFixed(1)} s off`;
}

function qemuWords({ qemu }: NodeFacts): string | undefined {
  return qemu === null ? undefined : `${qemu.version}, ${qemu.kvm ? 'KVM' : 'without KVM'}`;
}

/** What is known of a node, for lists of words and values. */
export function factRows(facts: NodeFacts): { label: string; value: string | undefined }[] {
  return [
    { label: 'Host name', value: facts.hostname },
    { label: 'System', value: `${facts.os}, ${facts.kernel}, ${facts.arch}` },
    { label: 'Processor', value: processorWords(facts) },
    { label: 'Memory', value: formatBytes(facts.memoryBytes) },
    { label: 'GPUs', value: facts.gpuProblem ?? gpuLine(facts) },
    { label: 'Docker', value: dockerWords(facts) },
    { label: 'Processes', value: processWords(facts) },
    { label: 'QEMU', value: qemuWords(facts) },
    { label: 'Disk free', value: formatBytes(facts.diskFreeBytes) },
    { label: 'Clock', value: clockWords(facts) },
    { label: 'User', value: facts.user },
  ];
}
