// Notices and kept things of the fake core.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { KeptChange, KeptItem } from '../../../src-main/contract/kept.ts';
import type { NoticeChange, NoticeView, WhichNotices } from '../../../src-main/contract/notices.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

export interface FakeNotices {
  readonly api: Api['notices'];
  /** Plays something that happens now. */
  tell(notice: Partial<NoticeView> & Pick<NoticeView, 'title'>): void;
}

export function fakeNotices(core: FakeCore): FakeNotices {
  const changed = new FakeSignal<NoticeChange>();
  let list = sampleNotices(core);
  const isMeant = (which: WhichNotices, { id }: NoticeView) =>
    which === 'all' || which.includes(id);
  const unread = () => ({ unread: list.filter(({ readAt }) => readAt === null).length });
  return {
    tell: (notice) => {
      const id = (list[0]?.id ?? 0) + 1;
      const added: NoticeView = {
        id,
        kind: 'task-ended',
        at: core.now(),
        count: 1,
        text: '',
        taskId: null,
        nodeId: null,
        readAt: null,
        ...notice,
      };
      list = [added, ...list];
      changed.emit({ upsert: added });
    },
    api: {
      watch: async (_input, options) =>
        fakeFeed({
          snapshot: () => list,
          subscribe: (push: (change: NoticeChange) => void) => changed.listen(push),
          signal: options?.signal,
        }),
      markRead: async ({ notices }) => {
        list = list.map((each) =>
          isMeant(notices, each) && each.readAt === null ? { ...each, readAt: core.now() } : each,
        );
        for (const upsert of list) changed.emit({ upsert });
        return unread();
      },
      clear: async ({ notices }) => {
        const removed = list.filter((each) => isMeant(notices, each)).map(({ id }) => id);
        list = list.filter((each) => !isMeant(notices, each));
        changed.emit({ removed });
        return unread();
      },
    },
  };
}

function sampleNotices(core: FakeCore): NoticeView[] {
  const failed = core.tasks.find(({ status }) => status === 'FAILED');
  const done = core.tasks.find(({ status }) => status === 'COMPLETED');
  const node = core.nodes.find(({ state }) => state === 'offline');
  const about = { count: 1, taskId: null, nodeId: null, readAt: null };
  const minutesAgo = (minutes: number) => core.now() - minutes * 60_000;
  return [
    ...(failed === undefined
      ? []
      : [
          {
            ...about,
            id: 3,
            kind: 'task-failed' as const,
            at: minutesAgo(4),
            title: `${failed.name ?? 'A task'} failed`,
            text: failed.reason ?? 'It ended with exit code 1.',
            taskId: failed.id,
          },
        ]),
    ...(node === undefined
      ? []
      : [
          {
            ...about,
            id: 2,
            kind: 'node-offline' as const,
            at: minutesAgo(95),
            title: `${node.name} is offline`,
            text: node.reason ?? '',
            nodeId: node.id,
          },
        ]),
    ...(done === undefined
      ? []
      : [
          {
            ...about,
            id: 1,
            kind: 'task-ended' as const,
            at: minutesAgo(300),
            count: 12,
            title: '12 tasks are done',
            text: `${done.name ?? 'A task'} is done, and 11 more.`,
            readAt: minutesAgo(200),
          },
        ]),
  ];
}

export function fakeKeptApi(): Api['kept'] {
  const changed = new FakeSignal<KeptChange>();
  let list: KeptItem[] = [
    {
      id: 1,
      name: 'Sweeps that failed',
      thing: {
        kind: 'task-view',
        value: { filter: { text: 'sweep', statuses: ['FAILED', 'KILLED_OOM'] }, sort: 'finished' },
      },
    },
  ];
  return {
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => list,
        subscribe: (push: (change: KeptChange) => void) => changed.listen(push),
        signal: options?.signal,
      }),
    save: async ({ name, thing, replace }) => {
      const taken = list.find((each) => each.name === name && each.thing.kind === thing.kind);
      if (taken !== undefined && replace !== true)
        throw new RequestError('conflict/name-taken', `«${name}» is the name of another one.`);
      const id = taken?.id ?? Math.max(0, ...list.map((each) => each.id)) + 1;
      const item = { id, name, thing } as KeptItem;
      list = [...list.filter((each) => each.id !== id), item];
      changed.emit({ upsert: item });
      return item;
    },
    remove: async ({ id }) => {
      const removed = list.some((each) => each.id === id);
      list = list.filter((each) => each.id !== id);
      changed.emit({ removed: id });
      return { removed };
    },
  };
}
