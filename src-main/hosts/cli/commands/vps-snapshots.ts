// `vps snapshot …` and `vps clone`.
import type { SnapshotView } from '../../../contract/vps.ts';
import { formatBytes } from '../../../domain/size.ts';
import { agree } from '../agree.ts';
import type { Call } from '../call.ts';
import { vpsJson } from '../shape/vps-json.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { ago, isoTime } from '../text/time.ts';

function snapshotJson({ takenAt, ...rest }: SnapshotView) {
  return { ...rest, takenAt: isoTime(takenAt) };
}

export async function takeSnapshot(call: Call<{ note?: string }>, vps: string): Promise<void> {
  const { note = '' } = call.options;
  const made = await (await call.api()).vps.takeSnapshot({ vps, note });
  await call.answer(
    () => snapshotJson(made),
    () => `${made.tag}  ${formatBytes(made.addedBytes)}\n`,
  );
}

export async function listSnapshots(call: Call, vps: string): Promise<void> {
  const all = await (await call.api()).vps.snapshots({ vps });
  await call.answer(
    () => all.map(snapshotJson),
    () =>
      formatTable<SnapshotView>(
        [
          { title: 'TAG', cell: ({ tag }) => tag },
          { title: 'TAKEN', cell: ({ takenAt }) => ago(takenAt, call.io.now()) },
          { title: 'ADDS', cell: ({ addedBytes }) => formatBytes(addedBytes), align: 'right' },
          { title: 'IN ALL', cell: ({ totalBytes }) => formatBytes(totalBytes), align: 'right' },
          { title: 'NOTE', cell: ({ note }) => clean(note), canShrink: true },
        ],
        all,
        call.look,
      ),
  );
}

export async function restoreSnapshot(
  call: Call<{ yes?: boolean }>,
  vps: string,
  tag: string,
): Promise<void> {
  const { name } = await (await call.api()).vps.get({ vps });
  await agree(
    call,
    `Everything on the disk of ${name} since the snapshot ${tag} will be gone. Restore it?`,
  );
  const view = await (await call.api()).vps.restore({ vps, tag });
  await call.answer(
    () => vpsJson(view),
    () =>
      `${view.name} has the disk of ${tag} again. Start it with: kohakuriver vps start ${view.name}\n`,
  );
}

export async function deleteSnapshot(
  call: Call<{ yes?: boolean }>,
  vps: string,
  tag: string,
): Promise<void> {
  await agree(call, `Delete the snapshot ${tag}?`);
  await (await call.api()).vps.deleteSnapshot({ vps, tag });
  await call.answer(
    () => ({ tag }),
    () => `The snapshot ${tag} is deleted.\n`,
  );
}

export async function cloneVps(
  call: Call<{ name: string; snapshot?: string; node?: string }>,
  vps: string,
): Promise<void> {
  const { name, snapshot, node } = call.options;
  const made = await (
    await call.api()
  ).vps.clone({
    vps,
    name,
    ...(snapshot === undefined ? {} : { tag: snapshot }),
    ...(node === undefined ? {} : { node }),
  });
  await call.answer(
    () => vpsJson(made),
    () => `${made.name}  ${made.id}\n`,
  );
}
