import { createProcedureClient, isProcedure, type AnyRouter } from '@orpc/server';
import type { WireContext } from '../context.ts';

/** Runs one procedure: checks the input, runs it, checks the output. A feed's output is an async iterator. */
export type RunProcedure = (input: unknown, signal: AbortSignal) => Promise<unknown>;

/** Every procedure of a router by its dotted path, for one client. */
export function proceduresOf(
  router: AnyRouter,
  context: WireContext,
): ReadonlyMap<string, RunProcedure> {
  const table = new Map<string, RunProcedure>();
  addTo(table, { router, context, path: [] });
  return table;
}

function addTo(
  table: Map<string, RunProcedure>,
  at: { router: object; context: WireContext; path: readonly string[] },
): void {
  for (const [name, value] of Object.entries(at.router) as [string, unknown][]) {
    const path = [...at.path, name];
    if (isProcedure(value)) {
      const run = createProcedureClient(value, { context: at.context, path });
      table.set(path.join('.'), (input, signal) => run(input, { signal }));
    } else if (typeof value === 'object' && value !== null) {
      addTo(table, { router: value, context: at.context, path });
    }
  }
}
