/** Describes a node's scripted GPUs and writes the text that `gpu/nvidia-smi` reads. */
import { randomUUID } from 'node:crypto';

/** One GPU. `fields` are nvidia-smi's own field names, for whatever has no property here. */
export interface Gpu {
  readonly uuid: string;
  readonly name: string;
  readonly memoryMiB: number;
  readonly fields?: Readonly<Record<string, string | number>>;
  readonly mig?: readonly { readonly profile: string; readonly uuid: string }[];
}

/** A compute process on a GPU. It is listed for as long as its pid exists, or always. */
export interface GpuProcess {
  readonly gpu: number | string;
  readonly pid: number;
  readonly name: string;
  readonly memoryMiB: number;
  readonly isListedOnlyWhileRunning?: boolean;
}

/** How nvidia-smi fails: it never ends, exits with a code and a text, prints rubbish, is slow, or is not there. */
export type GpuFault =
  | { readonly kind: 'hang' }
  | { readonly kind: 'exit'; readonly code: number; readonly text: string }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'slow'; readonly seconds: number }
  | { readonly kind: 'missing' };

export interface GpuDescription {
  readonly gpus: readonly Gpu[];
  readonly driverVersion?: string;
  readonly cudaVersion?: string;
  readonly processes?: readonly GpuProcess[];
  /** Links between GPUs by index, such as `{ '0-1': 'NV12' }`; others are SYS. */
  readonly links?: Readonly<Record<string, string>>;
  readonly fault?: GpuFault;
}

const MODELS = {
  A100: {
    name: 'NVIDIA A100-SXM4-80GB',
    memoryMiB: 81920,
    fields: { 'power.limit': '400.00', compute_cap: '8.0', 'mig.mode.current': 'Disabled' },
  },
  H100: {
    name: 'NVIDIA H100 80GB HBM3',
    memoryMiB: 81559,
    fields: { 'power.limit': '700.00', compute_cap: '9.0', 'mig.mode.current': 'Disabled' },
  },
  RTX4090: {
    name: 'NVIDIA GeForce RTX 4090',
    memoryMiB: 24564,
    fields: { 'power.limit': '450.00', compute_cap: '8.9', 'fan.speed': 30 },
  },
  RTX3090: {
    name: 'NVIDIA GeForce RTX 3090',
    memoryMiB: 24576,
    fields: { 'power.limit': '350.00', compute_cap: '8.6', 'fan.speed': 30 },
  },
  T4: {
    name: 'Tesla T4',
    memoryMiB: 15360,
    fields: { 'power.limit': '70.00', compute_cap: '7.5' },
  },
} as const;

export type GpuModel = keyof typeof MODELS;

/** `count` GPUs of a model, each with a new UUID. */
export function gpus(count: number, model: GpuModel): Gpu[] {
  return Array.from({ length: count }, () => ({ uuid: `GPU-${randomUUID()}`, ...MODELS[model] }));
}

/** Reads the shorthand of the command line, such as `2xA100` or `2xA100+1xT4`; throws on anything else. */
export function parseGpuShorthand(text: string): GpuDescription {
  const all = text.split('+').flatMap((part) => {
    const [, count, model] = /^(\d+)x(\w+)$/.exec(part) ?? [];
    if (count === undefined || model === undefined || !isModel(model)) {
      throw new Error(
        `"${part}" is not COUNTxMODEL with a model among ${Object.keys(MODELS).join(', ')}`,
      );
    }
    return gpus(Number(count), model);
  });
  return { gpus: all };
}

function isModel(text: string): text is GpuModel {
  return Object.hasOwn(MODELS, text);
}

/** The text of `/etc/testbed/gpus` for a description. */
export function renderGpus(description: GpuDescription): string {
  const { driverVersion, cudaVersion, fault } = description;
  return [
    ...(driverVersion === undefined ? [] : [`driver_version = ${driverVersion}`]),
    ...(cudaVersion === undefined ? [] : [`cuda_version = ${cudaVersion}`]),
    ...(fault === undefined ? [] : [`fault = ${renderFault(fault)}`]),
    ...description.gpus.flatMap(renderGpu),
    ...(description.processes ?? []).flatMap(renderProcess),
    '[topology]',
    ...Object.entries(description.links ?? {}).map(([pair, link]) => `${pair} = ${link}`),
    '',
  ].join('\n');
}

function renderFault(fault: GpuFault): string {
  switch (fault.kind) {
    case 'exit':
      return `exit ${String(fault.code)} ${fault.text}`;
    case 'slow':
      return `slow ${String(fault.seconds)}`;
    default:
      return fault.kind;
  }
}

function renderGpu(gpu: Gpu): string[] {
  const fields = { uuid: gpu.uuid, name: gpu.name, 'memory.total': gpu.memoryMiB, ...gpu.fields };
  if (gpu.mig !== undefined) Object.assign(fields, { 'mig.mode.current': 'Enabled' });
  return [
    '[gpu]',
    ...Object.entries(fields).map(([key, value]) => `${key} = ${String(value)}`),
    ...(gpu.mig ?? []).map(({ profile, uuid }) => `mig_device = ${profile} ${uuid}`),
  ];
}

function renderProcess(process: GpuProcess): string[] {
  return [
    '[process]',
    `gpu = ${String(process.gpu)}`,
    `pid = ${String(process.pid)}`,
    `name = ${process.name}`,
    `used_memory = ${String(process.memoryMiB)}`,
    ...(process.isListedOnlyWhileRunning === true ? ['while_running = yes'] : []),
  ];
}
