// A desktop app that lives in the page: for the gallery and the tests.
import type { DesktopState, KnownCore, Trouble, Wish } from '../../../src-main/contract/desktop.ts';
import { RemoteError } from '../../../src-main/contract/errors.ts';
import { readFeed } from '../../../src-main/contract/wire/follow-feed.ts';
import type { DesktopClient } from '../connect.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

const cores: KnownCore[] = [
  { id: 'here', name: 'This computer', address: null, secret: null },
  {
    id: 'box',
    name: 'lab-box',
    address: { kind: 'ssh', destination: { host: 'lab-box', user: 'anna' } },
    secret: null,
  },
  {
    id: 'team',
    name: 'Team',
    address: { kind: 'url', url: 'https://river.example:8000' },
    secret: 'session',
  },
];

const troubles: Trouble[] = [
  {
    id: '1',
    at: Date.UTC(2026, 5, 1, 9, 30),
    kind: 'page-crash',
    message: 'The window’s process ended: oom.',
    details: 'exit code 5',
    version: '0.1.0',
  },
];

const first: DesktopState = {
  platform: 'linux',
  preferences: {
    whenWindowCloses: 'ask',
    startAtLogin: false,
    notifications: 'all',
    checkForUpdates: false,
  },
  canUpdate: true,
  newVersion: '0.2.0',
  hasKeychain: false,
  cores,
  current: 'here',
  problem: null,
};

export function createFakeDesktop(): DesktopClient {
  let state = first;
  let kept = troubles;
  const changed = new FakeSignal<DesktopState>();
  const change = (part: Partial<DesktopState>): void => {
    state = { ...state, ...part };
    changed.emit(state);
  };
  const api: DesktopClient['api'] = {
    cores: {
      inspect: async () => ({
        hostKeys: [
          {
            host: 'new-box',
            keyType: 'ssh-ed25519',
            fingerprint: 'SHA256:q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C',
            status: 'new',
          },
        ],
      }),
      add: async ({ name, address }) => {
        if (address.kind === 'url') throw unreachable(address.url);
        const added: KnownCore = { id: name, name, address, secret: null };
        change({ cores: [...state.cores, added], current: name });
        return added;
      },
      switchTo: async ({ id }) => {
        change({ current: id });
        return { id };
      },
      forget: async ({ id }) => {
        const current = state.current === id ? 'here' : state.current;
        change({ current, cores: state.cores.filter((core) => core.id !== id) });
        return { id };
      },
    },
    desktop: {
      watch: async (_input, options) =>
        fakeFeed<DesktopState, DesktopState>({
          snapshot: () => state,
          subscribe: (push) => changed.listen(push),
          signal: options?.signal,
        }),
      watchWishes: async (_input, options) =>
        fakeFeed<Wish[], Wish>({
          snapshot: () => [],
          subscribe: () => () => undefined,
          signal: options?.signal,
        }),
      setPreferences: async (input) => {
        change({ preferences: Object.assign({ ...state.preferences }, input) });
        return state.preferences;
      },
      diagnostics: async () => [
        { label: 'Version', value: '0.1.0 (from a checkout)' },
        { label: 'Built on', value: 'Electron 45.4.1, Chromium 150, Node 24.21.0' },
        { label: 'Longest hold of its main thread', value: '12 ms in the last minute' },
      ],
      troubles: async () => kept,
      removeTroubles: async () => {
        const removed = kept.length;
        kept = [];
        return { removed };
      },
      reportTrouble: async () => ({ id: '2' }),
      dragOut: async ({ path }) => ({ path }),
      keepInBackground: async () => ({ isInBackground: true }),
      quit: async () => ({ isQuitting: true }),
      installUpdate: async () => ({ version: state.newVersion ?? '' }),
    },
  };
  return {
    api,
    feed: (open, handlers) => {
      const abort = new AbortController();
      const follow = async () => void (await readFeed(await open(api, abort.signal), handlers));
      follow().catch((error: unknown) => {
        if (!abort.signal.aborted) handlers.onError(error);
      });
      return { [Symbol.dispose]: () => abort.abort() };
    },
  };
}

function unreachable(url: string): RemoteError {
  return new RemoteError({
    code: 'core/unavailable',
    message: `The core at ${url} cannot be reached: connection refused.`,
    retry: 'later',
    details: {},
    causes: [],
  });
}
