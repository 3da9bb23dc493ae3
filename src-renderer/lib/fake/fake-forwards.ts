/* eslint-disable @typescript-eslint/require-await -- every call of the contract is asynchronous */
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
export function fakeForwardsApi(): Api['forwards'] {
  const views = new Map<string, ForwardView>();
  const changed = new FakeSignal<ForwardChange>();
  let last = 732054123460000n;
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
      views.set(view.id, view);
      changed.emit({ upsert: view });
      return view;
    },
    remove: async ({ forward }) => {
      const view = views.get(forward);
      if (view === undefined) throw new RequestError('not-found/forward', 'No such forward.');
      views.delete(forward);
      changed.emit({ removed: view.id });
      return { id: view.id };
    },
  };
}

export function fakeSshApi(): Api['ssh'] {
  return {
    describe: async ({ task }) => ({
      id: task,
      name: null,
      hostKeyAlias: `kohakuriver-vps-${task}`,
      user: 'root',
      port: 22,
      hostKeys: [],
    }),
  };
}
