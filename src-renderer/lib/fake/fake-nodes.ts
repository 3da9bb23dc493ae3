// Sample nodes for the gallery and the tests: every state, GPUs of several kinds, foreign use.
import type { Finding, GpuFacts, NodeFacts, NodeView } from '../../../src-main/contract/node.ts';
import type { NodeId } from '../../../src-main/contract/ids.ts';

export const GiB = 2 ** 30;

interface NodeSketch {
  index: number;
  name: string;
  cores: number;
  memoryGiB: number;
  gpus?: { count: number; name: string; memoryGiB: number; amd?: boolean };
  numa?: number;
  now: number;
  over?: Partial<NodeView>;
  facts?: Partial<NodeFacts>;
}

export function nodeIdOf(index: number): NodeId {
  return `73205412345${String(10_000 + index)}` as NodeId;
}

export function gpuUuid(node: string, index: number): string {
  return `GPU-${node}-0000-4000-8000-${String(index).padStart(4, '0')}`;
}

function sketchGpus({ name, gpus, numa = 1 }: NodeSketch): GpuFacts[] {
  if (gpus === undefined) return [];
  const perNuma = Math.ceil(gpus.count / numa);
  return Array.from({ length: gpus.count }, (_, index) => ({
    index,
    uuid: gpuUuid(name, index),
    name: gpus.name,
    vendor: gpus.amd === true ? 'amd' : 'nvidia',
    memoryBytes: gpus.memoryGiB * GiB,
    numa: numa > 1 ? Math.floor(index / perNuma) : null,
    pciBusId: `0000:${(0x17 + index * 0x10).toString(16)}:00.0`,
    driver: gpus.amd === true ? '6.8.5' : '560.35.03',
    mig: false,
  }));
}

function sketchFacts(sketch: NodeSketch): NodeFacts {
  const { name, cores, memoryGiB, numa = 1 } = sketch;
  const perNuma = Math.floor(cores / numa);
  return {
    hostname: name,
    machineId: `${name}-machine`,
    bootId: `${name}-boot`,
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-28-amd64',
    arch: 'x86_64',
    cores,
    cpuModel:
      cores > 64 ? 'AMD EPYC 9354 32-Core Processor' : 'AMD Ryzen 9 7950X 16-Core Processor',
    memoryBytes: memoryGiB * GiB,
    numa: Array.from({ length: numa }, (_, id) => ({
      id,
      cores: Array.from({ length: perNuma }, (__, core) => id * perNuma + core),
      memoryBytes: (memoryGiB * GiB) / numa,
    })),
    gpus: sketchGpus(sketch),
    gpuProblem: null,
    docker: { version: '27.3.1', apiVersion: '1.47', gpuRuntime: true, cgroupVersion: '2' },
    dockerProblem: null,
    qemu: null,
    process: true,
    processLimits: true,
    user: 'river',
    home: '/home/river',
    diskFreeBytes: 812 * GiB,
    clockSkewMs: 12,
    ...sketch.facts,
  };
}

export function sketchNode(sketch: NodeSketch): NodeView {
  const { index, name, now } = sketch;
  return {
    id: nodeIdOf(index),
    name,
    local: false,
    address: `10.20.0.${10 + index}`,
    port: 22,
    user: 'river',
    jumps: [],
    auth: 'agent-or-keys',
    state: 'online',
    reasonKind: null,
    reason: null,
    drained: false,
    lastSeen: now - 800,
    addedAt: now - 40 * 86_400_000,
    labels: {},
    facts: sketchFacts(sketch),
    findings: [],
    allocated: { cores: 0, memoryBytes: 0, gpus: [] },
    activeTasks: 0,
    ...sketch.over,
  };
}

const noToolkit: Finding = {
  id: 'docker-gpu',
  level: 'warning',
  title: 'Docker cannot hand out GPUs',
  detail:
    'The NVIDIA container toolkit is not installed, so containers cannot be given GPUs. Processes can.',
  fix: 'sudo apt-get install -y nvidia-container-toolkit && sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker',
};
const xid: Finding = {
  id: `gpu-xid:${gpuUuid('gamma', 3)}`,
  level: 'error',
  title: 'GPU 3 reported Xid 79',
  detail: 'The GPU has fallen off the bus. It is left alone until the node is restarted.',
  fix: 'sudo reboot',
};
const skewed: Finding = {
  id: 'clock-skew',
  level: 'warning',
  title: 'The clock is 7 s ahead',
  detail: 'Times in logs of this node will look wrong.',
  fix: 'sudo timedatectl set-ntp true',
};
export const allWell: Finding = {
  id: 'ssh',
  level: 'ok',
  title: 'SSH: keys, 10 sessions a connection',
  detail: null,
  fix: null,
};

/** Six nodes: this computer, three workhorses, one drained, one offline with its reason. */
export function richNodes(now: number): NodeView[] {
  return [
    sketchNode({
      index: 0,
      name: 'desk',
      cores: 16,
      memoryGiB: 64,
      now,
      gpus: { count: 1, name: 'NVIDIA GeForce RTX 4090', memoryGiB: 24 },
      over: {
        local: true,
        address: null,
        port: null,
        user: null,
        auth: 'local',
        findings: [noToolkit],
      },
    }),
    sketchNode({
      index: 1,
      name: 'alpha',
      cores: 128,
      memoryGiB: 1024,
      numa: 2,
      now,
      gpus: { count: 8, name: 'NVIDIA H100 80GB HBM3', memoryGiB: 80 },
      over: { labels: { rack: 'a1', pool: 'training' }, findings: [allWell] },
    }),
    sketchNode({
      index: 2,
      name: 'beta',
      cores: 64,
      memoryGiB: 512,
      numa: 2,
      now,
      gpus: { count: 4, name: 'NVIDIA A100-SXM4-40GB', memoryGiB: 40 },
      over: { labels: { rack: 'a1' }, jumps: ['river@gate.lab:22'], findings: [skewed] },
    }),
    sketchNode({
      index: 3,
      name: 'gamma',
      cores: 64,
      memoryGiB: 256,
      now,
      gpus: { count: 4, name: 'NVIDIA RTX A6000', memoryGiB: 48 },
      over: { findings: [xid], auth: 'password' },
    }),
    sketchNode({
      index: 4,
      name: 'mi-rack-02',
      cores: 96,
      memoryGiB: 768,
      now,
      gpus: { count: 4, name: 'AMD Instinct MI210', memoryGiB: 64, amd: true },
      over: { drained: true, labels: { rack: 'b2' } },
    }),
    sketchNode({
      index: 5,
      name: 'old-faithful',
      cores: 32,
      memoryGiB: 128,
      now,
      gpus: { count: 2, name: 'Tesla V100-PCIE-16GB', memoryGiB: 16 },
      over: {
        state: 'offline',
        reasonKind: 'timeout',
        reason:
          'Nothing answered at 10.20.0.15 port 22 within 20 s. Check that the machine is on and the VPN is up; it is tried again by itself.',
        lastSeen: now - 3 * 3_600_000,
      },
    }),
  ];
}

/** A hundred nodes of eight GPUs. */
export function bigNodes(now: number): NodeView[] {
  return Array.from({ length: 100 }, (_, index) =>
    sketchNode({
      index,
      name: `gpu-${String(index + 1).padStart(3, '0')}`,
      cores: 128,
      memoryGiB: 1024,
      numa: 2,
      now,
      gpus: { count: 8, name: 'NVIDIA H100 80GB HBM3', memoryGiB: 80 },
      over:
        index % 37 === 36
          ? { state: 'offline', reasonKind: 'unreachable', reason: 'There is no route to it.' }
          : index % 23 === 22
            ? { drained: true }
            : {},
    }),
  );
}

/** Only this computer, without GPUs or Docker: the first start on a laptop. */
export function firstNodes(now: number): NodeView[] {
  return [
    sketchNode({
      index: 0,
      name: 'laptop',
      cores: 8,
      memoryGiB: 16,
      now,
      over: {
        local: true,
        address: null,
        port: null,
        user: null,
        auth: 'local',
        addedAt: now - 60_000,
      },
      facts: { docker: null, dockerProblem: 'Docker is not installed.', processLimits: false },
    }),
  ];
}
