// What a sync would do, told before it is started.
import { mostSyncSteps, type SyncPreview, type SyncStep } from '../../contract/sync.ts';
import type { TransferRequest } from '../../contract/transfers.ts';
import type { Root } from '../files/places.ts';
import { TransferError } from './errors.ts';
import { place } from './placing.ts';
import { listingOf, planSync, type SyncPlan } from './sync.ts';

export interface PreviewParts {
  readonly from: Root;
  readonly to: Root;
  readonly request: TransferRequest;
  readonly signal: AbortSignal;
  readonly limit: number;
  readonly isCaseBlind: boolean;
}

/** Looks as the transfer itself would, and decides as it would. @throws what would end it. */
export async function previewSync(parts: PreviewParts): Promise<SyncPreview> {
  const { to, request } = parts;
  const { sync } = request;
  if (sync === null) throw new TransferError('transfer/refused', 'This is no sync.');
  const isCaseBlind = parts.isCaseBlind && to.nodeId === undefined;
  const plan = await planSync({ ...parts, sync, isCaseBlind, onFound: () => undefined });
  const placing = await place(plan.scanned.sources, {
    files: listingOf(plan),
    target: { directory: plan.toPath, rename: null },
    // Whoever is asked wants to see what it is about.
    policy: request.conflicts === 'ask' ? 'overwrite' : request.conflicts,
    isAgain: false,
    isCaseBlind,
    same: plan.same,
  });
  const moved = placing.moves.flatMap(({ item, to: path }): SyncStep[] => {
    if (placing.present.has(path)) return [];
    const action = plan.there.has(path) ? 'replace' : 'add';
    return [{ action, path, kind: item.kind, size: item.size }];
  });
  const problems = [...plan.scanned.problems, ...placing.problems];
  return summary(plan, { moved, problems, same: placing.alreadyThere.length });
}

function summary(
  { fromPath, toPath, removals, ignored }: SyncPlan,
  found: { moved: SyncStep[]; problems: SyncPreview['problems']; same: number },
): SyncPreview {
  const { moved, problems, same } = found;
  // As the transfer has it: nothing is removed while something fails.
  const isWhole = !problems.some(({ outcome }) => outcome === 'failed');
  const removed = (isWhole ? removals : []).map(({ path, kind }): SyncStep => {
    return { action: 'remove', path, kind, size: 0 };
  });
  const steps = [...moved, ...removed].sort((a, b) => (a.path < b.path ? -1 : 1));
  const count = (action: SyncStep['action']) => steps.filter((one) => one.action === action).length;
  return {
    fromPath,
    toPath,
    counts: {
      add: count('add'),
      replace: count('replace'),
      remove: count('remove'),
      same,
      ignored,
    },
    bytes: moved.reduce((sum, { size }) => sum + size, 0),
    steps: steps.slice(0, mostSyncSteps),
    problems: problems.slice(0, mostSyncSteps),
  };
}
