// Targets between the picker and the words of the contract: `node`, `node:numa`, `node::gpu,gpu`,
// `node:numa::gpu,gpu`. Only shapes them; whether they exist is the core's to say.

export interface TargetChoice {
  node: string;
  numa: number | null;
  gpus: readonly number[];
}

const pattern = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})(?::(\d+))?(?:::(\d+(?:,\d+)*))?$/;

/** Reads a target, or says nothing when it is none. */
export function parseTarget(text: string): TargetChoice | undefined {
  const match = pattern.exec(text.trim());
  const node = match?.[1];
  if (match === null || node === undefined) return undefined;
  return {
    node,
    numa: match[2] === undefined ? null : Number(match[2]),
    gpus: match[3] === undefined ? [] : match[3].split(',').map(Number),
  };
}

/** Writes a target, GPUs in order. */
export function targetText({ node, numa, gpus }: TargetChoice): string {
  const numaPart = numa === null ? '' : `:${String(numa)}`;
  const sorted = [...gpus].sort((a, b) => a - b);
  return `${node}${numaPart}${sorted.length === 0 ? '' : `::${sorted.join(',')}`}`;
}
