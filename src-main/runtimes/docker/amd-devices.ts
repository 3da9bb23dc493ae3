import type { NodeLink } from '../../link/node-link.ts';
import { readNodeScript } from '../node-scripts.ts';
import type { AttemptSpec } from '../runtime.ts';
import type { AmdDevice } from './container-config.ts';
import { ResourceAllocationError } from './errors.ts';

/**
 * The render devices of an attempt's AMD GPUs, found on the node by PCI address. Throws
 * ResourceAllocationError when one has none (the amdgpu driver is not loaded).
 */
export async function findAmdDevices(link: NodeLink, spec: AttemptSpec): Promise<AmdDevice[]> {
  const buses = spec.gpus.filter((gpu) => gpu.vendor === 'amd').map((gpu) => gpu.pciBusId);
  if (buses.length === 0) return [];
  const result = await link.runScript(readNodeScript('docker-amd.sh'), buses, {
    timeoutMs: 10_000,
  });
  return readAmdDevices(result.stdout.toString(), buses);
}

/** Reads the script's lines, `BUS PATH GROUP KFD_GROUP`, one for each GPU. */
export function readAmdDevices(output: string, buses: readonly string[]): AmdDevice[] {
  const lines = output.split('\n').map((line) => line.split(' '));
  return buses.map((bus) => {
    const [, path = '', ...groups] = lines.find(([of]) => of === bus) ?? [];
    if (!/^\/dev\/dri\/renderD\d{1,4}$/.test(path)) {
      throw new ResourceAllocationError(
        `The AMD GPU at ${bus} has no render device on the node. Is the amdgpu driver loaded?`,
        { details: { pciBusId: bus } },
      );
    }
    const isGroup = (text: string) => /^\d{1,10}$/.test(text);
    return { path, groupIds: [...new Set(groups.filter(isGroup).map(Number))] };
  });
}
