// Telling a container that ended from one that was lost with its node. After a power cut the Engine
// only knows that it is gone: it then says exit code 255, which a command may also choose itself.
import type { NodeLink } from '../../link/node-link.ts';
import { readNodeScript } from '../node-scripts.ts';
import type { ObservedAttempt } from '../runtime.ts';

/** Since when a node and its Engine are up, by the node's clock, in milliseconds. Null: nobody knows. */
export interface EngineLife {
  readonly nodeSince: number | null;
  readonly engineSince: number | null;
}

/** What the Engine notes as the exit code of a container whose end it did not see. */
const unseenExit = 255;
/** What containers end with when a node is shut down in order: SIGKILL, SIGTERM. */
const shutdownExits: ReadonlySet<number> = new Set([137, 143]);
/** How long an orderly shutdown may take after it ended the containers: systemd's limit is 90 s. */
const shutdownMs = 120_000;
/** How long an Engine may take after its start until it has looked at all its containers. */
const restoreMs = 60_000;
/** The script tells whole seconds. */
const slackMs = 2000;

/** Asks the node. Needs its shell; where that or /proc is missing, nothing is known. */
export async function readEngineLife(link: NodeLink): Promise<EngineLife> {
  const result = await link.runScript(readNodeScript('docker-lives.sh'), [], { timeoutMs: 10_000 });
  const output = result.stdout.toString();
  const sinceOf = (what: string) => {
    const seconds = new RegExp(`^${what} (\\d{1,12})$`, 'm').exec(output)?.[1];
    return seconds === undefined ? null : Number(seconds) * 1000;
  };
  return { nodeSince: sinceOf('node'), engineSince: sinceOf('engine') };
}

/** Whether an end may be that of a node: only then the node has to be asked. */
export function mayBeLost({ condition }: ObservedAttempt): boolean {
  if (condition.kind !== 'ended' || condition.startedAt === null) return false;
  const { exitCode } = condition.end;
  return exitCode === unseenExit || (exitCode !== null && shutdownExits.has(exitCode));
}

/** The attempt with its end told as a loss, if that is what it was. */
export function toldAsLost(attempt: ObservedAttempt, life: EngineLife): ObservedAttempt {
  const { condition } = attempt;
  if (condition.kind !== 'ended' || condition.startedAt === null) return attempt;
  const { startedAt, finishedAt } = condition;
  const ran = { startedAt, finishedAt, isUnseen: condition.end.exitCode === unseenExit };
  const problem = lostWithNode(ran, life.nodeSince) ?? lostByEngine(ran, life.engineSince);
  if (problem === null) return attempt;
  const end = { exitCode: null, signal: null, oomKilled: false, lostWithNode: true } as const;
  return { ...attempt, condition: { ...condition, end, problem } };
}

interface Ran {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** The Engine did not see the end. */
  readonly isUnseen: boolean;
}

function lostWithNode({ startedAt, finishedAt, isUnseen }: Ran, since: number | null) {
  if (since === null || startedAt >= since) return null;
  const endedBefore = since - finishedAt;
  if (isUnseen)
    return endedBefore <= slackMs ? 'Lost with its node, which was restarted while it ran.' : null;
  return endedBefore > 0 && endedBefore <= shutdownMs
    ? 'Lost with its node, which was shut down while it ran.'
    : null;
}

function lostByEngine({ startedAt, finishedAt, isUnseen }: Ran, since: number | null) {
  if (!isUnseen || since === null || startedAt >= since) return null;
  const isWhenRestored = finishedAt >= since - slackMs && finishedAt <= since + restoreMs;
  return isWhenRestored
    ? 'Lost on its node: Docker was restarted there and found it gone; how it ended is unknown.'
    : null;
}
