import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import { RequestError } from '../contract/errors.ts';
import type { MetricsSample } from '../contract/node.ts';
import type { NodesService } from '../services/nodes/nodes-service.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `nodes`, on the nodes service. */
export function nodesRouter(nodes: NodesService) {
  const os = implement(contract.nodes).$context<WireContext>();
  const { calls } = nodes;
  return os.router({
    list: os.list.handler(() => nodes.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({ snapshot: () => nodes.list(), onDidChange: nodes.onDidChange, signal }),
    ),
    get: os.get.handler(({ input }) => calls.get(input)),
    inspectHost: os.inspectHost.handler(({ input }) => calls.inspectHost(input)),
    tryHost: os.tryHost.handler(({ input }) => calls.tryHost(input)),
    add: os.add.handler(({ input }) => calls.add(input)),
    sshConfigHosts: os.sshConfigHosts.handler(() => calls.sshConfigHosts()),
    drain: os.drain.handler(({ input }) => calls.drain(input)),
    undrain: os.undrain.handler(({ input }) => calls.undrain(input)),
    disable: os.disable.handler(({ input }) => calls.disable(input)),
    enable: os.enable.handler(({ input }) => calls.enable(input)),
    reconnect: os.reconnect.handler(({ input }) => calls.reconnect(input)),
    rename: os.rename.handler(({ input }) => calls.rename(input)),
    label: os.label.handler(({ input }) => calls.label(input)),
    remove: os.remove.handler(({ input }) => calls.remove(input)),
    doctor: os.doctor.handler(({ input }) => calls.doctor(input)),
    processes: os.processes.handler(({ input }) => calls.processes(input)),
    history: os.history.handler(({ input }) => calls.history(input)),
    watchUsage: os.watchUsage.handler(({ signal }) =>
      feedFrom({
        snapshot: () => nodes.newestSamples(),
        onDidChange: nodes.onDidSample,
        coalesce: ({ nodeId }) => nodeId,
        signal,
      }),
    ),
    watchMetrics: os.watchMetrics.handler(({ input, signal }) =>
      watchOne(nodes, input.node, signal),
    ),
  });
}

/** The samples of one node, which is measured every second while the feed is open. */
async function* watchOne(nodes: NodesService, reference: string, signal: AbortSignal | undefined) {
  const id = nodes.find(reference)?.id;
  if (id === undefined)
    throw new RequestError('not-found/node', `There is no node named ${reference}.`, {
      details: { node: reference },
    });
  using _watching = nodes.watchMetrics(id);
  yield* feedFrom<MetricsSample[], MetricsSample>({
    snapshot: () => nodes.samples(id),
    onDidChange: (listener) =>
      nodes.onDidSample(({ nodeId, sample }) => (nodeId === id ? listener(sample) : undefined)),
    signal,
  });
}
