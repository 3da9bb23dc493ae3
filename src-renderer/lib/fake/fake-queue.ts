import { RequestError } from '../../../src-main/contract/errors.ts';
import {
  reservationId,
  reservationRequest,
  type KeptRoom,
  type OwnerShare,
  type QueueOutlook,
  type ReservationView,
  type Shares,
} from '../../../src-main/contract/queue.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

const hourMs = 3_600_000;
const gpuWeight = 8;

/** The queue of the fake core: shares counted from its tasks, and reservations that are kept. */
export function fakeQueue(core: FakeCore): {
  queue: Api['queue'];
  reservations: Api['reservations'];
} {
  const changed = new FakeSignal<QueueOutlook>();
  const views = new Map<string, ReservationView>();
  let last = 732054123470000n;
  const list = () => [...views.values()].sort((a, b) => a.from - b.from);
  const outlook = (): QueueOutlook => ({
    shares: sharesOf(core),
    reservations: list(),
    kept: keptOf(core),
  });
  const add: Api['reservations']['add'] = async (given) => {
    const { node: name, owners = ['anna'], ...wish } = reservationRequest.parse(given);
    const node = core.nodes.find((one) => one.name === name);
    if (node === undefined) throw new RequestError('target/unknown-node', `No node ${name}.`);
    if (wish.to <= wish.from)
      throw new RequestError('input/invalid', 'A reservation ends after it begins.');
    last += 1n;
    const id = reservationId.parse(String(last));
    const view = { ...wish, id, nodeId: node.id, node: name, owners, by: 'anna' };
    views.set(id, view);
    changed.emit(outlook());
    return view;
  };
  return {
    queue: {
      shares: async () => sharesOf(core),
      watch: async (_input, options) =>
        fakeFeed({
          snapshot: outlook,
          subscribe: (push: (change: QueueOutlook) => void) => changed.listen(push),
          signal: options?.signal,
        }),
    },
    reservations: {
      list: async () => list(),
      add,
      remove: async ({ reservation }) => {
        const view = views.get(reservation);
        if (view === undefined) throw new RequestError('not-found/reservation', 'It is gone.');
        views.delete(reservation);
        changed.emit(outlook());
        return { id: view.id };
      },
    },
  };
}

/** The first that waits for GPUs has room kept for it, where that many are. */
function keptOf(core: FakeCore): KeptRoom[] {
  const first = core.tasks.find(
    ({ status, held, gpuRequest }) => status === 'PENDING' && !held && gpuRequest !== null,
  );
  const count = first?.gpuRequest?.count ?? 0;
  const node = core.nodes.findLast(
    ({ facts, state }) => state === 'online' && (facts?.gpus.length ?? 0) >= count,
  );
  if (first === undefined || node === undefined) return [];
  const gpus = (node.facts?.gpus ?? []).slice(-count).map(({ index }) => index);
  const { id: taskId, name, owner } = first;
  return [{ taskId, name, owner, nodeId: node.id, gpus, at: core.now() + hourMs / 2 }];
}

function sharesOf(core: FakeCore): Shares {
  const now = core.now();
  const owners = new Map<string, OwnerShare>();
  for (const task of core.tasks) {
    const share = owners.get(task.owner) ?? emptyShare(task.owner);
    owners.set(task.owner, share);
    if (task.status === 'PENDING') share.waiting += 1;
    if (task.startedAt === null || task.finishedAt !== null) continue;
    const seconds = Math.min(now - task.startedAt, 24 * hourMs) / 1000;
    share.running += 1;
    share.gpus += task.gpus.length;
    share.cores += task.cores;
    share.gpuSeconds += task.gpus.length * seconds;
    share.coreSeconds += task.cores * seconds;
  }
  for (const share of owners.values()) {
    share.score = share.gpuSeconds * gpuWeight + share.coreSeconds;
  }
  return {
    now,
    isOn: true,
    halfLifeHours: 24,
    gpuWeight,
    owners: [...owners.values()].sort((a, b) => a.score - b.score),
  };
}

function emptyShare(owner: string): OwnerShare {
  const nothing = { gpuSeconds: 0, coreSeconds: 0, score: 0, gpus: 0, cores: 0 };
  return { owner, ...nothing, running: 0, waiting: 0 };
}
