// What the node and the GPUs of one attempt did while it ran: history for what is past, and live
// samples for as long as it goes on.
import type { MetricsPoint, MetricsSample, MetricsSpan } from '../../src-main/contract/node.ts';
import type { CoreClient } from '../lib/client.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';
import { toCurves, toPoint, type Curves } from './node-metrics.svelte.ts';

export interface RunOnNode {
  readonly node: string;
  readonly startedAt: number;
  /** Null while it runs. */
  readonly finishedAt: number | null;
}

const hourMs = 3_600_000;
/** New samples are drawn this often at most. */
const drawEveryMs = 1000;
/** A day of live samples, one a second, is more than a chart can show. */
const mostLive = 7200;

export class TaskUse {
  readonly #client: CoreClient;
  readonly #run: RunOnNode;
  #points = $state.raw<readonly MetricsPoint[]>([]);
  #isLoading = $state(true);
  #problem = $state.raw<Problem | undefined>(undefined);
  #past: readonly MetricsPoint[] = [];
  #live: MetricsPoint[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = new AbortController();

  readonly curves: Curves = $derived(toCurves(this.#points));

  constructor(client: CoreClient, run: RunOnNode) {
    this.#client = client;
    this.#run = run;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Reads what is past, and follows the node while the task runs. Ends when called back. */
  start(now: number): () => void {
    void this.#readPast(now);
    const feed = this.#run.finishedAt === null ? this.#follow() : undefined;
    return () => {
      feed?.[Symbol.dispose]();
      clearTimeout(this.#timer);
      this.#abort.abort();
    };
  }

  #follow(): Disposable {
    return this.#client.feed<MetricsSample[], MetricsSample>(
      (api, signal) => api.nodes.watchMetrics({ node: this.#run.node }, { signal }),
      {
        onSnapshot: (samples) => {
          this.#live = samples.map(toPoint);
          this.#draw();
        },
        onChange: (sample) => {
          this.#live.push(toPoint(sample));
          if (this.#live.length > mostLive) this.#live.splice(0, this.#live.length - mostLive);
          this.#timer ??= setTimeout(() => {
            this.#timer = undefined;
            this.#draw();
          }, drawEveryMs);
        },
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
  }

  async #readPast(now: number): Promise<void> {
    const { node, startedAt } = this.#run;
    const span = spanOf(now - startedAt);
    try {
      const { signal } = this.#abort;
      this.#past = await this.#client.api.nodes.history({ node, span }, { signal });
      this.#problem = undefined;
    } catch (error) {
      if (isAbort(error)) return;
      this.#problem = toProblem(error);
    }
    this.#isLoading = false;
    this.#draw();
  }

  /** Live samples are finer than history: they take over where they begin. */
  #draw(): void {
    const { startedAt, finishedAt } = this.#run;
    const liveFrom = this.#live[0]?.at ?? Infinity;
    const all = [...this.#past.filter(({ at }) => at < liveFrom), ...this.#live];
    this.#points = all.filter(({ at }) => at >= startedAt && at <= (finishedAt ?? Infinity));
  }
}

function spanOf(ageMs: number): MetricsSpan {
  if (ageMs <= hourMs) return '1h';
  return ageMs <= 48 * hourMs ? '2d' : '90d';
}
