import { RequestError } from '../../../src-main/contract/errors.ts';
import {
  forwardSpec,
  type ForwardChange,
  type ForwardId,
  type ForwardView,
} from '../../../src-main/contract/forwards.ts';
import type { Api } from '../client.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

/** Forwards of the fake core: they are kept, and carry nothing. */
export function fakeForwardsApi(samples: readonly ForwardView[] = []): Api['forwards'] {
  const views = new Map<string, ForwardView>(samples.map((view) => [view.id, view]));
  const changed = new FakeSignal<ForwardChange>();
  let last = 732054123460000n;
  const find = (id: string): ForwardView => {
    const view = views.get(id);
    if (view === undefined) throw new RequestError('not-found/forward', 'No such forward.');
    return view;
  };
  const put = (view: ForwardView): ForwardView => {
    views.set(view.id, view);
    changed.emit({ upsert: view });
    return view;
  };
  return {
    list: async () => [...views.values()],
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => [...views.values()],
        subscribe: (push: (change: ForwardChange) => void) => changed.listen(push),
        signal: options?.signal,
      }),
    add: async ({ spec }) => {
      last += 1n;
      const given = forwardSpec.parse(spec);
      const view: ForwardView = {
        id: String(last) as ForwardId,
        spec: given,
        place: spec.target.kind === 'node' ? spec.target.node : 'container',
        state: 'open',
        reason: null,
        localPort: given.localPort ?? ('port' in spec ? spec.port : 1080),
        connections: 0,
        bytesUp: 0,
        bytesDown: 0,
        createdAt: 0,
      };
      return put(view);
    },
    pause: async ({ forward }) => put({ ...find(forward), state: 'paused', connections: 0 }),
    resume: async ({ forward }) => put({ ...find(forward), state: 'open' }),
    remove: async ({ forward }) => {
      const view = find(forward);
      views.delete(forward);
      changed.emit({ removed: view.id });
      return { id: view.id };
    },
  };
}

/** Forwards worth looking at: one of each state. */
export function richForwards(now: number): ForwardView[] {
  const anna = { kind: 'task', task: '733054123400101' } as const;
  const alpha = { kind: 'node', node: 'alpha' } as const;
  const here = { bind: '127.0.0.1', localPort: null };
  const make = (
    index: number,
    given: Pick<ForwardView, 'spec' | 'place'> & Partial<ForwardView>,
  ): ForwardView => ({
    id: String(732054123450000n + BigInt(index)) as ForwardId,
    state: 'open',
    reason: null,
    localPort: null,
    connections: 0,
    bytesUp: 0,
    bytesDown: 0,
    createdAt: now - 86_400_000,
    ...given,
  });
  return [
    make(1, {
      spec: { kind: 'tcp', target: anna, port: 8888, host: null, ...here },
      place: 'anna-dev on alpha',
      localPort: 8888,
      connections: 3,
      bytesUp: 412_003,
      bytesDown: 88_120_400,
    }),
    make(2, {
      spec: { kind: 'tcp', target: anna, port: 6006, host: null, ...here },
      place: 'anna-dev on alpha',
      localPort: 41_207,
      state: 'paused',
    }),
    make(3, {
      spec: { kind: 'socks', target: alpha, ...here },
      place: 'alpha',
      localPort: 1080,
      bytesUp: 9_210,
      bytesDown: 1_204_400,
    }),
    make(4, {
      spec: {
        kind: 'tcp',
        target: { kind: 'node', node: 'old-faithful' },
        port: 5432,
        host: 'db.lab',
        ...here,
      },
      place: 'old-faithful',
      localPort: 5432,
      state: 'waiting',
      reason: 'old-faithful is out of reach at the moment.',
    }),
    make(5, {
      spec: { kind: 'udp', target: alpha, port: 5353, host: null, ...here },
      place: 'alpha',
      localPort: 5353,
      connections: 1,
      bytesUp: 1_830,
      bytesDown: 4_410,
    }),
  ];
}

export function fakeSshApi(): Api['ssh'] {
  return {
    describe: async ({ task }) => ({
      id: task,
      name: null,
      hostKeyAlias: `kohakuriver-vps-${task}`,
      user: 'root',
      port: 22,
      identityFile: null,
      hostKeys: [],
    }),
    setUp: async ({ mayInclude = false }) => ({
      alias: 'kr-anna-dev',
      configFile: '/home/mio/.local/share/kohakuriver-desktop/ssh/config',
      userConfigFile: '/home/mio/.ssh/config',
      isIncluded: mayInclude,
      includeLine: 'Include "/home/mio/.local/share/kohakuriver-desktop/ssh/config"',
    }),
  };
}
