// `image`: what lies on nodes, pulled and let go.
import type { Command } from 'commander';
import { pulledImage, type ImagePruneItem, type ImageView } from '../../../contract/images.ts';
import { formatBytes } from '../../../domain/size.ts';
import { agree } from '../agree.ts';
import type { Call, Runner } from '../call.ts';
import { CliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { ago, isoTime } from '../text/time.ts';
import { jsonLines } from './files.ts';

export function addImageCommands(program: Command, runner: Runner): void {
  const image = program.command('image').description('images on nodes');
  runner.action(
    image
      .command('list')
      .description(
        'names, sizes, and what uses them; of every node with Docker unless one is named',
      )
      .argument('[node]'),
    listImages,
  );
  runner.action(
    image
      .command('pull')
      .description('pull one, with the account that is kept for its registry')
      .argument('<reference>')
      .argument('[node...]', 'where (default: every node with Docker)'),
    pullImages,
  );
  runner.action(
    image
      .command('remove')
      .description('take a name away, and the image with its last one')
      .argument('<node>')
      .argument('<image>', 'a name, or an ID'),
    removeImage,
  );
  runner.action(
    image
      .command('prune')
      .description('remove what nothing uses, after it was shown')
      .argument('[node...]', 'where (default: every node with Docker)')
      .option('--unused', 'also images with a name; otherwise only those without')
      .option('--dry-run', 'only show them')
      .option('-y, --yes', 'do not ask'),
    pruneImages,
  );
}

async function withDocker(call: Call, named: readonly string[]): Promise<string[]> {
  if (named.length > 0) return [...named];
  const nodes = await (await call.api()).nodes.list();
  const able = nodes.filter(({ state, facts }) => state === 'online' && facts?.docker != null);
  if (able.length === 0) throw new CliError('conflict/state', 'No node with Docker is online.');
  return able.map(({ name }) => name);
}

/** Asks every node; one that does not answer is told of, and keeps nobody from the answers of the others. */
async function askAll<T>(
  call: Call,
  nodes: readonly string[],
  ask: (node: string) => Promise<readonly T[]>,
): Promise<{ found: { node: string; items: readonly T[] }[]; code: number }> {
  const found: { node: string; items: readonly T[] }[] = [];
  let code: number = exitCodes.done;
  const answers = await Promise.allSettled(nodes.map(ask));
  for (const [index, node] of nodes.entries()) {
    const answer = answers[index];
    if (answer?.status === 'fulfilled') found.push({ node, items: answer.value });
    else {
      const error: unknown = answer?.reason;
      if (nodes.length === 1 || call.signal.aborted || !(error instanceof Error)) throw error;
      code = exitCodes.failed;
      await call.say(clean(`${node}: ${error.message}`));
    }
  }
  return { found, code };
}

type Listed = ImageView & { node: string };

async function listImages(call: Call, node: string | undefined): Promise<number> {
  const { images } = await call.api();
  const nodes = await withDocker(call, node === undefined ? [] : [node]);
  const { found, code } = await askAll(call, nodes, (name) => images.list({ node: name }));
  const all = found.flatMap(({ node: name, items }) =>
    items.map((one) => ({ ...one, node: name })),
  );
  await call.answer(
    () => all.map((one) => ({ ...one, madeAt: isoTime(one.madeAt) })),
    () =>
      formatTable<Listed>(
        [
          { title: 'NODE', cell: (one) => clean(one.node) },
          { title: 'IMAGE', cell: nameCell, canShrink: true },
          { title: 'SIZE', cell: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
          { title: 'MADE', cell: ({ madeAt }) => ago(madeAt, call.io.now()) },
          { title: 'USED BY', cell: ({ usedBy }) => clean(usedBy.join(', ')), canShrink: true },
        ],
        all,
        call.look,
      ),
  );
  return code;
}

function nameCell({ id, names }: { id: string; names: readonly string[] }): string {
  return names.length === 0 ? `(no name) ${id.slice(7, 19)}` : clean(names.join(', '));
}

async function pullImages(
  call: Call,
  reference: string,
  named: readonly string[],
): Promise<number> {
  const nodes = await withDocker(call, named);
  const done = await Promise.all(nodes.map((node) => pullOn(call, reference, node)));
  await call.answer(
    () => done,
    () => done.map(({ node, id }) => (id === null ? '' : `${node}  ${id.slice(7, 19)}\n`)).join(''),
  );
  return done.every(({ id }) => id !== null) ? exitCodes.done : exitCodes.failed;
}

async function pullOn(
  call: Call,
  reference: string,
  node: string,
): Promise<{ node: string; id: string | null; problem: string | null }> {
  const { client } = await call.connect();
  const isShown = call.io.err.isTerminal && !call.isJson;
  try {
    const stream = client.openStream('images.pull', { node, reference }, { signal: call.signal });
    let id: string | null = null;
    for await (const line of jsonLines(stream)) {
      const said = pulledImage.parse(line);
      if ('id' in said) ({ id } = said);
      else if (isShown) await call.io.err.write(`\r\u001b[K${clean(`${node}: ${said.phase}`)}`);
    }
    if (isShown) await call.io.err.write('\r\u001b[K');
    return { node, id, problem: null };
  } catch (error) {
    if (call.signal.aborted || !(error instanceof Error)) throw error;
    await call.say(clean(`${node}: ${error.message}`));
    return { node, id: null, problem: error.message };
  }
}

async function removeImage(call: Call, node: string, image: string): Promise<void> {
  const gone = await (await call.api()).images.remove({ node, image });
  await call.answer(
    () => gone,
    () => '',
  );
}

type Prunable = ImagePruneItem & { node: string };

async function pruneImages(
  call: Call<{ unused?: boolean; dryRun?: boolean; yes?: boolean }>,
  named: readonly string[],
): Promise<number> {
  const { unused = false, dryRun = false } = call.options;
  const { images } = await call.api();
  const nodes = await withDocker(call, named);
  const { found: previews, code } = await askAll(call, nodes, (node) =>
    images.previewPrune({ node, unused }),
  );
  const shown = previews.flatMap(({ node, items }) => items.map((item) => ({ ...item, node })));
  if (dryRun || shown.length === 0) {
    await answerPrune(call, shown);
    return code;
  }
  await call.say(pruneText(call, shown));
  await agree(call, `Remove ${String(shown.length)} images?`);
  const done: Prunable[] = [];
  for (const { node, items } of previews.filter(({ items: all }) => all.length > 0)) {
    const ids = items.map(({ id }) => id);
    const gone = await images.prune({ node, unused, ids });
    done.push(...gone.map((item) => ({ ...item, node })));
  }
  await answerPrune(call, done);
  return code;
}

async function answerPrune(call: Call, items: readonly Prunable[]): Promise<void> {
  await call.answer(
    () => items,
    () => (items.length === 0 ? 'There is nothing to remove.\n' : pruneText(call, items)),
  );
}

function pruneText(call: Call, items: readonly Prunable[]): string {
  return formatTable<Prunable>(
    [
      { title: 'NODE', cell: ({ node }) => clean(node) },
      { title: 'IMAGE', cell: nameCell, canShrink: true },
      { title: 'FREES', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
      { title: 'STAYS', cell: ({ stays }) => clean(stays ?? ''), canShrink: true },
    ],
    items,
    call.look,
  );
}
