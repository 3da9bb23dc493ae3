import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { BatchService } from '../services/tasks/batch-service.ts';
import type { WireContext } from './context.ts';

/** A signal that never aborts, for calls made without one. */
const never = new AbortController().signal;

/** The contract's `batches`. */
export function batchesRouter(batches: BatchService) {
  const os = implement(contract.batches).$context<WireContext>();
  return os.router({
    list: os.list.handler(({ input }) => batches.list(input)),
    watchList: os.watchList.handler(({ input, signal }) =>
      batches.watchList(input, signal ?? never),
    ),
    get: os.get.handler(({ input }) => batches.get(input.batch)),
    watch: os.watch.handler(({ input, signal }) => batches.watch(input.batch, signal ?? never)),
    kill: os.kill.handler(({ input, context }) =>
      batches.kill(input.batch, { ...input, who: context.who }),
    ),
    hold: os.hold.handler(({ input, context }) => batches.hold(input.batch, context)),
    release: os.release.handler(({ input, context }) => batches.release(input.batch, context)),
    setPriority: os.setPriority.handler(({ input, context }) =>
      batches.setPriority(input.batch, { who: context.who, priority: input.priority }),
    ),
    resubmitFailed: os.resubmitFailed.handler(({ input, context }) =>
      batches.resubmitFailed(input.batch, context),
    ),
  });
}
