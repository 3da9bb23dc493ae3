// `forward` and `forward list|stop`.
import { Option, type Command } from 'commander';
import type { ForwardSpec, ForwardView } from '../../../contract/forwards.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { reading, wholeNumber } from '../parse/option.ts';
import { findTarget } from '../terminal-target.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';

interface ForwardOptions {
  localPort?: number;
  bind?: string;
  reverse?: boolean;
  socks?: boolean;
  detach?: boolean;
}

const anyPort = wholeNumber(1, 65_535);

/** A port there, as `8888` or `53/udp`. */
interface FarPort {
  readonly port: number;
  readonly isUdp: boolean;
}

function farPort(text: string): FarPort {
  const [number = '', protocol] = text.split('/');
  if (protocol !== undefined && protocol !== 'udp' && protocol !== 'tcp') {
    throw new UsageError(`A port is written as 8888 or 53/udp, not ${text}.`);
  }
  return { port: anyPort(number), isUdp: protocol === 'udp' };
}

export function addForwardCommands(program: Command, runner: Runner): void {
  const forward = program
    .command('forward')
    .description('a port of a VPS, a task or a node, at this computer; stays until Ctrl-C')
    .usage('[options] <id> [port]')
    .argument('<id>', 'a VPS, a task or a node; or: list, pause, resume, stop')
    .argument('[port]', 'its port, as 8888 or 53/udp', reading(farPort))
    .option(
      '--local-port <port>',
      'the port here (else the same one, or a free one)',
      reading(anyPort),
    )
    .option('--bind <address>', 'the address here', '127.0.0.1')
    .addOption(
      new Option('--reverse', 'a port of the node leads to this computer').conflicts('socks'),
    )
    .option('--socks', 'a SOCKS5 proxy into the network of the node')
    .option('--detach', 'keep it: it stays, also after a restart of the core');
  runner.action(forward, openForward, { isPatient: true });
  runner.action(forward.command('list').description('forwards that are kept'), listForwards);
  runner.action(
    forward
      .command('pause')
      .description('let nothing through, and keep them')
      .argument('<forward...>'),
    pauseForwards,
  );
  runner.action(
    forward.command('resume').description('open paused ones again').argument('<forward...>'),
    resumeForwards,
  );
  runner.action(
    forward.command('stop').description('end forwards').argument('<forward...>'),
    stopForwards,
  );
}

async function openForward(
  call: Call<ForwardOptions>,
  reference: string,
  port: FarPort | undefined,
): Promise<void> {
  const { api } = await call.connect();
  const target = await findTarget(api, reference);
  const view = await api.forwards.add({ spec: specOf(call.options, { target, port }) });
  await call.answer(
    () => view,
    () => `${describe(view)}\n`,
  );
  if (call.options.detach === true) return;
  await untilInterrupted(call.signal);
  await api.forwards.remove({ forward: view.id });
}

function specOf(
  { localPort, bind = '127.0.0.1', reverse, socks }: ForwardOptions,
  { target, port: far }: { target: ForwardSpec['target']; port: FarPort | undefined },
): ForwardSpec {
  const here = { target, bind, localPort: localPort ?? null };
  if (socks === true) {
    if (far !== undefined) throw new UsageError('A SOCKS proxy takes no port of the far side.');
    return { kind: 'socks', ...here };
  }
  if (far === undefined) throw new UsageError('Say which port to forward, as 8888 or 53/udp.');
  const there = { port: far.port, host: null, ...here };
  if (reverse === true) {
    if (far.isUdp) throw new UsageError('A reverse forward carries TCP.');
    return { kind: 'reverse', ...there };
  }
  return { kind: far.isUdp ? 'udp' : 'tcp', ...there };
}

function describe({ spec, place, localPort }: ForwardView): string {
  const here = `${spec.bind}:${String(localPort ?? '?')}`;
  if (spec.kind === 'socks') return `socks5://${here} leads into the network of ${clean(place)}`;
  const udp = spec.kind === 'udp' ? 'UDP ' : '';
  return spec.kind !== 'reverse'
    ? `${udp}${here} leads to ${udp}port ${String(spec.port)} of ${clean(place)}`
    : `port ${String(spec.port)} of ${clean(place)} leads to ${here}`;
}

function untilInterrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function listForwards(call: Call): Promise<void> {
  const list = await (await call.api()).forwards.list();
  await call.answer(
    () => list,
    () =>
      list.length === 0
        ? 'There are no forwards.\n'
        : formatTable<ForwardView>(
            [
              { title: 'ID', cell: ({ id }) => id },
              { title: 'WHAT', cell: describe, canShrink: true },
              { title: 'STATE', cell: ({ state }) => state },
              { title: 'CONNECTIONS', cell: (view) => String(view.connections), align: 'right' },
              { title: 'UP', cell: (view) => String(view.bytesUp), align: 'right' },
              { title: 'DOWN', cell: (view) => String(view.bytesDown), align: 'right' },
              { title: 'REASON', cell: ({ reason }) => clean(reason ?? ''), canShrink: true },
            ],
            list,
            call.look,
          ),
  );
}

async function stopForwards(call: Call, ids: readonly string[]): Promise<void> {
  const { forwards } = await call.api();
  for (const forward of ids) await forwards.remove({ forward });
  await call.answer(
    () => ({ stopped: ids }),
    () => '',
  );
}

async function pauseForwards(call: Call, ids: readonly string[]): Promise<void> {
  const { forwards } = await call.api();
  await answerEach(call, ids, (forward) => forwards.pause({ forward }));
}

async function resumeForwards(call: Call, ids: readonly string[]): Promise<void> {
  const { forwards } = await call.api();
  await answerEach(call, ids, (forward) => forwards.resume({ forward }));
}

async function answerEach(
  call: Call,
  ids: readonly string[],
  order: (id: string) => Promise<ForwardView>,
): Promise<void> {
  const views: ForwardView[] = [];
  for (const id of ids) views.push(await order(id));
  await call.answer(
    () => views,
    () => views.map((view) => `${describe(view)}: ${view.state}\n`).join(''),
  );
}
