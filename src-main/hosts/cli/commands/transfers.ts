// `transfers`: the queue of copies.
import type { Command } from 'commander';
import { transferId, type TransferView } from '../../../contract/transfers.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatTable, type Column } from '../text/table.ts';
import { progressWords } from '../text/transfer-text.ts';
import { shownName } from '../../../domain/files/path-text.ts';

const orders = {
  pause: 'stop copies for a while; what was moved is kept',
  resume: 'let paused or waiting copies go on',
  cancel: 'give copies up; what was moved so far is removed',
  retry: 'run ended copies again; what is there is not moved again',
} as const;

export function addTransferCommands(program: Command, runner: Runner): void {
  const transfers = program
    .command('transfers')
    .description('copies under way, and how they ended');
  runner.action(
    transfers.command('list').description('all of them, in the order of the queue'),
    listTransfers,
  );
  for (const [word, description] of Object.entries(orders)) {
    runner.action(
      transfers
        .command(word)
        .description(description)
        .argument('<id...>', 'IDs, or endings of them'),
      orderTransfers(word as keyof typeof orders),
    );
  }
  runner.action(
    transfers.command('clear').description('take ended copies off the list'),
    clearTransfers,
  );
}

const columns: readonly Column<TransferView>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STATUS', cell: ({ status }) => status },
  { title: 'WHAT', cell: ({ title }) => shownName(title), canShrink: true },
  { title: 'FROM', cell: ({ fromLabel }) => shownName(fromLabel) },
  { title: 'TO', cell: ({ toLabel }) => shownName(toLabel) },
  { title: 'PROGRESS', cell: (view) => progressWords(view) },
  { title: 'FAILED', cell: ({ failed }) => String(failed), align: 'right' },
];

async function listTransfers(call: Call): Promise<void> {
  const api = await call.api();
  const views = await api.transfers.list();
  await call.answer(
    () => views,
    () => formatTable(columns, views, call.look),
  );
}

function orderTransfers(word: keyof typeof orders) {
  return async (call: Call, references: string[]): Promise<number> => {
    const api = await call.api();
    const ids = await idsOf(call, references);
    const results = await api.transfers[word]({ ids });
    if (call.isJson) await call.line({ results });
    for (const { id, ok, message, status } of results) {
      await call.say(ok ? `${id}: ${status}` : `${id}: ${message ?? status}`);
    }
    return results.every(({ ok }) => ok) ? exitCodes.done : exitCodes.failed;
  };
}

/** Whole IDs, or endings of at least six digits that only one has. */
async function idsOf(call: Call, references: readonly string[]) {
  const api = await call.api();
  const all = (await api.transfers.list()).map(({ id }) => id);
  return references.map((reference) => {
    const found = all.filter(
      (id) => id === reference || (reference.length >= 6 && id.endsWith(reference)),
    );
    if (found.length > 1) throw new UsageError(`Several copies end in ${reference}.`);
    const parsed = transferId.safeParse(found[0] ?? reference);
    if (!parsed.success) throw new UsageError(`"${reference}" is no ID of a copy.`);
    return parsed.data;
  });
}

async function clearTransfers(call: Call): Promise<void> {
  const api = await call.api();
  const { removed } = await api.transfers.clear({});
  await call.answer(
    () => ({ removed }),
    () => `${String(removed)} taken off the list\n`,
  );
}
