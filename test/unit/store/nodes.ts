// Nodes and metrics to put into a store.
import type { MetricsPoint, NodeFacts } from '../../../src-main/contract/node.ts';
import type { NodeRecord } from '../../../src-main/store/node-rows.ts';
import { nodeOne, start } from './tasks.ts';

export const someFacts: NodeFacts = {
  hostname: 'n1',
  machineId: 'abc',
  bootId: null,
  os: 'Debian 12',
  kernel: '6.1',
  arch: 'x86_64',
  cores: 8,
  cpuModel: null,
  memoryBytes: 2 ** 35,
  numa: [{ id: 0, cores: [0, 1], memoryBytes: 2 ** 34 }],
  gpus: [],
  gpuProblem: null,
  docker: { version: '27', apiVersion: '1.47', gpuRuntime: false, cgroupVersion: null },
  dockerProblem: null,
  qemu: null,
  process: true,
  processLimits: false,
  user: 'anna',
  home: '/home/anna',
  diskFreeBytes: null,
  clockSkewMs: 1.5,
};

export function aNode(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    id: nodeOne,
    name: 'n1',
    local: false,
    address: {
      destination: { host: 'n1.lab' },
      resolved: { host: '10.0.0.1', port: 22, user: 'anna' },
      jumps: [{ host: 'gate', port: 2222 }],
      useSshConfig: true,
    },
    auth: { kind: 'agent-or-keys', identityFile: null, password: null, passphrase: null },
    labels: { gpu: 'a100' },
    drained: false,
    disabled: false,
    facts: null,
    addedAt: start,
    lastSeen: null,
    removedAt: null,
    ...changes,
  };
}

export function aPoint(at: number, changes: Partial<MetricsPoint> = {}): MetricsPoint {
  return {
    at,
    cpu: 0.1,
    memoryUsedBytes: 2 ** 40 + 1,
    diskReadBytesPerS: null,
    diskWriteBytesPerS: 0,
    netInBytesPerS: 1.5,
    netOutBytesPerS: null,
    gpus: { 'GPU-1': [0.5, 2 ** 33, null, 60] },
    ...changes,
  };
}
