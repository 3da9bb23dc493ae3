import type { MetricsSample, NodeFacts, NodeView } from '../../../contract/node.ts';
import { isoTime, isoTimeOrNull } from '../text/time.ts';

/** A node as scripts read it (spec «Node JSON»). `usage` is null while nothing is measured. */
export function nodeJson(node: NodeView, sample: MetricsSample | undefined) {
  const { name, address, user, port, state, reason, labels, facts, allocated, drained } = node;
  return {
    name,
    address,
    user,
    port,
    state,
    reason,
    lastSeen: isoTimeOrNull(node.lastSeen),
    labels,
    facts: facts === null ? null : factsJson(facts),
    usage: sample === undefined ? null : usageJson(sample, facts),
    allocated: {
      cores: allocated.cores,
      memoryBytes: allocated.memoryBytes,
      gpus: allocated.gpus
        .map((gpu) => gpuIndex(facts, gpu.uuid))
        .filter((index) => index !== null)
        .sort((a, b) => a - b),
    },
    drained,
  };
}

export type NodeJson = ReturnType<typeof nodeJson>;

/** One moment of a node, a line of `node watch --json`. */
export function sampleJson(sample: MetricsSample, facts: NodeFacts | null) {
  return { at: isoTime(sample.at), ...usageJson(sample, facts) };
}

function factsJson(facts: NodeFacts) {
  const { os, kernel, arch, cores, memoryBytes, docker, qemu } = facts;
  return {
    os,
    kernel,
    arch,
    cores,
    memoryBytes,
    numa: facts.numa.map((numa) => ({
      id: numa.id,
      cores: numa.cores,
      memoryBytes: numa.memoryBytes,
    })),
    gpus: facts.gpus.map((gpu) => ({
      index: gpu.index,
      uuid: gpu.uuid,
      name: gpu.name,
      vendor: gpu.vendor,
      memoryBytes: gpu.memoryBytes,
      numa: gpu.numa,
      pciBusId: gpu.pciBusId,
    })),
    docker: docker === null ? null : { version: docker.version },
    qemu: qemu === null ? null : { version: qemu.version, kvm: qemu.kvm },
  };
}

function usageJson(sample: MetricsSample, facts: NodeFacts | null) {
  return {
    cpu: sample.cpu,
    memoryBytes: sample.memoryUsedBytes,
    gpus: sample.gpus.map((gpu) => ({
      index: gpuIndex(facts, gpu.uuid),
      utilization: gpu.utilization,
      memoryBytes: gpu.memoryBytes,
      temperatureC: gpu.temperatureC,
      powerW: gpu.powerW,
      foreign: gpu.foreign,
    })),
  };
}

/** The number people know a GPU by; null for one that was not there at the last look. */
export function gpuIndex(facts: NodeFacts | null, uuid: string): number | null {
  return facts?.gpus.find((gpu) => gpu.uuid === uuid)?.index ?? null;
}
