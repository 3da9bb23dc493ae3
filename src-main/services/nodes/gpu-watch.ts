// The GPUs of one node as they are seen while its link is open: readings, whose work is on them,
// and whether what nvidia-smi says can be relied on.
import type { GpuFacts, GpuSample } from '../../contract/node.ts';
import type { Clock } from '../../domain/clock.ts';
import { judgeGpu } from '../../domain/nodes/foreign-gpus.ts';
import { readingsByUuid } from '../../domain/nodes/metrics-sample.ts';
import type { RawGpu, RawGpus } from '../../domain/nodes/parse-gpu-metrics.ts';

/** nvidia-smi is given ten seconds; after this long without an answer its last one says nothing any more. */
const staleMs = 45_000;
/** One failure may be a hiccup (a driver busy with a reset); two in a row are a problem. */
const failuresThatCount = 2;

export interface GpuWatchParts {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly gpus: () => readonly GpuFacts[];
  /** GPUs that active attempts of this core hold, by UUID. */
  readonly held: () => ReadonlySet<string>;
}

export class GpuWatch {
  readonly #parts: GpuWatchParts;
  readonly #releasedAt = new Map<string, number>();
  #held: ReadonlySet<string>;
  #readings: ReadonlyMap<string, RawGpu> = new Map();
  #samples: readonly GpuSample[] = [];
  #eccErrors: ReadonlyMap<string, number> = new Map();
  #failures = 0;
  #lastProblem: string | null = null;
  #answeredAt: number;
  #tickedAt: number;

  constructor(parts: GpuWatchParts) {
    this.#parts = parts;
    this.#held = parts.held();
    this.#answeredAt = parts.clock.monotonic();
    this.#tickedAt = this.#answeredAt;
  }

  /** The rest of the metrics came: whether the GPUs keep up is told by it. True when the planner would see a difference. */
  noteTick(): boolean {
    const before = this.problem;
    this.#tickedAt = this.#parts.clock.monotonic();
    return before !== this.problem;
  }

  /** Takes an answer. True when the planner would see a difference. */
  take(raw: RawGpus): boolean {
    const before = this.#situation();
    this.#answeredAt = this.#parts.clock.monotonic();
    this.#failures = raw.problem === null ? 0 : this.#failures + 1;
    this.#lastProblem = raw.problem;
    this.#readings = readingsByUuid(this.#parts.gpus(), raw);
    this.#eccErrors = new Map(
      [...this.#readings].flatMap(([uuid, { eccErrors }]) =>
        eccErrors === null || eccErrors === 0 ? [] : [[uuid, eccErrors]],
      ),
    );
    this.#judge();
    return before !== this.#situation();
  }

  /** To be called when holdings changed. True when the planner would see a difference. */
  noteHoldings(): boolean {
    const before = this.#situation();
    const now = this.#parts.clock.monotonic();
    const held = this.#parts.held();
    for (const uuid of this.#held) if (!held.has(uuid)) this.#releasedAt.set(uuid, now);
    this.#held = held;
    // Only towards ours: what was just released is judged when it is seen the next time.
    this.#judge();
    return before !== this.#situation();
  }

  /** Readings in the order of the facts; none while they are too old to mean anything. */
  get samples(): readonly GpuSample[] {
    return this.#parts.clock.monotonic() - this.#answeredAt > staleMs ? [] : this.#samples;
  }

  /** Why GPUs count as unknown at the moment; null while all is well. */
  get problem(): string | null {
    if (this.#parts.gpus().every((gpu) => gpu.vendor !== 'nvidia')) return null;
    if (this.isSilent)
      return 'nvidia-smi has not answered for a while; GPUs are unknown until it does.';
    return this.#failures < failuresThatCount ? null : this.#lastProblem;
  }

  /** The rest of the metrics comes, and nvidia-smi has not answered for long. */
  get isSilent(): boolean {
    return this.#tickedAt - this.#answeredAt > staleMs;
  }

  /** ECC errors that came up since the probe, by UUID. */
  get eccErrors(): ReadonlyMap<string, number> {
    return this.#eccErrors;
  }

  #judge(): void {
    const ours = { held: this.#held, justReleased: this.#justReleased() };
    this.#samples = [...this.#readings].map(([uuid, raw]) => judgeGpu(uuid, raw, ours));
  }

  #justReleased(): ReadonlySet<string> {
    const limit = this.#parts.clock.monotonic() - 2 * this.#parts.intervalMs;
    for (const [uuid, at] of this.#releasedAt) if (at < limit) this.#releasedAt.delete(uuid);
    return new Set(this.#releasedAt.keys());
  }

  #situation(): string {
    const foreign = this.#samples.filter((gpu) => gpu.foreign).map((gpu) => gpu.uuid);
    return JSON.stringify([foreign, this.problem, [...this.eccErrors.keys()]]);
  }
}
