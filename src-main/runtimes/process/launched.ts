// What this runtime itself launched and has heard of without a gap since: spares a look at the node
// for each. The files on the node stay the truth: whatever may have been missed is looked up there.
import type { CoreId, Instant } from '../../contract/ids.ts';
import type { AttemptSpec, ObservedAttempt } from '../runtime.ts';
import { usesOf } from './bundle.ts';
import { recorded, type ExitRecord } from './records.ts';

/** An attempt that was seen to end, or read as ended. An end is for good. */
export interface KnownEnd {
  readonly observed: ObservedAttempt;
  /** Nothing was printed: there is no need to look for a log. */
  readonly isSilent: boolean;
}

/** Each until its attempt is removed; this is for those that never are. */
const mostRemembered = 1000;

export class LaunchedAttempts {
  readonly #core: CoreId;
  readonly #running = new Map<string, ObservedAttempt & { readonly startedAt: Instant }>();
  readonly #ended = new Map<string, KnownEnd>();

  constructor(core: CoreId) {
    this.#core = core;
  }

  /** The end of an attempt, where it is known. */
  end(path: string): KnownEnd | undefined {
    return this.#ended.get(path);
  }

  /** An attempt that was launched here and would have been heard of. */
  running(path: string): ObservedAttempt | undefined {
    return this.#running.get(path);
  }

  /**
   * It is about to be launched, and its end would not be missed: it may be told before the launch is
   * answered. `root` is where the node keeps attempts.
   */
  begin(path: string, spec: AttemptSpec, { root, at }: { root: string; at: Instant }): void {
    if (this.#ended.has(path)) return;
    remember(this.#running, path, {
      core: this.#core,
      taskId: spec.taskId,
      attempt: spec.attempt,
      runtime: 'process',
      name: `${root}/tasks/${path}`,
      condition: { kind: 'running', startedAt: at },
      uses: usesOf(spec),
      owner: spec.owner,
      imageDigest: null,
      startedAt: at,
    });
  }

  /** The node told of an end. Of what was not launched here, only the node's files tell enough. */
  hear(path: string, exit: ExitRecord, { hasLog, now }: { hasLog: boolean; now: Instant }): void {
    const running = this.#running.get(path);
    if (running === undefined) return;
    const { startedAt, ...attempt } = running;
    this.#running.delete(path);
    const observed = { ...attempt, condition: recorded(exit, startedAt, now) };
    remember(this.#ended, path, { observed, isSilent: !hasLog });
  }

  /** The node's files say that it has ended. */
  found(path: string, observed: ObservedAttempt): void {
    this.#running.delete(path);
    remember(this.#ended, path, { observed, isSilent: false });
  }

  /** Something may have been missed. */
  reset(): void {
    this.#running.clear();
  }

  forget(path: string): void {
    this.#running.delete(path);
    this.#ended.delete(path);
  }
}

function remember<T>(map: Map<string, T>, path: string, value: T): void {
  map.set(path, value);
  if (map.size <= mostRemembered) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
