// Sample VPSes: one of each kind worth looking at.
import type { NodeId, TaskId } from '../../../src-main/contract/ids.ts';
import type {
  SnapshotView,
  SshStatus,
  VpsSubmission,
  VpsUse,
  VpsView,
} from '../../../src-main/contract/vps.ts';

const minute = 60_000;
const gib = 2 ** 30;

const noSsh: SshStatus = {
  mode: 'disabled',
  state: 'off',
  problem: null,
  user: 'root',
  keyFingerprint: null,
  identityFile: null,
  hostKey: null,
  hostKeyFingerprint: null,
};

const withSsh: SshStatus = {
  ...noSsh,
  mode: 'generate',
  state: 'ready',
  keyFingerprint: 'SHA256:Vb0Z5cP7n6iUq8k3wJt1mYx2hLr4sD9fGa0eKo6pTQc',
  identityFile: '/home/mio/.ssh/id-kohakuriver-733054123400101',
  hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake',
  hostKeyFingerprint: 'SHA256:q4Hn8sY2kT5vB7xW0zC3mL6pR9dF1gJ4aE8uI2oQyNs',
};

/** A VPS as it is right after it was asked for. */
export function sketchVps(asked: VpsSubmission, index: number, now: number): VpsView {
  const id = String(733054123400101n + BigInt(index)) as TaskId;
  return {
    id,
    name: asked.name ?? `vps-${id.slice(-6)}`,
    status: 'PENDING',
    reason: null,
    phase: null,
    wish: null,
    busy: null,
    node: null,
    nodeId: null,
    target: asked.target,
    gpus: [],
    gpuRequest: asked.gpus,
    cores: asked.cores,
    memoryBytes: asked.memoryBytes,
    image: asked.vessel?.kind === 'image' ? asked.vessel.reference : 'debian:12',
    container: `kohakuriver-vps-${id}`,
    env: asked.env,
    secretEnvNames: Object.keys(asked.secretEnv),
    mounts: asked.mounts,
    ports: asked.ports,
    privileged: asked.privileged,
    labels: asked.labels,
    priority: asked.priority,
    ssh:
      asked.ssh.mode === 'disabled' ? noSsh : { ...noSsh, mode: asked.ssh.mode, state: 'waiting' },
    snapshots: asked.snapshots,
    snapshotProblem: null,
    health: null,
    hasDisk: false,
    attempt: 0,
    owner: asked.owner ?? 'mio',
    submittedAt: now,
    startedAt: null,
    stoppedAt: null,
    warnings: [],
  };
}

export function richVpses(now: number): VpsView[] {
  const base = (name: string, index: number): VpsView => ({
    ...sketchVps(
      {
        name,
        target: null,
        cores: 8,
        memoryBytes: 32 * gib,
        gpus: null,
        vessel: { kind: 'image', reference: 'pytorch/pytorch:2.5.1' },
        env: {},
        secretEnv: {},
        mounts: [],
        privileged: false,
        labels: {},
        priority: 0,
        onNodeLabels: {},
        avoidNodes: [],
        owner: 'mio',
        ports: [],
        ssh: { mode: 'disabled' },
        snapshots: { beforeStop: false, beforeRemove: false, keep: 3 },
      },
      index,
      now - (index + 1) * 400 * minute,
    ),
    node: 'alpha',
    nodeId: '7320541234510001' as NodeId,
    hasDisk: true,
    attempt: 1,
  });
  const healthy = {
    isCrashLooping: false,
    restarts: 0,
    lastExitCode: null,
    ip: '172.17.0.3',
    ports: [],
  };
  return [
    {
      ...base('anna-dev', 0),
      status: 'RUNNING',
      startedAt: now - 180 * minute,
      gpus: [{ uuid: 'GPU-alpha-0000-4000-8000-0000', index: 0 }],
      gpuRequest: { count: 1 },
      ssh: withSsh,
      health: {
        ...healthy,
        ports: [{ container: 8888, protocol: 'tcp', address: '0.0.0.0', host: 8888 }],
      },
      ports: [{ container: 8888, host: 8888, protocol: 'tcp', address: '0.0.0.0' }],
    },
    {
      ...base('ben-eval', 1),
      status: 'RUNNING',
      startedAt: now - 4 * minute,
      health: { ...healthy, isCrashLooping: true, restarts: 14, lastExitCode: 1 },
      ssh: {
        ...noSsh,
        mode: 'upload',
        state: 'failed',
        problem:
          'SSH could not be set up: the image has no SSH server, and no package manager to install one with. The VPS runs on without SSH; use a terminal of the app.',
      },
    },
    {
      ...base('notebooks', 2),
      status: 'STOPPED',
      reason: 'stopped by mio',
      stoppedAt: now - 900 * minute,
      startedAt: now - 4000 * minute,
    },
    {
      ...base('big-one', 3),
      status: 'PENDING',
      node: null,
      nodeId: null,
      hasDisk: false,
      attempt: 0,
      gpuRequest: { count: 4 },
    },
  ];
}

/** As if it were at work, each a little differently. */
export function fakeUse({ id, cores, memoryBytes }: VpsView, at: number): VpsUse {
  const part = 0.18 + (Number(id.slice(-2)) % 5) * 0.12;
  return {
    id,
    at,
    cores: cores * part,
    memoryBytes: (memoryBytes ?? gib) * (part + 0.2),
    processes: 23,
  };
}

export function fakeSnapshot(at: number): SnapshotView {
  const tag = String(Math.floor(at / 1000));
  return {
    tag,
    takenAt: at,
    note: '',
    addedBytes: 640 * 2 ** 20,
    totalBytes: 9 * gib,
    image: `kohakuriver-snapshot/vps-733054123400101:${tag}`,
  };
}

export function fakeSnapshots(now: number): SnapshotView[] {
  return [
    { ...fakeSnapshot(now - 40 * minute), note: 'before the driver update' },
    { ...fakeSnapshot(now - 3000 * minute), note: 'before it was stopped by mio' },
  ];
}
