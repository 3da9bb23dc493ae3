// One look at a node: what it is, and what of it can be used.
import { AppError } from '../../contract/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import { parseProbe, type ProbeReport } from '../../domain/nodes/parse-probe.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { LocalHost } from './ports.ts';

/** What the vendor tools may take. Eight GPUs without the persistence daemon need several seconds. */
const toolLimitS = 10;
/** The script bounds itself; this is for a node that does not answer at all. */
const timeoutMs = 60_000;
const maxReportBytes = 1_048_576;

export interface ProbeParts {
  readonly clock: Clock;
  readonly readScript: (name: `${string}.sh`) => string;
}

/** Reads a node by one run of the probe script. Throws LinkError when it cannot be run at all. */
export async function probeNode(link: NodeLink, parts: ProbeParts): Promise<ProbeReport> {
  const result = await link.runScript(parts.readScript('probe.sh'), [String(toolLimitS)], {
    timeoutMs,
    maxOutputBytes: maxReportBytes,
  });
  return parseProbe(result.stdout.toString('utf8'), { arrivedAt: parts.clock.now() });
}

/** This computer where the script cannot run (macOS, Windows): what Node.js knows. */
export function probeLocalHost(host: LocalHost): ProbeReport {
  const empty = parseProbe('@end\n', { arrivedAt: null });
  return { ...empty, facts: host.facts() };
}

/** A sentence about a probe that failed. */
export function probeFailure(error: unknown): string {
  return error instanceof AppError
    ? error.message
    : 'The node could not be read. It is tried again by itself.';
}
