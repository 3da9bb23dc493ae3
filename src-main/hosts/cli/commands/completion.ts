import { Argument, type Command } from 'commander';
import { completionScript, shells } from '../completion-scripts.ts';
import type { Runner } from '../call.ts';

/** `completion`: a script for the shell, made from the commands themselves. */
export function addCompletionCommand(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('completion')
      .description('print a script that completes these commands in your shell')
      .addArgument(new Argument('<shell>').choices(shells)),
    async (call, shell: (typeof shells)[number]) => {
      await call.io.out.write(completionScript(program, shell));
    },
  );
}
