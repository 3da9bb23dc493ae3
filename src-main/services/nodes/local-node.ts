// This computer as a node: there from the first start, reached without SSH.
import {
  arch,
  cpus,
  freemem,
  homedir,
  hostname,
  loadavg,
  release,
  totalmem,
  type,
  userInfo,
  version,
} from 'node:os';
import type { Instant } from '../../contract/ids.ts';
import type { MetricsSample, NodeFacts } from '../../contract/node.ts';
import { nodeNameFrom, uniqueName } from '../../domain/nodes/node-names.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import type { LocalHost, NodesParts } from './ports.ts';

/** The record of this computer at the first start, under its host name. */
export function localRecord(
  parts: Pick<NodesParts, 'newNodeId' | 'clock' | 'localHost'>,
  taken: readonly string[],
): NodeRecord {
  return {
    id: parts.newNodeId(),
    name: uniqueName(nodeNameFrom(parts.localHost.hostname), taken),
    local: true,
    address: null,
    auth: { kind: 'local', identityFile: null, password: null, passphrase: null },
    labels: {},
    drained: false,
    disabled: false,
    facts: null,
    addedAt: parts.clock.now(),
    lastSeen: null,
    removedAt: null,
  };
}

interface Ticks {
  readonly busy: number;
  readonly total: number;
}

function ticksOf({ times }: ReturnType<typeof cpus>[number]): Ticks {
  const total = times.user + times.nice + times.sys + times.idle + times.irq;
  return { total, busy: total - times.idle };
}

function share(before: Ticks | undefined, now: Ticks): number {
  const total = now.total - (before?.total ?? 0);
  return total <= 0 ? 0 : Math.min(1, Math.max(0, (now.busy - (before?.busy ?? 0)) / total));
}

/** This computer as Node.js sees it. Outside of Linux it runs containers only. */
export class ThisComputer implements LocalHost {
  readonly hostname = hostname();
  readonly hasScripts = process.platform === 'linux';
  #before: readonly Ticks[] = [];

  facts(): NodeFacts {
    return {
      hostname: this.hostname,
      machineId: null,
      bootId: null,
      os: `${type()} ${version()}`.slice(0, 100),
      kernel: release(),
      arch: arch(),
      cores: Math.max(1, cpus().length),
      cpuModel: cpus()[0]?.model ?? null,
      memoryBytes: totalmem(),
      numa: [],
      gpus: [],
      gpuProblem: null,
      docker: null,
      dockerProblem: null,
      qemu: null,
      process: false,
      processLimits: false,
      user: userInfo().username,
      home: homedir(),
      diskFreeBytes: null,
      clockSkewMs: 0,
    };
  }

  sample(at: Instant): MetricsSample {
    const now = cpus().map(ticksOf);
    const cpuPerCore = now.map((ticks, index) => share(this.#before[index], ticks));
    this.#before = now;
    return {
      at,
      cpu: cpuPerCore.reduce((sum, value) => sum + value, 0) / Math.max(1, cpuPerCore.length),
      cpuPerCore,
      load1: process.platform === 'win32' ? null : (loadavg()[0] ?? null),
      memoryUsedBytes: totalmem() - freemem(),
      memoryTotalBytes: totalmem(),
      swapUsedBytes: null,
      diskReadBytesPerS: null,
      diskWriteBytesPerS: null,
      netInBytesPerS: null,
      netOutBytesPerS: null,
      diskFreeBytes: null,
      temperatureC: null,
      gpus: [],
    };
  }
}
