// The words after `kohakuriver reservation`.
import type { Command } from 'commander';
import type { ReservationView } from '../../../contract/queue.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { asIs, collecting, reading } from '../parse/option.ts';
import { parseUntil } from '../parse/shape.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { isoTime, localTime } from '../text/time.ts';

interface AddOptions {
  from?: string;
  to?: string;
  for?: number;
  owner?: readonly string[];
  gpus?: string;
  note?: string;
}

export function addReservationCommands(program: Command, runner: Runner): void {
  const reservation = program
    .command('reservation')
    .description('keep a node, or GPUs of it, for somebody for a time');
  runner.action(
    reservation
      .command('add')
      .description('tasks of others are kept off it; what runs there already goes on')
      .argument('<node>')
      .option('--gpus <index,...>', 'only these GPUs of it', asIs)
      .option('--from <time>', 'as 2026-03-01T14:05, or 2h for in two hours; else from now', asIs)
      .option('--to <time>', 'until then', asIs)
      .option('--for <duration>', 'for so long', reading(parseDuration))
      .option('--owner <name>', 'for whose tasks (repeatable); else yours', collecting(asIs))
      .option('--note <text>', 'what it is for', asIs),
    addReservation,
  );
  runner.action(
    reservation.command('list').alias('ls').description('what is reserved, and for whom'),
    listReservations,
  );
  runner.action(
    reservation
      .command('remove')
      .alias('rm')
      .description('end a reservation')
      .argument('<id>', 'its ID, or an ending of it of 6 digits or more'),
    removeReservation,
  );
}

async function addReservation(call: Call<AddOptions>, node: string): Promise<void> {
  const { options } = call;
  const now = call.io.now();
  const from = options.from === undefined ? now : parseUntil(options.from, now);
  const { reservations } = await call.api();
  const made = await reservations.add({
    node,
    from,
    to: endOf(options, { from, now }),
    gpus: options.gpus === undefined ? null : parseIndices(options.gpus),
    note: options.note ?? null,
    ...(options.owner === undefined ? {} : { owners: [...options.owner] }),
  });
  await call.answer(
    () => reservationJson(made),
    () => `${made.id}\n`,
  );
}

function endOf(options: AddOptions, { from, now }: { from: number; now: number }): number {
  if ((options.to === undefined) === (options.for === undefined))
    throw new UsageError('Say until when with --to, or how long with --for.');
  return options.to === undefined ? from + (options.for ?? 0) : parseUntil(options.to, now);
}

function parseIndices(text: string): number[] {
  return text.split(',').map((part) => {
    if (/^\d{1,3}$/.test(part)) return Number(part);
    throw new UsageError(`"${text}" is no list of GPUs: write their numbers, such as 0,1.`);
  });
}

async function listReservations(call: Call): Promise<void> {
  const found = await (await call.api()).reservations.list();
  await call.answer(
    () => found.map(reservationJson),
    () =>
      formatTable<ReservationView>(
        [
          { title: 'ID', cell: ({ id }) => id },
          { title: 'NODE', cell: ({ node }) => clean(node ?? '') },
          { title: 'GPUS', cell: ({ gpus }) => gpus?.join(',') ?? 'all of it' },
          { title: 'FROM', cell: ({ from }) => localTime(from) },
          { title: 'TO', cell: ({ to }) => localTime(to) },
          { title: 'FOR', cell: ({ owners }) => clean(owners.join(', ')), canShrink: true },
          { title: 'NOTE', cell: ({ note }) => clean(note ?? ''), canShrink: true },
        ],
        found,
        call.look,
      ),
  );
}

function reservationJson({ from, to, ...rest }: ReservationView) {
  return { ...rest, from: isoTime(from), to: isoTime(to) };
}

async function removeReservation(call: Call, id: string): Promise<void> {
  const removed = await (await call.api()).reservations.remove({ reservation: id });
  await call.answer(
    () => removed,
    () => `${removed.id}\n`,
  );
}
