import type { NodeView } from '../../../contract/node.ts';
import type { Call } from '../call.ts';
import { parseLabelChange, recordOf } from '../parse/pairs.ts';
import { reading } from '../parse/option.ts';
import { nodeJson } from '../shape/node-json.ts';
import { clean } from '../text/clean.ts';
import { labelsText, stateText } from '../text/node-text.ts';
import { withUsage } from '../usage-of-nodes.ts';

/** `drain`, `undrain`, `disable`, `enable`. */
export function changeNode(word: 'drain' | 'undrain' | 'disable' | 'enable') {
  return async (call: Call, reference: string): Promise<void> => {
    const { nodes } = await call.api();
    await answerChanged(call, await nodes[word]({ node: reference }));
  };
}

export async function renameNode(call: Call, reference: string, name: string): Promise<void> {
  const { nodes } = await call.api();
  await answerChanged(call, await nodes.rename({ node: reference, name }));
}

export async function labelNode(call: Call, reference: string, words: string[]): Promise<void> {
  const labels = recordOf(words.map(reading(parseLabelChange)));
  const { nodes } = await call.api();
  await answerChanged(call, await nodes.label({ node: reference, labels }));
}

export async function removeNode(
  call: Call<{ force?: boolean }>,
  reference: string,
): Promise<void> {
  const { nodes } = await call.api();
  const { left } = await nodes.remove({ node: reference, force: call.options.force === true });
  await call.answer(
    () => ({ node: reference, left }),
    () =>
      [`Removed ${reference}.`, ...left.map((thing) => `Left behind there: ${clean(thing)}`)]
        .join('\n')
        .concat('\n'),
  );
}

async function answerChanged(call: Call, node: NodeView): Promise<void> {
  if (call.isJson) {
    const [found] = await withUsage(await call.api(), [node]);
    await call.answer(
      () => nodeJson(node, found?.sample),
      () => '',
    );
    return;
  }
  const labels = labelsText(node.labels);
  await call.say(
    `${node.name}: ${stateText(node, (_tone, text) => text)}${labels === '' ? '' : `, labels ${clean(labels)}`}`,
  );
}
