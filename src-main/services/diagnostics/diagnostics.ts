// How the core feels, measured only while somebody looks.
import type { DiagnosticsReport, LinkReport } from '../../contract/diagnostics.ts';
import type { NodeId } from '../../contract/ids.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import type { Logger } from '../logger.ts';
import type { LinkStory } from '../nodes/link-story.ts';

const everyMs = 2_000;
/** Sizes change slowly, and adding up the logs reads every task. */
const sizesEveryMs = 30_000;
const pingEveryMs = 10_000;
const pingTimeoutMs = 5_000;

export interface DiagnosticsParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly runtime: DiagnosticsReport['runtime'];
  readonly links: () => readonly LinkStory[];
  readonly eventLoop: () => DiagnosticsReport['eventLoop'];
  readonly memory: () => DiagnosticsReport['memory'];
  /** CPU time of this process so far, in milliseconds. */
  readonly cpuMs: () => number;
  readonly sizes: () => Promise<DiagnosticsReport['kept']>;
}

export class Diagnostics implements Disposable {
  readonly #parts: DiagnosticsParts;
  readonly #changed = new Emitter<DiagnosticsReport>();
  readonly #roundTrips = new Map<NodeId, number>();
  #watchers = 0;
  #timer: Disposable | undefined;
  #sizes: { at: number; value: DiagnosticsReport['kept'] } | undefined;
  #pingedAt = -Infinity;
  #cpu: { at: number; ms: number } | undefined;

  constructor(parts: DiagnosticsParts) {
    this.#parts = parts;
  }

  /** A report every two seconds for as long as somebody listens. */
  readonly onDidChange: Event<DiagnosticsReport> = (listener) => {
    const listening = this.#changed.event(listener);
    this.#watchers += 1;
    this.#timer ??= this.#parts.timers.every(everyMs, () => void this.#tell());
    let isListening = true;
    return {
      [Symbol.dispose]: () => {
        if (!isListening) return;
        isListening = false;
        listening[Symbol.dispose]();
        this.#watchers -= 1;
        if (this.#watchers === 0) this.#rest();
      },
    };
  };

  async report(): Promise<DiagnosticsReport> {
    const { clock, runtime, links, eventLoop, memory } = this.#parts;
    const [kept] = await Promise.all([this.#sizesNow(), this.#ping()]);
    return {
      at: clock.now(),
      runtime,
      eventLoop: eventLoop(),
      memory: memory(),
      cpuShare: this.#cpuShare(),
      kept,
      links: links().map((story) => this.#linkReport(story)),
    };
  }

  [Symbol.dispose](): void {
    this.#rest();
  }

  #rest(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#cpu = undefined;
  }

  async #tell(): Promise<void> {
    try {
      this.#changed.emit(await this.report());
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'a report of how the core feels failed');
    }
  }

  #linkReport({ link, ...story }: LinkStory): LinkReport {
    return {
      ...story,
      authenticatedBy: link?.authenticatedBy ?? null,
      roundTripMs: link === undefined ? null : (this.#roundTrips.get(story.nodeId) ?? null),
      channels: link?.channels?.() ?? null,
    };
  }

  async #sizesNow(): Promise<DiagnosticsReport['kept']> {
    const now = this.#parts.clock.monotonic();
    if (this.#sizes === undefined || now - this.#sizes.at >= sizesEveryMs) {
      this.#sizes = { at: now, value: await this.#parts.sizes() };
    }
    return this.#sizes.value;
  }

  /** Asks every link for an answer. One that does not come leaves no figure; the link's own watch judges it. */
  async #ping(): Promise<void> {
    const { clock, links } = this.#parts;
    if (clock.monotonic() - this.#pingedAt < pingEveryMs) return;
    this.#pingedAt = clock.monotonic();
    await Promise.all(
      links().map(async ({ nodeId, link }) => {
        try {
          const ms = await link?.ping(pingTimeoutMs);
          if (ms === undefined) this.#roundTrips.delete(nodeId);
          else this.#roundTrips.set(nodeId, ms);
        } catch {
          this.#roundTrips.delete(nodeId);
        }
      }),
    );
  }

  #cpuShare(): number | null {
    const { clock, cpuMs } = this.#parts;
    const now = { at: clock.monotonic(), ms: cpuMs() };
    const before = this.#cpu;
    this.#cpu = now;
    if (before === undefined || now.at <= before.at) return null;
    return Math.max(0, (now.ms - before.ms) / (now.at - before.at));
  }
}
