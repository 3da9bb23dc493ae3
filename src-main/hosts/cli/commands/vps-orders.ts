import type { VpsView } from '../../../contract/vps.ts';
import type { Call } from '../call.ts';
import { CliError, UsageError } from '../errors.ts';
import { vpsJson } from '../shape/vps-json.ts';
import { vpsTable, vpsText } from '../text/vps-text.ts';

export async function listVps(call: Call): Promise<void> {
  const vpses = await (await call.api()).vps.list();
  await call.answer(
    () => vpses.map(vpsJson),
    () => vpsTable(vpses, { look: call.look, now: call.io.now() }),
  );
}

export async function showVps(call: Call, vps: string): Promise<void> {
  await answerVps(call, await (await call.api()).vps.get({ vps }));
}

export async function startVps(
  call: Call<{ now?: boolean; wait?: boolean }>,
  vps: string,
): Promise<void> {
  const { now = false, wait = false } = call.options;
  const view = await (await call.api()).vps.start({ vps, now });
  await finish(call, view, wait ? ['RUNNING', 'FAILED'] : undefined);
}

interface StopOptions {
  grace?: number;
  snapshot?: boolean;
  wait?: boolean;
}

export async function stopVps(call: Call<StopOptions>, vps: string): Promise<void> {
  const { snapshot, wait = false } = call.options;
  const view = await (
    await call.api()
  ).vps.stop({ vps, ...graceOf(call.options), ...given({ snapshot }) });
  await finish(call, view, wait ? ['STOPPED', 'FAILED'] : undefined);
}

export async function restartVps(call: Call<StopOptions>, vps: string): Promise<void> {
  await finish(call, await (await call.api()).vps.restart({ vps, ...graceOf(call.options) }));
}

export function orderVps(word: 'pause' | 'resume') {
  return async (call: Call, vps: string): Promise<void> => {
    await finish(call, await (await call.api()).vps[word]({ vps }));
  };
}

export async function renameVps(call: Call, vps: string, name: string): Promise<void> {
  await finish(call, await (await call.api()).vps.rename({ vps, name }));
}

interface UpdateOptions {
  cores?: number;
  memory?: number | null;
  snapshotOnStop?: boolean;
  snapshotOnRemove?: boolean;
  keepSnapshots?: number;
}

export async function updateVps(call: Call<UpdateOptions>, vps: string): Promise<void> {
  const {
    cores,
    memory: memoryBytes,
    snapshotOnStop,
    snapshotOnRemove,
    keepSnapshots,
  } = call.options;
  const snapshots = given({
    beforeStop: snapshotOnStop,
    beforeRemove: snapshotOnRemove,
    keep: keepSnapshots,
  });
  const changes = {
    ...given({ cores, memoryBytes }),
    ...(Object.keys(snapshots).length > 0 ? { snapshots } : {}),
  };
  if (Object.keys(changes).length === 0) {
    throw new UsageError('Say what is to change: --cores, --memory, or what becomes of snapshots.');
  }
  await finish(call, await (await call.api()).vps.update({ vps, ...changes }));
}

interface RemoveOptions {
  yes?: boolean;
  snapshot?: boolean;
}

export async function removeVps(call: Call<RemoveOptions>, vps: string): Promise<void> {
  const api = await call.api();
  const { name, id } = await api.vps.get({ vps });
  const { yes = false, snapshot } = call.options;
  const question = `Remove ${name} with everything on its disk?`;
  if (!yes && call.io.prompts !== undefined && !(await call.io.prompts.confirm(question))) {
    throw new CliError('conflict/state', 'Nothing was removed.');
  }
  if (!yes && call.io.prompts === undefined) {
    throw new UsageError(`Its disk goes with it: say so with --yes.`);
  }
  await api.vps.remove({ vps: id, ...given({ snapshot }) });
  await call.answer(
    () => ({ id, name }),
    () => `${name} is removed.\n`,
  );
}

/** The words of an order: what it led to, and where asked, only when it did. */
async function finish(
  call: Call,
  view: VpsView,
  awaited?: readonly VpsView['status'][],
): Promise<void> {
  const shown = awaited === undefined ? view : await waitFor(call, view, awaited);
  await call.answer(
    () => vpsJson(shown),
    () => `${shown.name} is ${shown.status}${shown.wish === null ? '' : ` (${shown.wish})`}.\n`,
  );
  if (awaited !== undefined && shown.status !== awaited[0]) {
    throw new CliError(
      'conflict/state',
      `${shown.name} is ${shown.status}: ${shown.reason ?? 'no reason is known'}`,
    );
  }
}

async function waitFor(
  call: Call,
  view: VpsView,
  awaited: readonly VpsView['status'][],
): Promise<VpsView> {
  const api = await call.api();
  if (awaited.includes(view.status) && view.status !== 'FAILED') return view;
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, call.signal]);
  try {
    for await (const item of await api.vps.watch(undefined, { signal })) {
      const seen =
        item.kind === 'snapshot'
          ? item.value.find(({ id }) => id === view.id)
          : 'upsert' in item.value && item.value.upsert.id === view.id
            ? item.value.upsert
            : undefined;
      if (seen !== undefined && awaited.includes(seen.status)) return seen;
    }
  } finally {
    abort.abort();
  }
  throw new CliError('conflict/state', `${view.name} was lost sight of.`);
}

async function answerVps(call: Call, vps: VpsView): Promise<void> {
  await call.answer(
    () => vpsJson(vps),
    () => vpsText(vps, { paint: call.paint, now: call.io.now() }),
  );
}

function graceOf({ grace }: StopOptions): { graceSeconds?: number } {
  return grace === undefined ? {} : { graceSeconds: Math.ceil(grace / 1000) };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
