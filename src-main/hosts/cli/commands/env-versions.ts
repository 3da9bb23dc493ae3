// Versions of environments: looked at, brought to nodes, let go.
import type {
  Delivery,
  EnvironmentPlace,
  EnvironmentVersion,
  EnvironmentView,
  PruneItem,
} from '../../../contract/environments.ts';
import { formatBytes } from '../../../domain/size.ts';
import { agree } from '../agree.ts';
import type { Call } from '../call.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { ago } from '../text/time.ts';
import { environmentJson } from './env-build.ts';

export async function listEnvironments(call: Call): Promise<void> {
  const all = await (await call.api()).environments.list();
  await call.answer(
    () => all.map(environmentJson),
    () =>
      all.length === 0
        ? 'There are no environments. Begin one with: kohakuriver env create NAME --from IMAGE\n'
        : formatTable<EnvironmentView>(
            [
              { title: 'NAME', cell: ({ name }) => name },
              { title: 'BEING MADE', cell: buildCell },
              { title: 'NEWEST', cell: (view) => newestCell(view, call.io.now()) },
              {
                title: 'VERSIONS',
                cell: ({ versions }) => String(versions.length),
                align: 'right',
              },
              { title: 'NOTE', cell: ({ note }) => clean(note), canShrink: true },
            ],
            all,
            call.look,
          ),
  );
}

function buildCell({ build }: EnvironmentView): string {
  return build === null ? '' : `${build.state} on ${clean(build.node)}`;
}

function newestCell({ versions: [newest] }: EnvironmentView, now: number): string {
  return newest === undefined ? '' : `${newest.tag}, ${ago(newest.madeAt, now)}`;
}

export async function showEnvironment(call: Call, environment: string): Promise<void> {
  const { environments } = await call.api();
  const view = await environments.get({ environment });
  const places = await environments.places({ environment });
  const on = ({ id }: EnvironmentVersion) =>
    places.filter(({ versionId }) => versionId === id).map(placeText);
  await call.answer(
    () => ({ ...environmentJson(view), places }),
    () =>
      formatTable<EnvironmentVersion>(
        [
          { title: 'IMAGE', cell: ({ image }) => image },
          { title: 'TAG', cell: ({ tag, isCurrent }) => (isCurrent ? tag : '') },
          { title: 'MADE', cell: ({ madeAt }) => ago(madeAt, call.io.now()) },
          { title: 'SIZE', cell: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
          { title: 'ON', cell: (version) => on(version).join(', '), canShrink: true },
          { title: 'NOTE', cell: ({ note }) => clean(note), canShrink: true },
        ],
        view.versions,
        call.look,
      ),
  );
}

function placeText({ node, usedBy }: EnvironmentPlace): string {
  return usedBy.length === 0 ? clean(node) : `${clean(node)} (used by ${String(usedBy.length)})`;
}

export async function distribute(
  call: Call<{ tag: string; wait: boolean }>,
  environment: string,
  nodes: readonly string[],
): Promise<number> {
  const { tag, wait } = call.options;
  const { environments } = await call.api();
  const asked = await environments.distribute({ environment, tag, nodes: [...nodes] });
  const ended = wait ? await whenDelivered(call, environment, asked) : asked;
  await call.answer(
    () => ended,
    () =>
      formatTable<Delivery>(
        [
          { title: 'NODE', cell: ({ node }) => clean(node) },
          { title: 'STATE', cell: ({ state }) => state },
          { title: 'SENT', cell: ({ movedBytes }) => formatBytes(movedBytes), align: 'right' },
          { title: 'LAYERS SENT', cell: ({ layersMoved }) => String(layersMoved), align: 'right' },
          { title: 'THERE BEFORE', cell: ({ layersThere }) => String(layersThere), align: 'right' },
          { title: 'HOW', cell: ({ words }) => clean(words), canShrink: true },
        ],
        ended,
        call.look,
      ),
  );
  return ended.some(({ state }) => state === 'failed') ? exitCodes.failed : exitCodes.done;
}

/** Tells how far they are until all have ended. */
async function whenDelivered(
  call: Call,
  environment: string,
  asked: readonly Delivery[],
): Promise<Delivery[]> {
  const { api } = await call.connect();
  const ids = new Set(asked.map(({ id }) => id));
  const said = new Map<string, string>();
  for await (const item of await api.environments.watch(undefined, { signal: call.signal })) {
    const views = item.kind === 'snapshot' ? item.value : [];
    const view =
      item.kind === 'change' && 'upsert' in item.value
        ? item.value.upsert
        : views.find(({ name }) => name === environment);
    if (view?.name !== environment) continue;
    const ours = view.deliveries.filter(({ id }) => ids.has(id));
    for (const one of ours) {
      const words = `${one.node}: ${one.words}`;
      if (said.get(one.id) !== words) await call.say(clean(words));
      said.set(one.id, words);
    }
    if (ours.every(({ state }) => state !== 'waiting' && state !== 'moving')) return ours;
  }
  return [...asked];
}

export async function removeEnvironment(
  call: Call<{ yes?: boolean }>,
  environment: string,
): Promise<void> {
  await agree(call, `Remove ${environment}, its container and all its images?`);
  const { left } = await (await call.api()).environments.remove({ environment });
  for (const what of left) await call.say(`Left behind: ${clean(what)}`);
  await call.answer(
    () => ({ name: environment, left }),
    () => '',
  );
}

export async function pruneVersions(
  call: Call<{ keep: number; dryRun?: boolean; yes?: boolean }>,
): Promise<void> {
  const { keep, dryRun = false } = call.options;
  const { environments } = await call.api();
  const items = await environments.previewPrune({ keep });
  const going = items.filter(({ stays }) => stays === null);
  if (dryRun || going.length === 0) {
    await answerPrune(call, items);
    return;
  }
  await call.say(pruneText(call, items));
  await agree(call, `Remove ${String(going.length)} of them?`);
  await answerPrune(call, await environments.prune({ keep }));
}

async function answerPrune(call: Call, items: readonly PruneItem[]): Promise<void> {
  await call.answer(
    () => items,
    () => (items.length === 0 ? 'There are no old versions.\n' : pruneText(call, items)),
  );
}

function pruneText(call: Call, items: readonly PruneItem[]): string {
  return formatTable<PruneItem>(
    [
      { title: 'IMAGE', cell: ({ image }) => image },
      { title: 'NODE', cell: ({ node }) => clean(node) },
      { title: 'FREES', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
      { title: 'STAYS', cell: ({ stays }) => clean(stays ?? ''), canShrink: true },
    ],
    items,
    call.look,
  );
}
