// A core that lives in the page: for the gallery and the tests. It keeps the contract's shapes and
// plausible behaviour; what a real core decides is not imitated.
import { z } from 'zod';
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { CoreId } from '../../../src-main/contract/ids.ts';
import { settingDefinitions, type SettingView } from '../../../src-main/contract/settings.ts';
import type { TaskStatus } from '../../../src-main/contract/task.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import { readFeed } from '../../../src-main/contract/wire/follow-feed.ts';
import type { StreamOptions } from '../../../src-main/contract/client.ts';
import type { Api, ByteReader, ConnectionState, CoreClient } from '../client.ts';
import { fakeKeptApi, fakeNotices, type FakeNotices } from './fake-app-api.ts';
import { FakeCore, type FakeVariant } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';
import { fakeCoreLog, fakeDiagnosticsApi } from './fake-diagnostics.ts';
import { fakeBatchesApi } from './fake-batches-api.ts';
import { fakeEnvironmentsApi } from './fake-environments.ts';
import { fakeFiles } from './fake-files.ts';
import { fakeImages } from './fake-images.ts';
import { fakeLog } from './fake-logs.ts';
import { fakeQueue } from './fake-queue.ts';
import { fakeRegistriesApi } from './fake-registries.ts';
import { fakeNodesApi } from './fake-nodes-api.ts';
import { fakeTasksApi } from './fake-tasks-api.ts';
import { fakeWorkspace } from './fake-workspace.ts';
import { fakeTransfersApi } from './fake-transfers.ts';
import { fakeForwardsApi, fakeSshApi, richForwards } from './fake-forwards.ts';
import { FakeTerminals } from './fake-terminals.ts';
import { fakeVps } from './fake-vps-api.ts';

export interface FakeOptions {
  variant?: FakeVariant;
  now?: () => number;
}

/** A fake core together with the handles tests and the gallery need. */
export interface FakeClient extends CoreClient {
  readonly core: FakeCore;
  readonly terminals: FakeTerminals;
  readonly notices: FakeNotices;
  /** Plays a change of the link. */
  setState(state: ConnectionState): void;
}

export function createFakeClient({
  variant = 'rich',
  now = () => Date.now(),
}: FakeOptions = {}): FakeClient {
  const core = new FakeCore(variant, now);
  const terminals = new FakeTerminals(core);
  const changed = new FakeSignal<ConnectionState>();
  const notices = fakeNotices(core);
  const disk = fakeFiles();
  const vpses = fakeVps(core);
  const images = fakeImages(core);
  const work = fakeWorkspace(disk.disk);
  const api: Api = {
    core: fakeCoreApi(core),
    config: fakeConfigApi(),
    nodes: fakeNodesApi(core),
    tasks: fakeTasksApi(core),
    vps: vpses.api,
    images: images.api,
    diagnostics: fakeDiagnosticsApi(core),
    batches: fakeBatchesApi(core),
    ...fakeQueue(core),
    terminals: terminals.api,
    notices: notices.api,
    kept: fakeKeptApi(),
    files: disk.api,
    workspace: work.api,
    transfers: fakeTransfersApi(now),
    forwards: fakeForwardsApi(variant === 'rich' ? richForwards(now()) : []),
    ssh: fakeSshApi(),
    environments: fakeEnvironmentsApi(core),
    registries: fakeRegistriesApi(variant === 'empty'),
  };
  const streams: Record<string, (input: never, options: StreamOptions) => ByteReader> = {
    'tasks.readLog': (input: StreamInput<'tasks.readLog'>, { signal }) => {
      const task = core.task(input.task);
      if (task === undefined) throw new RequestError('not-found/log', 'This task has no log.');
      return fakeLog(task, input, signal ?? new AbortController().signal);
    },
    'diagnostics.readLog': (_input, { signal }) =>
      fakeCoreLog(core, signal ?? new AbortController().signal),
    'terminals.attach': (input: StreamInput<'terminals.attach'>, { upload }) =>
      terminals.attach(input.terminal, upload),
    ...disk.streams,
    ...vpses.streams,
    ...images.streams,
    ...work.streams,
  };
  let state: ConnectionState = 'connected';
  return {
    core,
    terminals,
    notices,
    api,
    get state() {
      return state;
    },
    onDidChangeState: (listener) => {
      const stop = changed.listen(listener);
      return { [Symbol.dispose]: () => stop() };
    },
    feed: (open, handlers) => {
      const abort = new AbortController();
      const follow = async () => {
        const outcome = await readFeed(await open(api, abort.signal), handlers);
        if (outcome === 'ended' && !abort.signal.aborted) handlers.onEnd?.();
      };
      follow().catch((error: unknown) => {
        if (!abort.signal.aborted) handlers.onError(error);
      });
      return { [Symbol.dispose]: () => abort.abort() };
    },
    openStream: (name, input, options = {}) => {
      const open = streams[name];
      if (open === undefined)
        throw new RequestError('core/protocol', `No stream is called ${name}.`);
      return open(input as never, options);
    },
    reconnectNow: () => undefined,
    setState: (next) => {
      state = next;
      changed.emit(next);
    },
  };
}

function fakeCoreApi(core: FakeCore): Api['core'] {
  const started = core.now() - 5_400_000;
  const status = () => {
    const nodes: Record<string, number> = {};
    for (const { state } of core.nodes) nodes[state] = (nodes[state] ?? 0) + 1;
    const tasks: Partial<Record<TaskStatus, number>> = {};
    for (const { status: each } of core.tasks) tasks[each] = (tasks[each] ?? 0) + 1;
    return {
      coreId: '732054123459999' as CoreId,
      version: '0.1.0',
      pid: 4121,
      host: 'test' as const,
      hostname: 'desk',
      dataDir: '/home/mio/.local/share/kohakuriver-desktop',
      startedAt: started,
      now: core.now(),
      nodes,
      tasks,
      vault: { state: 'open' as const, kind: 'key file' },
      eventLoopDelayMs: 4,
      rssBytes: 148 * 2 ** 20,
    };
  };
  return {
    status: async () => status(),
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: status,
        subscribe: (push: (change: ReturnType<typeof status>) => void) => {
          const stops = [
            core.onTask.listen(() => push(status())),
            core.onNode.listen(() => push(status())),
          ];
          return () => stops.forEach((stop) => stop());
        },
        signal: options?.signal,
      }),
    stop: async () => ({ pid: 4121 }),
    backup: async ({ file }) => ({ file, bytes: 1_048_576 }),
    doctor: async () => [],
    unlockVault: async () => ({ state: 'open' }),
  };
}

function fakeConfigApi(): Api['config'] {
  const views = new Map<string, SettingView>(
    Object.entries(settingDefinitions).map(([key, each]) => [
      key,
      {
        key,
        value: each.default,
        origin: key === 'server.port' ? 'environment' : 'default',
        default: each.default,
        title: each.title,
        description: each.description,
        group: each.group,
        unit: 'unit' in each ? each.unit : null,
        needsRestart: 'needsRestart' in each ? each.needsRestart : false,
        schema: z.toJSONSchema(each.schema),
      },
    ]),
  );
  const get = (key: string): SettingView => {
    const view = views.get(key);
    if (view === undefined)
      throw new RequestError('not-found/setting', `There is no setting «${key}».`);
    return view;
  };
  const put = (view: SettingView): SettingView => {
    views.set(view.key, view);
    return view;
  };
  return {
    list: async () => [...views.values()],
    get: async ({ key }) => get(key),
    set: async ({ key, value }) => {
      const definition = settingDefinitions[key as keyof typeof settingDefinitions];
      const parsed = definition.schema.safeParse(value);
      if (!parsed.success)
        throw new RequestError(
          'settings/invalid',
          parsed.error.issues[0]?.message ?? 'This value is not allowed.',
        );
      return put({ ...get(key), value, origin: 'file' });
    },
    reset: async ({ key }) => put({ ...get(key), value: get(key).default, origin: 'default' }),
  };
}
