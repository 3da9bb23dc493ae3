// Means of each minute, gathered from the samples and written in batches.
import type { Instant, NodeId } from '../../contract/ids.ts';
import type { MetricsPoint, MetricsSample } from '../../contract/node.ts';
import type { Timers, Clock } from '../../domain/clock.ts';
import { meanOf } from '../../domain/nodes/rollup.ts';
import type { Logger } from '../logger.ts';
import type { MetricsRecords } from './ports.ts';

const minuteMs = 60_000;
/** Many nodes end their minutes at about the same time: one write for all of them. */
const writeEveryMs = 15_000;
const pruneEveryMs = 15 * minuteMs;

export interface UsageHistoryParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly records: MetricsRecords;
  /** Runs writes in one transaction. */
  readonly write: <T>(change: () => T) => T;
}

interface Minute {
  readonly at: Instant;
  readonly samples: MetricsSample[];
}

export class UsageHistory implements Disposable {
  readonly #parts: UsageHistoryParts;
  readonly #minutes = new Map<NodeId, Minute>();
  readonly #timers: Disposable[];
  #points: { node: NodeId; point: MetricsPoint }[] = [];

  constructor(parts: UsageHistoryParts) {
    this.#parts = parts;
    this.#timers = [
      parts.timers.every(writeEveryMs, () => this.flush()),
      parts.timers.every(pruneEveryMs, () => void this.#prune()),
    ];
  }

  add(node: NodeId, sample: MetricsSample): void {
    const at = sample.at - (sample.at % minuteMs);
    const minute = this.#minutes.get(node);
    if (minute?.at === at) {
      minute.samples.push(sample);
      return;
    }
    if (minute !== undefined) this.#close(node, minute);
    this.#minutes.set(node, { at, samples: [sample] });
  }

  forget(node: NodeId): void {
    this.#minutes.delete(node);
    this.#points = this.#points.filter((point) => point.node !== node);
  }

  /** Writes the minutes that are over. History that cannot be written is logged and dropped. */
  flush(): void {
    const points = this.#points;
    this.#points = [];
    if (points.length === 0) return;
    try {
      this.#parts.write(() => {
        for (const { node, point } of points) this.#parts.records.append(node, [point]);
      });
    } catch (error) {
      this.#parts.log.warn({ err: error, points: points.length }, 'metrics could not be written');
    }
  }

  /** Also writes the minutes under way. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const [node, minute] of this.#minutes) this.#close(node, minute);
    this.#minutes.clear();
    this.flush();
  }

  #close(node: NodeId, { at, samples }: Minute): void {
    const point = meanOf(samples, at);
    if (point !== undefined) this.#points.push({ node, point });
  }

  async #prune(): Promise<void> {
    try {
      await this.#parts.records.prune(this.#parts.clock.now());
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'old metrics could not be pruned');
    }
  }
}
