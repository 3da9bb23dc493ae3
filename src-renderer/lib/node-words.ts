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

/** What is known of a node, for lists of words and values. */
export function factRows(
  facts: NodeFacts,
): { label: string; value: string | undefined; isCode?: boolean }[] {
  const numa = facts.numa.length > 1 ? ` in ${facts.numa.length} NUMA nodes` : '';
  return [
    { label: 'Host name', value: facts.hostname },
    { label: 'System', value: `${facts.os}, ${facts.kernel}, ${facts.arch}` },
    {
      label: 'Processor',
      value: `${facts.cores} cores${numa}${facts.cpuModel === null ? '' : `, ${facts.cpuModel}`}`,
    },
    { label: 'Memory', value: formatBytes(facts.memoryBytes) },
    { label: 'GPUs', value: facts.gpuProblem ?? gpuLine(facts) },
    {
      label: 'Docker',
      value:
        facts.docker === null
          ? (facts.dockerProblem ?? 'not there')
          : `${facts.docker.version}${facts.docker.gpuRuntime ? ', with GPUs' : ''}`,
    },
    {
      label: 'Processes',
      value: facts.process
        ? facts.processLimits
          ? 'yes, with limits'
          : 'yes, without limits'
        : 'no',
    },
    {
      label: 'QEMU',
      value:
        facts.qemu === null
          ? undefined
          : `${facts.qemu.version}${facts.qemu.kvm ? ', KVM' : ', without KVM'}`,
    },
    { label: 'Disk free', value: formatBytes(facts.diskFreeBytes) },
    {
      label: 'Clock',
      value:
        facts.clockSkewMs === null
          ? undefined
          : `${Math.abs(facts.clockSkewMs) < 1000 ? 'in step' : `${(facts.clockSkewMs / 1000).toFixed(1)} s off`}`,
    },
    { label: 'User', value: facts.user },
  ];
}
