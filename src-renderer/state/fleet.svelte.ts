// Every node and its newest sample, kept by two feeds. Samples are gauges: they are gathered and
// shown a few times a second, however many nodes send them, and followed only while somebody looks.
import { createSubscriber } from 'svelte/reactivity';
import type { NodeId } from '../../src-main/contract/ids.ts';
import type { MetricsSample, NodeView } from '../../src-main/contract/node.ts';
import type { CoreClient } from '../lib/client.ts';
import type { NodeChange, NodeUsage } from '../lib/contract-types.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

const showSamplesEveryMs = 250;

export class Fleet {
  readonly #client: CoreClient;
  #byId = $state.raw<ReadonlyMap<NodeId, NodeView> | undefined>(undefined);
  #samples = $state.raw<ReadonlyMap<NodeId, MetricsSample>>(new Map());
  #problem = $state.raw<Problem | undefined>(undefined);
  #pending = new Map<NodeId, MetricsSample>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** False until the first answer. */
  readonly isLoaded = $derived(this.#byId !== undefined);
  /** This computer first, then by name. */
  readonly nodes: readonly NodeView[] = $derived([...(this.#byId?.values() ?? [])].sort(byPlace));
  readonly online = $derived(this.nodes.filter(({ state }) => state === 'online'));
  readonly gpuCount = $derived(
    this.nodes.reduce((sum, { facts }) => sum + (facts?.gpus.length ?? 0), 0),
  );

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get problem(): Problem | undefined {
    return this.#problem;
  }

  get samples(): ReadonlyMap<NodeId, MetricsSample> {
    this.#followSamples();
    return this.#samples;
  }

  node(id: string): NodeView | undefined {
    return this.#byId?.get(id as NodeId);
  }

  /** By name or ID, as addresses of pages have it. */
  find(ref: string): NodeView | undefined {
    return this.node(ref) ?? this.nodes.find(({ name }) => name === ref);
  }

  /** Takes over what a call answered, so that it shows before the feed says it. */
  adopt(node: NodeView): void {
    this.#byId = new Map(this.#byId).set(node.id, node);
  }

  /** Follows the nodes until disposed. */
  start(): () => void {
    const nodes = this.#client.feed<NodeView[], NodeChange>(
      (api, signal) => api.nodes.watch(undefined, { signal }),
      {
        onSnapshot: (list) => {
          this.#byId = new Map(list.map((node) => [node.id, node]));
          this.#problem = undefined;
        },
        onChange: (change) => {
          const next = new Map(this.#byId);
          if ('upsert' in change) next.set(change.upsert.id, change.upsert);
          else next.delete(change.removed);
          this.#byId = next;
        },
        onError: (error) => this.#fail(error),
      },
    );
    return () => nodes[Symbol.dispose]();
  }

  /** Begins with the first effect that reads samples, and ends with the last one. */
  readonly #followSamples = createSubscriber(() => {
    const usage = this.#client.feed<NodeUsage[], NodeUsage>(
      (api, signal) => api.nodes.watchUsage(undefined, { signal }),
      {
        onSnapshot: (list) => {
          this.#samples = new Map(list.map(({ nodeId, sample }) => [nodeId, sample]));
        },
        onChange: ({ nodeId, sample }) => this.#gather(nodeId, sample),
        onError: (error) => this.#fail(error),
      },
    );
    return () => {
      usage[Symbol.dispose]();
      clearTimeout(this.#timer);
      this.#timer = undefined;
      // When somebody looks again they are old.
      this.#samples = new Map();
      this.#pending = new Map();
    };
  });

  #fail(error: unknown): void {
    this.#problem = toProblem(error);
  }

  #gather(id: NodeId, sample: MetricsSample): void {
    this.#pending.set(id, sample);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#samples = new Map([...this.#samples, ...this.#pending]);
      this.#pending = new Map();
    }, showSamplesEveryMs);
  }
}

function byPlace(a: NodeView, b: NodeView): number {
  if (a.local !== b.local) return a.local ? -1 : 1;
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}
