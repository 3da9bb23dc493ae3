import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { QueueView } from '../services/queue/queue-view.ts';
import type { Reservations } from '../services/queue/reservations.ts';
import type { WireContext } from './context.ts';

/** A signal that never aborts, for calls made without one. */
const never = new AbortController().signal;

/** The contract's `queue`. */
export function queueRouter(view: QueueView) {
  const os = implement(contract.queue).$context<WireContext>();
  return os.router({
    shares: os.shares.handler(() => view.shares()),
    watch: os.watch.handler(({ signal }) => view.watch(signal ?? never)),
  });
}

/** The contract's `reservations`. */
export function reservationsRouter(reservations: Reservations) {
  const os = implement(contract.reservations).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => reservations.list()),
    add: os.add.handler(({ input, context }) => reservations.add(input, context.who)),
    remove: os.remove.handler(({ input }) => reservations.remove(input.reservation)),
  });
}
