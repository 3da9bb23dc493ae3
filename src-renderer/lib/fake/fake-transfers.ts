// Transfers of the fake core: one that runs, one with failures, one that asks.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type {
  TransferId,
  TransferStatus,
  TransferView,
} from '../../../src-main/contract/transfers.ts';
import type { Api } from '../client.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

const GiB = 2 ** 30;

function sketch(id: string, changes: Partial<TransferView>): TransferView {
  return {
    id: id as TransferId,
    status: 'QUEUED',
    request: {
      from: { place: { kind: 'here' }, paths: ['/home/mio/data'] },
      to: { place: { kind: 'node', node: 'alpha' }, path: '/data', as: 'auto' },
      recursive: true,
      conflicts: 'ask',
      verify: true,
      rateLimit: null,
      sync: null,
    },
    purpose: null,
    fromLabel: 'this computer',
    toLabel: 'alpha',
    title: 'data',
    progress: {
      phase: 'waiting',
      filesTotal: 0,
      filesDone: 0,
      bytesTotal: 0,
      bytesDone: 0,
      bytesMoved: 0,
      current: null,
      bytesPerSecond: null,
      etaSeconds: null,
    },
    failed: 0,
    skipped: 0,
    proof: 'none',
    conflicts: null,
    error: null,
    createdAt: 1_772_000_000_000,
    finishedAt: null,
    ...changes,
  };
}

function sketches(): TransferView[] {
  const idle = sketch('0', {}).progress;
  return [
    sketch('732054123460101', {
      status: 'RUNNING',
      title: 'tokens.bin and 3 more',
      progress: {
        phase: 'moving',
        filesTotal: 1204,
        filesDone: 871,
        bytesTotal: 41 * GiB,
        bytesDone: 27 * GiB,
        bytesMoved: 27 * GiB,
        current: 'data/shards/part-0871.bin',
        bytesPerSecond: 312 * 2 ** 20,
        etaSeconds: 46,
      },
    }),
    sketch('732054123460102', {
      status: 'ASKING',
      title: 'results',
      fromLabel: 'beta',
      toLabel: 'this computer',
      conflicts: { count: 14, some: ['results/loss.csv', 'results/eval.json'] },
    }),
    sketch('732054123460103', { status: 'QUEUED', title: 'checkpoints', toLabel: 'gamma' }),
    sketch('732054123460104', {
      status: 'FAILED',
      title: 'home backup',
      failed: 2,
      skipped: 1,
      proof: 'hashes',
      progress: {
        ...idle,
        phase: 'ended',
        filesTotal: 5210,
        filesDone: 5208,
        bytesTotal: 9 * GiB,
        bytesDone: 9 * GiB,
        bytesMoved: 9 * GiB,
      },
      finishedAt: 1_772_000_900_000,
    }),
    sketch('732054123460105', {
      status: 'DONE',
      title: 'train.py',
      proof: 'hashes',
      progress: {
        ...idle,
        phase: 'ended',
        filesTotal: 1,
        filesDone: 1,
        bytesTotal: 18_402,
        bytesDone: 18_402,
        bytesMoved: 18_402,
      },
      finishedAt: 1_772_000_800_000,
    }),
  ];
}

type Change = { upsert: TransferView } | { removed: TransferId };

export function fakeTransfersApi(now: () => number): Api['transfers'] {
  let views = sketches();
  let last = 732054123460200;
  const changed = new FakeSignal<Change>();
  const need = (id: string): TransferView => {
    const found = views.find((view) => view.id === id);
    if (found === undefined)
      throw new RequestError('not-found/transfer', `There is no transfer ${id}.`);
    return found;
  };
  const put = (view: TransferView): TransferView => {
    views = views.some(({ id }) => id === view.id)
      ? views.map((each) => (each.id === view.id ? view : each))
      : [...views, view];
    changed.emit({ upsert: view });
    return view;
  };
  const to = (status: TransferStatus) => async (input: { ids: readonly string[] }) =>
    input.ids.map((id) => {
      put({ ...need(id), status });
      return { id: id as TransferId, ok: true, status, message: null };
    });
  return {
    start: async (request) => {
      last += 1;
      const title = request.from.paths[0]?.split('/').at(-1) ?? '';
      const base = sketch(String(last), { title, createdAt: now() });
      return put({ ...base, request: { ...base.request, from: request.from } });
    },
    previewSync: async ({ from, to, sync }) => ({
      fromPath: from.paths[0] ?? '',
      toPath: to.path,
      counts: { add: 1, replace: 1, remove: sync?.delete === true ? 1 : 0, same: 212, ignored: 9 },
      bytes: 40_233,
      steps: [
        { action: 'replace', path: 'src/model.py', kind: 'file', size: 18_402 },
        ...(sync?.delete === true
          ? [{ action: 'remove', path: 'src/old.py', kind: 'file', size: 0 } as const]
          : []),
        { action: 'add', path: 'train.py', kind: 'file', size: 21_831 },
      ],
      problems: [],
    }),
    list: async () => views,
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => views,
        subscribe: (push: (change: Change) => void) => changed.listen(push),
        signal: options?.signal,
      }),
    get: async ({ id }) => need(id),
    problems: async () => [
      {
        path: 'home backup/.ssh/id_ed25519',
        outcome: 'failed',
        message: 'The login user may not do this with .ssh/id_ed25519.',
      },
      { path: 'home backup/run.log', outcome: 'failed', message: 'It changed while it was read.' },
      {
        path: 'home backup/agent.sock',
        outcome: 'skipped',
        message: 'It is a device, a socket or a pipe, which are not moved.',
      },
    ],
    pause: to('PAUSED'),
    resume: to('QUEUED'),
    cancel: to('CANCELLED'),
    retry: to('QUEUED'),
    answer: async ({ id }) => put({ ...need(id), status: 'QUEUED', conflicts: null }),
    move: async () => views.map(({ id }) => id),
    clear: async () => {
      const ended = views.filter(({ status }) => ['DONE', 'FAILED', 'CANCELLED'].includes(status));
      views = views.filter((view) => !ended.includes(view));
      for (const { id } of ended) changed.emit({ removed: id });
      return { removed: ended.length };
    },
  };
}
