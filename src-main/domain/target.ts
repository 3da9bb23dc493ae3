// Targets: where a task should run, in words. `node`, `node:numa`, `node::gpu,gpu`,
// `node:numa::gpu,gpu`. Node names hold no colon or comma (contract/ids.ts), so one pass decides.
import { nodeName } from '../contract/ids.ts';
import { TargetSyntaxError } from './errors.ts';

/** Where a task should run: `node`, `node:numa`, `node::gpu,gpu` or `node:numa::gpu,gpu`. */
export interface Target {
  readonly node: string;
  readonly numa: number | null;
  /** GPU indices asked for; null when the target names none. */
  readonly gpus: readonly number[] | null;
}

const forms = 'write node, node:numa, node::gpu,gpu or node:numa::gpu,gpu';
const nameRule =
  'a node name has letters, digits, ".", "_" and "-", starts with a letter or digit and has at most 63 characters';
/** More than any machine has; keeps typing errors from becoming huge numbers. */
const largestIndex = 1023;

/**
 * Reads a target. Throws TargetSyntaxError with the position (from 1) of the fault and what would be
 * right: an empty part, a number that is none, a GPU named twice, a node name with wrong characters.
 */
export function parseTarget(text: string): Target {
  const firstColon = text.indexOf(':');
  const node = firstColon === -1 ? text : text.slice(0, firstColon);
  checkNode(text, node);
  if (firstColon === -1) return { node, numa: null, gpus: null };
  const gpuMark = text.indexOf('::', firstColon);
  if (gpuMark === -1)
    return { node, numa: parseNuma(text, firstColon + 1, text.length), gpus: null };
  const numa = gpuMark === firstColon ? null : parseNuma(text, firstColon + 1, gpuMark);
  return { node, numa, gpus: parseGpus(text, gpuMark + 2) };
}

/** Writes a target so that `parseTarget` reads the same again. */
export function formatTarget(target: Target): string {
  const numa = target.numa === null ? '' : `:${String(target.numa)}`;
  const gpus = target.gpus === null ? '' : `::${target.gpus.join(',')}`;
  return `${target.node}${numa}${gpus}`;
}

function checkNode(text: string, node: string): void {
  const fault = (position: number, what: string, right: string) =>
    new TargetSyntaxError(text, { position, what, right });
  if (node === '') throw fault(1, 'the node name is missing', forms);
  if (nodeName.safeParse(node).success) return;
  const wrong = /^[^A-Za-z0-9]/.test(node) ? 0 : node.search(/[^A-Za-z0-9._-]/);
  if (wrong === -1) throw fault(64, 'the node name is too long', nameRule);
  throw fault(wrong + 1, `"${node.charAt(wrong)}" does not belong into a node name`, nameRule);
}

function parseNuma(text: string, start: number, end: number): number {
  const right = `the NUMA node is a number such as 0; ${forms}`;
  if (start === end) {
    throw new TargetSyntaxError(text, {
      position: start + 1,
      what: 'the NUMA node is missing',
      right,
    });
  }
  return parseIndex(text, { start, end, what: 'a NUMA node', right });
}

function parseGpus(text: string, start: number): readonly number[] {
  const right = 'GPUs are numbers with commas between, such as 0,1, each once';
  const gpus: number[] = [];
  let at = start;
  while (at <= text.length) {
    const comma = text.indexOf(',', at);
    const end = comma === -1 ? text.length : comma;
    const position = at + 1;
    if (at === end) {
      throw new TargetSyntaxError(text, { position, what: 'a GPU number is missing', right });
    }
    const gpu = parseIndex(text, { start: at, end, what: 'a GPU number', right });
    if (gpus.includes(gpu)) {
      throw new TargetSyntaxError(text, {
        position,
        what: `GPU ${String(gpu)} is named twice`,
        right,
      });
    }
    gpus.push(gpu);
    at = end + 1;
  }
  return gpus;
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly what: string;
  readonly right: string;
}

function parseIndex(text: string, { start, end, what, right }: Part): number {
  const word = text.slice(start, end);
  const wrong = word.search(/\D/);
  if (wrong !== -1) {
    const position = start + wrong + 1;
    throw new TargetSyntaxError(text, { position, what: `"${word}" is not ${what}`, right });
  }
  const index = Number(word);
  if (index > largestIndex) {
    throw new TargetSyntaxError(text, {
      position: start + 1,
      what: `${word} is too large for ${what}`,
      right,
    });
  }
  return index;
}
