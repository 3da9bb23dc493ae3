import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { Diagnostics } from '../services/diagnostics/diagnostics.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `diagnostics`. */
export function diagnosticsRouter(diagnostics: Diagnostics) {
  const os = implement(contract.diagnostics).$context<WireContext>();
  return os.router({
    read: os.read.handler(() => diagnostics.report()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => diagnostics.report(),
        onDidChange: diagnostics.onDidChange,
        coalesce: () => 'report',
        signal,
      }),
    ),
  });
}
