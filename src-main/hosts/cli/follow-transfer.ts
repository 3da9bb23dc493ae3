// A transfer shown until it is over.
import type { TransferView } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import type { Call } from './call.ts';
import { exitCodes } from './exit-codes.ts';
import { proofWords, transferLine } from './text/transfer-text.ts';

/** Shows how it goes until it is over. Leaving it cancels nothing: the core goes on. */
export async function followTransfer(
  call: Call,
  { id }: Pick<TransferView, 'id'>,
): Promise<number> {
  const api = await call.api();
  const isShown = call.io.err.isTerminal && !call.isJson;
  const tell = () => {
    if (isShown)
      void call.say(`\nIt goes on in the background: kohakuriver transfers cancel ${id}`);
  };
  call.signal.addEventListener('abort', tell, { once: true });
  let last: TransferView | undefined;
  try {
    for await (const item of await api.transfers.watch(undefined, { signal: call.signal })) {
      const found = changedIn(item, id);
      if (found === undefined) continue;
      last = found;
      if (isShown) await call.io.err.write(`\r\u001b[K${transferLine(found, call.io.err.columns)}`);
      if (found.status === 'ASKING' && !(await answered(call, found))) return exitCodes.failed;
      if (isOver(found)) break;
    }
  } finally {
    call.signal.removeEventListener('abort', tell);
    if (isShown) await call.io.err.write('\n');
  }
  return last === undefined ? exitCodes.failed : conclude(call, last);
}

type Item =
  | { kind: 'snapshot'; value: TransferView[] }
  | { kind: 'change'; value: { upsert: TransferView } | { removed: string } };

function changedIn(item: Item, id: string): TransferView | undefined {
  if (item.kind === 'snapshot') return item.value.find((each) => each.id === id);
  return 'upsert' in item.value && item.value.upsert.id === id ? item.value.upsert : undefined;
}

function isOver({ status }: TransferView): boolean {
  return status === 'DONE' || status === 'FAILED' || status === 'CANCELLED';
}

async function answered(call: Call, { id, conflicts }: TransferView): Promise<boolean> {
  const api = await call.api();
  const names = conflicts?.some.slice(0, 5).map(shownName).join(', ') ?? '';
  const question = `${String(conflicts?.count ?? 0)} files are there already (${names}). Replace them?`;
  const { prompts } = call.io;
  if (prompts === undefined) {
    await api.transfers.answer({ id, conflicts: 'skip' });
    return true;
  }
  const yes = await prompts.confirm(`\n${question}`);
  await api.transfers.answer({ id, conflicts: yes ? 'overwrite' : 'skip' });
  return true;
}

async function conclude(call: Call, view: TransferView): Promise<number> {
  const api = await call.api();
  const problems = await api.transfers.problems({ id: view.id });
  for (const { path, outcome, message } of problems.slice(0, 100)) {
    await call.say(`${outcome}: ${shownName(path)}: ${shownName(message)}`);
  }
  if (problems.length > 100) await call.say(`… and ${String(problems.length - 100)} more`);
  if (view.error !== null) await call.say(view.error.message);
  if (call.isJson) await call.line({ ...view, problems });
  else if (call.io.err.isTerminal) await call.say(proofWords(view));
  const isWhole = view.status === 'DONE' && view.skipped === 0;
  return isWhole ? exitCodes.done : exitCodes.failed;
}
