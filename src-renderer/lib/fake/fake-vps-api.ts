// The VPS part of the fake contract.
import { RequestError } from '../../../src-main/contract/errors.ts';
import {
  vpsSubmission,
  type VpsListChange,
  type VpsUse,
  type VpsView,
} from '../../../src-main/contract/vps.ts';
import type { StreamOptions } from '../../../src-main/contract/client.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import { snapshotFileName } from '../../../src-main/contract/snapshot-files.ts';
import type { Api, ByteReader } from '../client.ts';
import { answering, textOf } from './fake-bytes.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';
import { fakeSnapshot, fakeSnapshots, fakeUse, richVpses, sketchVps } from './fake-vpses.ts';

export function fakeVps(core: FakeCore): {
  api: Api['vps'];
  streams: Record<string, (input: never, options: StreamOptions) => ByteReader>;
} {
  let vpses = core.nodes.length === 0 ? [] : richVpses(core.now());
  const changed = new FakeSignal<VpsListChange>();
  const find = (ref: string): VpsView => {
    const found = vpses.find(({ id, name }) => id === ref || name === ref);
    if (found === undefined) throw new RequestError('not-found/vps', `There is no VPS ${ref}.`);
    return found;
  };
  const change = (ref: string, changes: Partial<VpsView>): VpsView => {
    const next = { ...find(ref), ...changes };
    vpses = vpses.map((each) => (each.id === next.id ? next : each));
    changed.emit({ upsert: next });
    return next;
  };
  const running = () => ({ status: 'RUNNING' as const, reason: null, startedAt: core.now() });
  const api: Api['vps'] = {
    create: async (input) => {
      const vps = sketchVps(vpsSubmission.parse(input), vpses.length, core.now());
      vpses = [vps, ...vpses];
      changed.emit({ upsert: vps });
      return { vps, privateKey: null, keyFile: null, warnings: [] };
    },
    list: async () => vpses,
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => vpses,
        subscribe: (push: (change: VpsListChange) => void) => changed.listen(push),
        signal: options?.signal,
      }),
    watchUse: async (_input, options) =>
      fakeFeed({
        snapshot: () =>
          vpses.filter(({ status }) => status === 'RUNNING').map((vps) => fakeUse(vps, core.now())),
        subscribe: (_push: (use: VpsUse) => void) => () => undefined,
        signal: options?.signal,
      }),
    get: async ({ vps }) => find(vps),
    events: async () => [],
    start: async ({ vps }) => change(vps, running()),
    stop: async ({ vps }) =>
      change(vps, {
        status: 'STOPPED',
        reason: 'stopped by you',
        stoppedAt: core.now(),
        health: null,
      }),
    restart: async ({ vps }) => change(vps, running()),
    pause: async ({ vps }) => change(vps, { status: 'PAUSED' }),
    resume: async ({ vps }) => change(vps, { status: 'RUNNING' }),
    rename: async ({ vps, name }) => change(vps, { name }),
    update: async ({ vps, cores, memoryBytes }) => {
      const { cores: before, memoryBytes: memoryBefore } = find(vps);
      return change(vps, {
        cores: cores ?? before,
        memoryBytes: memoryBytes === undefined ? memoryBefore : memoryBytes,
      });
    },
    remove: async ({ vps }) => {
      const { id } = find(vps);
      vpses = vpses.filter((each) => each.id !== id);
      changed.emit({ removed: id });
      return { id };
    },
    snapshots: async () => fakeSnapshots(core.now()),
    takeSnapshot: async ({ note = '' }) => ({ ...fakeSnapshot(core.now()), note }),
    restore: async ({ vps }) => find(vps),
    deleteSnapshot: async ({ tag }) => ({ tag }),
    clone: async ({ vps, name }) => ({ ...find(vps), name }),
    setUpSsh: async ({ vps }) => {
      const { ssh } = find(vps);
      return change(vps, { ssh: { ...ssh, state: 'ready', problem: null } });
    },
    output: async () => ({ text: 'ready\n' }),
    localKeys: async () => [
      {
        file: '/home/mio/.ssh/id_ed25519.pub',
        publicKey:
          'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq0ZKMl3v9p4VpVxkT0fYxqX4l0QYz2e1hB7nq2fakE mio@desk',
        fingerprint: 'SHA256:9zYkQ1m0nqgJ0d1W7ZsG1cSgQm6gE6f4mWlqf0aB7xE',
      },
    ],
  };
  return {
    api,
    streams: {
      'vps.saveSnapshot': (input: StreamInput<'vps.saveSnapshot'>) =>
        answering(async () => ({
          path: `/home/mio/Downloads/${snapshotFileName(find(input.vps).name, input.tag)}`,
          size: 2 ** 28,
        })),
      'vps.importSnapshot': (input: StreamInput<'vps.importSnapshot'>, { upload }: StreamOptions) =>
        answering(async () => {
          if (!(await textOf(upload)).startsWith('kohakuriver'))
            throw new RequestError('snapshot/not-ours', 'This file is not a snapshot of a VPS.');
          const asked = vpsSubmission.parse({ name: input.name ?? 'from-file' });
          const vps = sketchVps(asked, vpses.length, core.now());
          vpses = [vps, ...vpses];
          changed.emit({ upsert: vps });
          return { id: vps.id, name: vps.name, node: vps.node };
        }),
    },
  };
}
