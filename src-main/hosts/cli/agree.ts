import type { Call } from './call.ts';
import { CliError, UsageError } from './errors.ts';

/**
 * Asks before something is gone, where somebody sits; elsewhere it has to be said with `--yes`.
 * @throws UsageError where nobody can be asked; CliError `conflict/state` when the answer is no
 */
export async function agree(call: Call<{ yes?: boolean }>, question: string): Promise<void> {
  if (call.options.yes === true) return;
  const { prompts } = call.io;
  if (prompts === undefined) throw new UsageError(`${question} Say so with --yes.`);
  if (!(await prompts.confirm(question))) {
    throw new CliError('conflict/state', 'Nothing was changed.');
  }
}
