import type { Api } from '../../../contract/client.ts';
import type { MetricsSample, NodeView } from '../../../contract/node.ts';
import type { Call } from '../call.ts';
import { Screen } from '../screen.ts';
import { sampleJson } from '../shape/node-json.ts';
import { nodeText, sampleText } from '../text/node-text.ts';

/** What a node does, until interrupted: a picture on a terminal, elsewhere a line for each sample. */
export async function watchNode(call: Call, reference: string): Promise<void> {
  const core = await call.connect();
  const screen = new Screen(call.io.out);
  await core.throughLosses(async ({ api }) => {
    for await (const sample of samples(api, reference, call.signal)) {
      const node = await api.nodes.get({ node: reference });
      await show(call, screen, { node, sample });
    }
  });
}

async function show(
  call: Call,
  screen: Screen,
  moment: { node: NodeView; sample: MetricsSample },
): Promise<void> {
  const { node, sample } = moment;
  if (call.isJson) await call.line(sampleJson(sample, node.facts));
  else if (screen.isTerminal) {
    await screen.draw(nodeText(moment, { look: call.look, now: call.io.now() }));
  } else await call.io.out.write(`${sampleText(sample, node)}\n`);
}

/** The newest sample there is, then each new one. */
async function* samples(
  api: Api,
  node: string,
  signal: AbortSignal,
): AsyncGenerator<MetricsSample> {
  for await (const item of await api.nodes.watchMetrics({ node }, { signal })) {
    if (item.kind === 'change') yield item.value;
    else {
      const newest = item.value.at(-1);
      if (newest !== undefined) yield newest;
    }
  }
}
