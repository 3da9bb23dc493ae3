// `registry`: who we are for registries that want to know.
import type { Command } from 'commander';
import type { RegistryView } from '../../../contract/registries.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';

interface LoginOptions {
  username: string;
  passwordStdin?: boolean;
  node?: string;
  verify: boolean;
}

export function addRegistryCommands(program: Command, runner: Runner): void {
  const registry = program
    .command('registry')
    .description('accounts at registries of images, used by every pull');
  runner.action(
    registry
      .command('login')
      .description('keep a name and password for a registry, in the vault of the core')
      .argument('<host>', 'such as registry.example:5000; docker.io for Docker Hub')
      .requiredOption('-u, --username <name>', 'who you are there')
      .option('--password-stdin', 'read the password from standard input')
      .option('--node <node>', 'the node that asks the registry (default: the first with Docker)')
      .option('--no-verify', 'keep it without asking the registry'),
    login,
  );
  runner.action(registry.command('logout').description('forget it').argument('<host>'), logout);
  runner.action(registry.command('list').description('what is kept, without passwords'), list);
}

async function login(call: Call<LoginOptions>, host: string): Promise<void> {
  const { username, node, verify } = call.options;
  const password = await passwordOf(call, host);
  const { registries } = await call.api();
  const kept = await registries.login({
    host,
    username,
    password,
    verify,
    ...(node === undefined ? {} : { node }),
  });
  await call.answer(
    () => kept,
    () =>
      kept.verifiedOn === null
        ? `Kept for ${kept.host}; the registry was not asked.\n`
        : `${kept.host} lets ${clean(kept.username ?? username)} in, as ${clean(kept.verifiedOn)} sees it.\n`,
  );
}

/** Never an argument: those are seen by everybody on the computer. */
async function passwordOf(call: Call<LoginOptions>, host: string): Promise<string> {
  const { prompts, readInput } = call.io;
  if (call.options.passwordStdin === true) {
    const text = (await readInput()).replace(/\r?\n$/, '');
    if (text === '') throw new UsageError('There is no password on standard input.');
    return text;
  }
  if (prompts === undefined) {
    throw new UsageError('Nobody can be asked for the password: give it with --password-stdin.');
  }
  const text = await prompts.secret(`Password for ${host}`);
  if (text === undefined) throw new UsageError('No password was given.');
  return text;
}

async function logout(call: Call, host: string): Promise<void> {
  const gone = await (await call.api()).registries.logout({ host });
  await call.answer(
    () => gone,
    () => `Nothing is kept for ${gone.host} any more.\n`,
  );
}

async function list(call: Call): Promise<void> {
  const all = await (await call.api()).registries.list();
  await call.answer(
    () => all,
    () =>
      all.length === 0
        ? 'Nothing is kept for any registry.\n'
        : formatTable<RegistryView>(
            [
              { title: 'REGISTRY', cell: ({ host }) => host },
              { title: 'USER', cell: ({ username }) => clean(username ?? '(the vault is locked)') },
            ],
            all,
            call.look,
          ),
  );
}
