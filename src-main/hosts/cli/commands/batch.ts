// The words after `kohakuriver task batch`.
import type { Command } from 'commander';
import { isFinal } from '../../../contract/task.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { Call, Runner } from '../call.ts';
import { exitCodes } from '../exit-codes.ts';
import { reading, wholeNumber } from '../parse/option.ts';
import { parseSignal } from '../parse/words.ts';
import { batchJson } from '../shape/batch-json.ts';
import { batchesTable, batchText } from '../text/batch-text.ts';
import { answerOrder, type KillOptions } from './task-orders.ts';

interface ListOptions {
  limit: number;
  active?: boolean;
  owner?: string;
}

export function addBatchCommands(task: Command, runner: Runner): void {
  const batch = task.command('batch').description('tasks that were submitted together');
  runner.action(
    batch
      .command('list')
      .description('batches of more than one task, the newest first')
      .option('--active', 'only those of which something has not ended')
      .option('--owner <name>', 'only of this owner')
      .option('--limit <number>', 'at most so many', reading(wholeNumber(1, 200)), 50),
    listBatches,
  );
  runner.action(
    batch.command('status').description('how far a batch is').argument('<id>'),
    showBatch,
  );
  runner.action(
    batch.command('watch').description('a batch, live, until all of it has ended').argument('<id>'),
    watchBatch,
  );
  addBatchOrders(batch, runner);
}

function addBatchOrders(batch: Command, runner: Runner): void {
  runner.action(
    batch
      .command('kill')
      .description('end all of it that has not ended')
      .argument('<id>')
      .option('--signal <signal>', 'the signal to begin with', reading(parseSignal), 'SIGTERM')
      .option(
        '--grace <duration>',
        'how long they have to end by themselves',
        reading(parseDuration),
      ),
    killBatch,
  );
  for (const word of ['hold', 'release'] as const) {
    const what = word === 'hold' ? 'keep the waiting ones from starting' : 'let held ones start';
    runner.action(batch.command(word).description(what).argument('<id>'), orderBatch(word));
  }
  runner.action(
    batch
      .command('resubmit-failed')
      .description('submit those that failed or were killed again, as a new batch')
      .argument('<id>'),
    resubmitFailed,
  );
}

async function listBatches(call: Call<ListOptions>): Promise<void> {
  const { limit, active = false, owner } = call.options;
  const { batches } = await call.api();
  const { rows } = await batches.list({
    limit,
    activeOnly: active,
    ...(owner === undefined ? {} : { owner }),
  });
  await call.answer(
    () => rows.map(batchJson),
    () => batchesTable(rows, { look: call.look, now: call.io.now() }),
  );
}

async function showBatch(call: Call, reference: string): Promise<void> {
  const batch = await (await call.api()).batches.get({ batch: reference });
  await call.answer(
    () => batchJson(batch),
    () => batchText(batch, { paint: call.paint, now: call.io.now() }),
  );
}

async function watchBatch(call: Call, reference: string): Promise<void> {
  const { batches } = await call.api();
  const feed = await batches.watch({ batch: reference }, { signal: call.signal });
  for await (const { value } of feed) {
    if (call.isJson) await call.line(batchJson(value));
    else await call.io.out.write(batchText(value, { paint: call.paint, now: call.io.now() }));
    const statuses = Object.entries(value.counts);
    if (statuses.every(([status, n]) => n === 0 || isFinal(status as never))) return;
  }
}

async function killBatch(call: Call<KillOptions>, reference: string): Promise<number> {
  const { signal, grace } = call.options;
  const { batches } = await call.api();
  const results = await batches.kill({
    batch: reference,
    signal,
    ...(grace === undefined ? {} : { graceSeconds: Math.ceil(grace / 1000) }),
  });
  return answerOrder(call, results, 'told to end');
}

function orderBatch(word: 'hold' | 'release') {
  return async (call: Call, reference: string): Promise<number> => {
    const { batches } = await call.api();
    const results = await batches[word]({ batch: reference });
    return answerOrder(call, results, word === 'hold' ? 'held' : 'released');
  };
}

async function resubmitFailed(call: Call, reference: string): Promise<number> {
  const { batches } = await call.api();
  const { taskIds, batchId } = await batches.resubmitFailed({ batch: reference });
  if (call.isJson) await call.line({ taskIds, batchId });
  else await call.io.out.write(taskIds.map((id) => `${id}\n`).join(''));
  return exitCodes.done;
}
