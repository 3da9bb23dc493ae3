import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { TransferService } from '../services/transfers/transfer-service.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `transfers`. */
export function transfersRouter(transfers: TransferService) {
  const os = implement(contract.transfers).$context<WireContext>();
  return os.router({
    start: os.start.handler(({ input }) => transfers.submit(input)),
    previewSync: os.previewSync.handler(({ input, signal }) =>
      transfers.previewSync(input, signal ?? new AbortController().signal),
    ),
    list: os.list.handler(() => transfers.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => transfers.list(),
        onDidChange: transfers.onDidChange,
        coalesce: (change) => ('upsert' in change ? change.upsert.id : undefined),
        signal,
      }),
    ),
    get: os.get.handler(({ input }) => transfers.get(input.id)),
    problems: os.problems.handler(({ input }) => transfers.problems(input.id)),
    pause: os.pause.handler(({ input }) => transfers.order(input.ids, 'pause')),
    resume: os.resume.handler(({ input }) => transfers.order(input.ids, 'resume')),
    cancel: os.cancel.handler(({ input }) => transfers.order(input.ids, 'cancel')),
    retry: os.retry.handler(({ input }) => transfers.order(input.ids, 'retry')),
    answer: os.answer.handler(({ input }) => transfers.answer(input.id, input.conflicts)),
    move: os.move.handler(({ input }) => transfers.move(input.id, input.before)),
    clear: os.clear.handler(({ input }) => transfers.clear(input.ids)),
  });
}
