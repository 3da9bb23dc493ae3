import { AppError } from '../../../contract/errors.ts';
import type { NodeView } from '../../../contract/node.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { nodeJson } from '../shape/node-json.ts';
import { clean } from '../text/clean.ts';
import { nodesTable } from '../text/node-text.ts';
import { formatTable } from '../text/table.ts';
import { withUsage } from '../usage-of-nodes.ts';
import { join, type AddOptions } from './node-add.ts';

type ImportOptions = Pick<AddOptions, 'label' | 'acceptHostKey' | 'acceptNewHostKey'> & {
  all?: boolean;
};

/** `node import-ssh-config`: adds hosts by their alias, or lists those there are. */
export async function importSshConfig(
  call: Call<ImportOptions>,
  aliases: readonly string[],
): Promise<number> {
  if (call.options.all === true && aliases.length > 0) {
    throw new UsageError('Name the hosts, or give --all, not both.');
  }
  const hosts = await (await call.api()).nodes.sshConfigHosts();
  if (call.options.all !== true && aliases.length === 0) return listHosts(call, hosts);
  const unknown = aliases.filter((name) => !hosts.some(({ alias }) => alias === name));
  if (unknown.length > 0) {
    throw new UsageError(`~/.ssh/config has no host ${unknown.join(', ')}.`);
  }
  const chosen = hosts.filter(
    ({ alias, known }) => aliases.includes(alias) || (aliases.length === 0 && !known),
  );
  return addAll(
    call,
    chosen.map(({ alias }) => alias),
  );
}

type ConfigHost = Awaited<
  ReturnType<Awaited<ReturnType<Call['api']>>['nodes']['sshConfigHosts']>
>[number];

async function listHosts(call: Call, hosts: readonly ConfigHost[]): Promise<number> {
  await call.answer(
    () => hosts,
    () =>
      formatTable<ConfigHost>(
        [
          { title: 'HOST', cell: ({ alias }) => clean(alias) },
          { title: 'ADDRESS', cell: ({ host, port }) => clean(`${host}:${String(port)}`) },
          { title: 'USER', cell: ({ user }) => clean(user ?? '') },
          { title: 'NODE', cell: ({ known }) => (known ? 'already' : 'not yet') },
        ],
        hosts,
        call.look,
      ),
  );
  return exitCodes.done;
}

/** Goes on after a host that cannot be added, and says so in the end. */
async function addAll(call: Call<ImportOptions>, aliases: readonly string[]): Promise<number> {
  const added: NodeView[] = [];
  for (const alias of aliases) {
    try {
      const host = { destination: { host: alias }, jumps: [], useSshConfig: true };
      added.push(await join(call, { host }));
      await call.say(`Added ${alias}.`);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'core/unavailable') throw error;
      await call.say(`${alias}: ${error.message}`);
    }
  }
  const nodes = await withUsage(await call.api(), added);
  await call.answer(
    () => nodes.map(({ node, sample }) => nodeJson(node, sample)),
    () => nodesTable(nodes, call.look),
  );
  return added.length === aliases.length ? exitCodes.done : exitCodes.failed;
}
