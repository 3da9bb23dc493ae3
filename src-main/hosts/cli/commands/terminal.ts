// `connect` and `terminal …`.
import type { Command } from 'commander';
import type { TerminalView } from '../../../contract/terminals.ts';
import type { Call, Runner } from '../call.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { localTime } from '../text/time.ts';
import { connectTerminal } from './terminal-connect.ts';
import { execThere } from './terminal-exec.ts';

export function addTerminalCommands(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('connect')
      .description('work in a VPS, a task’s container or a node; leave with ~.')
      .argument('<id>', 'a VPS, a task, a node, or a terminal that was left'),
    connectTerminal,
  );
  const terminal = program.command('terminal').description('terminals and programs in them');
  runner.action(terminal.command('list').description('the terminals that are open'), listTerminals);
  runner.action(
    terminal.command('close').description('hang up terminals').argument('<terminal...>'),
    closeTerminals,
  );
  runner.action(
    terminal
      .command('exec')
      .description('run a program there, and exit as it did')
      .usage('[options] <id> -- <command> [argument...]')
      .argument('<id>', 'a VPS, a task or a node')
      .argument('<command...>')
      .option('-i, --interactive', 'give it our standard input')
      .option('-t, --tty', 'on a terminal of the size of ours'),
    execThere,
  );
}

async function listTerminals(call: Call): Promise<void> {
  const terminals = await (await call.api()).terminals.list();
  await call.answer(
    () => terminals,
    () =>
      terminals.length === 0
        ? 'No terminals are open.\n'
        : formatTable<TerminalView>(
            [
              { title: 'ID', cell: ({ id }) => id },
              { title: 'NAME', cell: ({ name, title }) => clean(name ?? title), canShrink: true },
              { title: 'PLACE', cell: ({ place }) => clean(place), canShrink: true },
              { title: 'STATE', cell: ({ state }) => state },
              { title: 'VIEWERS', cell: ({ viewers }) => String(viewers), align: 'right' },
              { title: 'OPENED', cell: ({ openedAt }) => localTime(openedAt) },
            ],
            terminals,
            call.look,
          ),
  );
}

async function closeTerminals(call: Call, ids: readonly string[]): Promise<void> {
  const { terminals } = await call.api();
  for (const terminal of ids) await terminals.close({ terminal });
  await call.answer(
    () => ({ closed: ids }),
    () => '',
  );
}
