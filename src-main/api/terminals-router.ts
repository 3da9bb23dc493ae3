import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { TerminalsService } from '../services/terminals/terminals-service.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `terminals`. */
export function terminalsRouter(terminals: TerminalsService) {
  const os = implement(contract.terminals).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => terminals.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => terminals.list(),
        onDidChange: terminals.onDidChange,
        signal,
      }),
    ),
    open: os.open.handler(({ input }) => terminals.open(input)),
    rename: os.rename.handler(({ input }) => terminals.rename(input.terminal, input.name)),
    resize: os.resize.handler(({ input }) => terminals.resize(input.terminal, input.size)),
    close: os.close.handler(async ({ input }) => ({ id: await terminals.close(input.terminal) })),
  });
}
