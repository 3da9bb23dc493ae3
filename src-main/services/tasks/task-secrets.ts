// Secret variables of tasks: values in the vault, names in the task. Kept per batch, so that a
// submission for many targets keeps each value once.
import type { BatchId } from '../../contract/ids.ts';
import type { Task } from '../../domain/task.ts';

/** The part of the vault used here. */
export interface ScopedVault {
  put(entry: { scope: string; name: string; value: string }): void;
  get(entry: { scope: string; name: string }): string | undefined;
}

export class TaskSecrets {
  readonly #vault: ScopedVault;

  constructor(vault: ScopedVault) {
    this.#vault = vault;
  }

  /** Stores values in the transaction of this turn. Throws VaultError where nothing secret can be kept. */
  keep(batchId: BatchId, values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values))
      this.#vault.put({ scope: scopeOf(batchId), name, value });
  }

  /** The values of a task's secret variables. */
  values(task: Task): Record<string, string> {
    const found = task.spec.secretEnvNames.map(
      (name) => [name, this.#vault.get({ scope: scopeOf(task.batchId), name })] as const,
    );
    return Object.fromEntries(
      found.filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }
}

function scopeOf(batchId: BatchId): string {
  return `batch/${batchId}`;
}
