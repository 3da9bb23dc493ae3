// The curves of one node: the last hour live, two days or ninety from history. Columns rather than
// samples, as the charts want them.
import type { MetricsPoint, MetricsSample, MetricsSpan } from '../../src-main/contract/node.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

type Value = number | null;

export interface Curves {
  /** Milliseconds. */
  times: readonly number[];
  cpu: readonly Value[];
  memory: readonly Value[];
  diskRead: readonly Value[];
  diskWrite: readonly Value[];
  netIn: readonly Value[];
  netOut: readonly Value[];
  /** By GPU UUID. */
  gpus: ReadonlyMap<string, GpuCurves>;
}
export interface GpuCurves {
  use: readonly Value[];
  memory: readonly Value[];
  power: readonly Value[];
  temperature: readonly Value[];
}

const hourMs = 3_600_000;
/** New samples are drawn this often at most. */
const drawEveryMs = 500;

export class NodeMetrics {
  readonly #client: CoreClient;
  readonly #node: string;
  #span = $state<MetricsSpan>('1h');
  #points = $state.raw<readonly MetricsPoint[]>([]);
  #newest = $state.raw<MetricsSample | undefined>(undefined);
  #isLoading = $state(true);
  #problem = $state.raw<Problem | undefined>(undefined);
  #live: MetricsPoint[] = [];
  #feed: Disposable | undefined;
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly curves: Curves = $derived(toCurves(this.#points));

  constructor(client: CoreClient, node: string) {
    this.#client = client;
    this.#node = node;
  }

  get span(): MetricsSpan {
    return this.#span;
  }
  get newest(): MetricsSample | undefined {
    return this.#newest;
  }
  get isLoading(): boolean {
    return this.#isLoading;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Follows the node until disposed; the core samples it every second meanwhile. */
  start(): () => void {
    this.#feed = this.#client.feed<MetricsSample[], MetricsSample>(
      (api, signal) => api.nodes.watchMetrics({ node: this.#node }, { signal }),
      {
        onSnapshot: (samples) => {
          this.#live = samples.map(toPoint);
          this.#newest = samples.at(-1);
          this.#draw();
        },
        onChange: (sample) => {
          this.#newest = sample;
          this.#live.push(toPoint(sample));
          this.#timer ??= setTimeout(() => {
            this.#timer = undefined;
            this.#draw();
          }, drawEveryMs);
        },
        onError: (error) => {
          this.#problem = toProblem(error);
          this.#isLoading = false;
        },
      },
    );
    return () => {
      this.#feed?.[Symbol.dispose]();
      this.#abort?.abort();
      clearTimeout(this.#timer);
    };
  }

  async show(span: MetricsSpan): Promise<void> {
    this.#span = span;
    this.#abort?.abort();
    if (span === '1h') {
      this.#draw();
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#isLoading = true;
    try {
      const points = await this.#client.api.nodes.history(
        { node: this.#node, span },
        { signal: abort.signal },
      );
      if (!abort.signal.aborted) {
        this.#points = points;
        this.#problem = undefined;
      }
    } catch (error) {
      if (!abort.signal.aborted) this.#problem = toProblem(error);
    } finally {
      if (!abort.signal.aborted) this.#isLoading = false;
    }
  }

  #draw(): void {
    const newest = this.#live.at(-1)?.at ?? 0;
    const first = this.#live.findIndex(({ at }) => at >= newest - hourMs);
    if (first > 0) this.#live.splice(0, first);
    if (this.#span !== '1h') return;
    this.#points = [...this.#live];
    this.#isLoading = false;
    this.#problem = undefined;
  }
}

/** A sample as a point of history has it. */
export function toPoint(sample: MetricsSample): MetricsPoint {
  return {
    at: sample.at,
    cpu: sample.cpu,
    memoryUsedBytes: sample.memoryUsedBytes,
    diskReadBytesPerS: sample.diskReadBytesPerS,
    diskWriteBytesPerS: sample.diskWriteBytesPerS,
    netInBytesPerS: sample.netInBytesPerS,
    netOutBytesPerS: sample.netOutBytesPerS,
    gpus: Object.fromEntries(
      sample.gpus.map((gpu) => [
        gpu.uuid,
        [gpu.utilization, gpu.memoryBytes, gpu.powerW, gpu.temperatureC],
      ]),
    ),
  };
}

/** Points as columns. */
export function toCurves(points: readonly MetricsPoint[]): Curves {
  const uuids = new Set(points.flatMap(({ gpus }) => Object.keys(gpus)));
  const column = (index: 0 | 1 | 2 | 3, uuid: string) =>
    points.map(({ gpus }) => gpus[uuid]?.[index] ?? null);
  return {
    times: points.map(({ at }) => at),
    cpu: points.map(({ cpu }) => cpu),
    memory: points.map(({ memoryUsedBytes }) => memoryUsedBytes),
    diskRead: points.map(({ diskReadBytesPerS }) => diskReadBytesPerS),
    diskWrite: points.map(({ diskWriteBytesPerS }) => diskWriteBytesPerS),
    netIn: points.map(({ netInBytesPerS }) => netInBytesPerS),
    netOut: points.map(({ netOutBytesPerS }) => netOutBytesPerS),
    gpus: new Map(
      [...uuids].map((uuid) => [
        uuid,
        {
          use: column(0, uuid),
          memory: column(1, uuid),
          power: column(2, uuid),
          temperature: column(3, uuid),
        },
      ]),
    ),
  };
}
