// Making environments and keeping versions of them.
import { readFile } from 'node:fs/promises';
import type {
  EnvironmentBuild,
  EnvironmentChange,
  EnvironmentOrigin,
  EnvironmentView,
} from '../../../contract/environments.ts';
import { formatBytes } from '../../../domain/size.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean } from '../text/clean.ts';
import { isoTime } from '../text/time.ts';

export interface CreateOptions {
  from?: string;
  dockerfile?: string;
  node?: string;
  note?: string;
  wait: boolean;
}

export async function createEnvironment(call: Call<CreateOptions>, name: string): Promise<number> {
  const { node, note = '', wait } = call.options;
  const origin = await originOf(call.options);
  const { environments } = await call.api();
  const given = node === undefined ? {} : { node };
  let view = await environments.create({ name, origin, note, ...given });
  if (wait) view = await whenMade(call, view);
  await call.answer(
    () => environmentJson(view),
    () => `${madeText(view)}\n`,
  );
  return view.build?.state === 'failed' ? exitCodes.failed : exitCodes.done;
}

async function originOf({ from, dockerfile }: CreateOptions): Promise<EnvironmentOrigin> {
  if (from !== undefined && dockerfile === undefined) return { kind: 'image', reference: from };
  if (dockerfile !== undefined && from === undefined) {
    try {
      return { kind: 'dockerfile', text: await readFile(dockerfile, 'utf8') };
    } catch (error) {
      throw new UsageError(`${dockerfile} cannot be read.`, { cause: error });
    }
  }
  throw new UsageError('Say what it begins with: --from IMAGE or --dockerfile FILE.');
}

/** Shows how far it is, until it can be worked in or has failed. */
async function whenMade(call: Call, begun: EnvironmentView): Promise<EnvironmentView> {
  const { api } = await call.connect();
  let shown = '';
  for await (const item of await api.environments.watch(undefined, { signal: call.signal })) {
    const view = newestOf(item, begun.name);
    if (view?.build == null) continue;
    const { phase, state } = view.build;
    if (state !== 'preparing') return view;
    if (phase !== null && phase !== shown) await call.say(clean(phase));
    shown = phase ?? shown;
  }
  return begun;
}

type Item =
  | { kind: 'snapshot'; value: EnvironmentView[] }
  | { kind: 'change'; value: EnvironmentChange; seq: number };

function newestOf(item: Item, name: string): EnvironmentView | undefined {
  if (item.kind === 'snapshot') return item.value.find((view) => view.name === name);
  return 'upsert' in item.value && item.value.upsert.name === name ? item.value.upsert : undefined;
}

function madeText({ name, build }: EnvironmentView): string {
  if (build === null) return `${name} is not being made.`;
  const where = `on ${clean(build.node)}`;
  const texts: Record<EnvironmentBuild['state'], string> = {
    preparing: `${name} is being made ${where}.`,
    running: `${name} is ready ${where}. Work in it with: kohakuriver env shell ${name}`,
    stopped: `The container of ${name} rests ${where}.`,
    built: `${name} is made ${where}. Keep it with: kohakuriver env save ${name}`,
    failed: `${name} failed ${where}: ${clean(build.problem ?? '')}`,
  };
  return texts[build.state];
}

export async function saveVersion(
  call: Call<{ tag: string; note?: string }>,
  environment: string,
): Promise<void> {
  const { tag, note = '' } = call.options;
  const made = await (await call.api()).environments.save({ environment, tag, note });
  await call.answer(
    () => ({ ...made, madeAt: isoTime(made.madeAt) }),
    () => `${made.image}  ${formatBytes(made.sizeBytes)}\n`,
  );
}

export async function startBuild(call: Call, environment: string): Promise<void> {
  await answer(call, await (await call.api()).environments.start({ environment }));
}

export async function stopBuild(call: Call, environment: string): Promise<void> {
  await answer(call, await (await call.api()).environments.stop({ environment }));
}

export async function discardBuild(call: Call, environment: string): Promise<void> {
  await answer(call, await (await call.api()).environments.discard({ environment }));
}

async function answer(call: Call, view: EnvironmentView): Promise<void> {
  await call.answer(
    () => environmentJson(view),
    () => `${madeText(view)}\n`,
  );
}

export function environmentJson({ createdAt, versions, deliveries, ...rest }: EnvironmentView) {
  return {
    ...rest,
    createdAt: isoTime(createdAt),
    versions: versions.map((one) => ({ ...one, madeAt: isoTime(one.madeAt) })),
    deliveries: deliveries.map((one) => ({ ...one, createdAt: isoTime(one.createdAt) })),
  };
}
