// All words of the command line.
import { Command, Option } from 'commander';
import { Call, type GlobalOptions, type Outcome, type Runner } from './call.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommands } from './commands/config.ts';
import { addCoreCommands } from './commands/core.ts';
import { addCopyCommand } from './commands/cp.ts';
import { addEnvironmentCommands } from './commands/env.ts';
import { addFileCommands } from './commands/files.ts';
import { addForwardCommands } from './commands/forward.ts';
import { addImageCommands } from './commands/image.ts';
import { addNodeCommands } from './commands/node.ts';
import { addQueueCommands } from './commands/queue.ts';
import { addRegistryCommands } from './commands/registry.ts';
import { addReservationCommands } from './commands/reservation.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSshCommands } from './commands/ssh.ts';
import { addTaskCommands } from './commands/task.ts';
import { addTerminalCommands } from './commands/terminal.ts';
import { addVpsCommands } from './commands/vps.ts';
import { addSyncCommand } from './commands/sync.ts';
import { addTransferCommands } from './commands/transfers.ts';
import type { Io } from './io.ts';
import { report } from './report.ts';
import { exitCodes } from './exit-codes.ts';
import { findPlaces } from '../places.ts';

/** Runs one command line. Never throws: everything ends in an exit code. */
export async function runCli(
  words: readonly string[],
  { io, signal }: { io: Io; signal: AbortSignal },
): Promise<number> {
  let exitCode: number = exitCodes.done;
  const runner: Runner = {
    action<Options extends object>(
      command: Command,
      work: (call: Call<Options>, ...args: never[]) => Outcome,
      { isPatient = false } = {},
    ) {
      return command.action(async (...args: unknown[]) => {
        const globals = command.optsWithGlobals<GlobalOptions>();
        await using call = new Call({ io, signal, globals, options: command.opts<Options>() });
        // Commander adds the options and the command after the arguments.
        const result = settled(work(call, ...(args.slice(0, -2) as never[])));
        exitCode = await (isPatient ? result : unlessAborted(result, signal));
      });
    },
  };
  const program = createProgram(runner, io);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, io, program.opts<GlobalOptions>().json === true);
  }
}

/** The tree of commands. */
export function createProgram(runner: Runner, io: Pick<Io, 'out' | 'err'>): Command {
  const program = new Command('kohakuriver')
    .description('GPU machines as one computer: nodes over SSH, a queue, and no agents.')
    .version(findPlaces(import.meta.url).version)
    .addOption(new Option('--json', 'answer with one JSON document, or one JSON object a line'))
    .addOption(
      new Option('--data-dir <dir>', 'the data directory of the core (KOHAKURIVER_DATA_DIR)'),
    )
    .addOption(new Option('--url <url>', 'a core elsewhere (KOHAKURIVER_URL)'))
    .addOption(new Option('--token <token>', 'its token (KOHAKURIVER_TOKEN)'))
    .addOption(new Option('--no-spawn', 'do not start a core in the background'))
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void io.out.write(text),
      writeErr: (text) => void io.err.write(text),
      // Said by report(), in the form that was asked for.
      outputError: () => undefined,
    });
  addServeCommand(program, runner);
  addCoreCommands(program, runner);
  addConfigCommands(program, runner);
  addNodeCommands(program, runner);
  addTaskCommands(program, runner);
  addQueueCommands(program, runner);
  addReservationCommands(program, runner);
  addVpsCommands(program, runner);
  addEnvironmentCommands(program, runner);
  addImageCommands(program, runner);
  addRegistryCommands(program, runner);
  addTerminalCommands(program, runner);
  addCopyCommand(program, runner);
  addSyncCommand(program, runner);
  addTransferCommands(program, runner);
  addFileCommands(program, runner);
  addSshCommands(program, runner);
  addForwardCommands(program, runner);
  addCompletionCommand(program, runner);
  return program;
}

async function settled(outcome: Outcome): Promise<number> {
  return (await outcome) ?? exitCodes.done;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
