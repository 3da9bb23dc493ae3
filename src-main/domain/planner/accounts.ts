// Who holds how much now, and who used how much lately: for fair share and caps.
import type { Holding, Lack, QueuedTask } from './model.ts';
import type { PlannerPolicy } from './policy.ts';

/** What is held now counts as if it ran on for this long: a newcomer does not get everything at once. */
const lookAheadSeconds = 600;

/** What decides between owners: faded use in weighed seconds, and what they hold now looked ahead. */
export function scoreOf(
  used: number,
  { gpus, cores }: { readonly gpus: number; readonly cores: number },
  gpuWeight: number,
): number {
  return used + (gpus * gpuWeight + cores) * lookAheadSeconds;
}

interface Account {
  running: number;
  gpus: number;
  cores: number;
}

const none: Account = { running: 0, gpus: 0, cores: 0 };
const noGroups: readonly string[] = [];

export class Accounts {
  readonly #owners = new Map<string, Account>();
  readonly #groups = new Map<string, number>();
  #usage: ReadonlyMap<string, number> = new Map();
  #policy: PlannerPolicy;

  constructor(policy: PlannerPolicy) {
    this.#policy = policy;
  }

  /** Starts anew under another policy: the caller counts all holdings again. */
  reset(policy: PlannerPolicy): void {
    this.#policy = policy;
    this.#owners.clear();
    this.#groups.clear();
  }

  /** Faded use until now by owner, in core-seconds; a GPU-second counts as `gpuWeight` of them. */
  setUsage(usage: ReadonlyMap<string, number>): void {
    this.#usage = usage;
  }

  add(held: Holding): void {
    this.#change(held, 1);
  }

  remove(held: Holding): void {
    this.#change(held, -1);
  }

  #change({ counted, place }: Holding, by: 1 | -1): void {
    if (counted == null) return;
    const account = this.#owners.get(counted.owner) ?? { ...none };
    account.running += by;
    account.gpus += by * place.gpus.length;
    account.cores += by * place.cores;
    if (account.running === 0) this.#owners.delete(counted.owner);
    else this.#owners.set(counted.owner, account);
    for (const group of this.groupsOf(counted)) {
      this.#groups.set(group, (this.#groups.get(group) ?? 0) + by);
    }
  }

  /** Less comes first. It rises as the owner's tasks are placed. */
  scoreOf(owner: string): number {
    if (!this.#policy.fairShare) return 0;
    return scoreOf(
      this.#usage.get(owner) ?? 0,
      this.#owners.get(owner) ?? none,
      this.#policy.gpuWeight,
    );
  }

  /** The capped labels a task has. */
  groupsOf({ labels }: Pick<QueuedTask, 'labels'>): readonly string[] {
    const { labelCaps } = this.#policy;
    if (labelCaps.length === 0) return noGroups;
    return labelCaps
      .filter(({ key, value }) => labels[key] === value)
      .map(({ key, value }) => `${key}=${value}`);
  }

  /** Caps that keep a task from starting now, whatever the nodes have. */
  lacksOf(task: Pick<QueuedTask, 'owner' | 'labels'>, gpuCount: number): readonly Lack[] {
    const { maxRunningPerOwner, maxGpusPerOwner, labelCaps } = this.#policy;
    if (maxRunningPerOwner + maxGpusPerOwner + labelCaps.length === 0) return [];
    const { running, gpus } = this.#owners.get(task.owner) ?? none;
    const lacks: Lack[] = [];
    const { owner } = task;
    if (maxRunningPerOwner > 0 && running >= maxRunningPerOwner) {
      lacks.push({ kind: 'owner-tasks', owner, held: running, most: maxRunningPerOwner });
    }
    if (maxGpusPerOwner > 0 && gpuCount > 0 && gpus + gpuCount > maxGpusPerOwner) {
      const amounts = { held: gpus, wanted: gpuCount, most: maxGpusPerOwner };
      lacks.push({ kind: 'owner-gpus', owner, ...amounts });
    }
    for (const { key, value, most } of labelCaps) {
      if (task.labels[key] !== value) continue;
      const held = this.#groups.get(`${key}=${value}`) ?? 0;
      if (held >= most) lacks.push({ kind: 'label-cap', label: `${key}=${value}`, held, most });
    }
    return lacks;
  }
}
