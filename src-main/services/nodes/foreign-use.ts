// What other cores hold on a node, from the labels of their work.
import type { CoreId } from '../../contract/ids.ts';
import type { ObservedAttempt } from '../../runtimes/runtime.ts';

export interface ForeignUse {
  readonly cores: number;
  readonly memoryBytes: number;
  /** By GPU: the owner or core that holds it. */
  readonly gpus: ReadonlyMap<string, string>;
}

export const noForeignUse: ForeignUse = { cores: 0, memoryBytes: 0, gpus: new Map() };

/** Sums up what attempts of other cores hold; ended ones hold nothing. */
export function foreignUseOf(attempts: readonly ObservedAttempt[], ours: CoreId): ForeignUse {
  const foreign = attempts.filter(
    ({ core, condition }) => core !== ours && condition.kind !== 'ended',
  );
  const gpus = new Map<string, string>();
  for (const { uses, owner, core } of foreign) {
    for (const uuid of uses.gpuUuids)
      gpus.set(uuid, owner ?? (core === null ? 'another core' : `core ${core}`));
  }
  return {
    cores: foreign.reduce((sum, { uses }) => sum + uses.cores, 0),
    memoryBytes: foreign.reduce((sum, { uses }) => sum + uses.memoryBytes, 0),
    gpus,
  };
}

/** Whether the planner would see a difference. */
export function isSameUse(a: ForeignUse, b: ForeignUse): boolean {
  return (
    a.cores === b.cores &&
    a.memoryBytes === b.memoryBytes &&
    a.gpus.size === b.gpus.size &&
    [...a.gpus].every(([uuid, by]) => b.gpus.get(uuid) === by)
  );
}
