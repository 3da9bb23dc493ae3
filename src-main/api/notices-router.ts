import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { KeptService } from '../services/kept-service.ts';
import type { NoticeService } from '../services/notices/notice-service.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `notices`. */
export function noticesRouter(notices: NoticeService) {
  const os = implement(contract.notices).$context<WireContext>();
  return os.router({
    watch: os.watch.handler(({ signal }) =>
      feedFrom({ snapshot: () => notices.list(), onDidChange: notices.onDidChange, signal }),
    ),
    markRead: os.markRead.handler(({ input }) => notices.markRead(input.notices)),
    clear: os.clear.handler(({ input }) => notices.clear(input.notices)),
  });
}

/** The contract's `kept`. */
export function keptRouter(kept: KeptService) {
  const os = implement(contract.kept).$context<WireContext>();
  return os.router({
    watch: os.watch.handler(({ signal }) =>
      feedFrom({ snapshot: () => kept.list(), onDidChange: kept.onDidChange, signal }),
    ),
    save: os.save.handler(({ input }) => kept.save(input)),
    remove: os.remove.handler(async ({ input }) => ({ removed: await kept.remove(input.id) })),
  });
}
