// `env …`: environments, made once and brought to the nodes that need them.
import type { Command } from 'commander';
import { environmentTag } from '../../../contract/environments.ts';
import type { Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { reading, wholeNumber } from '../parse/option.ts';
import { connectTerminal } from './terminal-connect.ts';
import {
  createEnvironment,
  discardBuild,
  saveVersion,
  startBuild,
  stopBuild,
} from './env-build.ts';
import {
  distribute,
  listEnvironments,
  pruneVersions,
  removeEnvironment,
  showEnvironment,
} from './env-versions.ts';

const tag = (text: string): string => {
  const read = environmentTag.safeParse(text);
  if (!read.success) throw new UsageError(`"${text}" is no tag; one looks like base or cuda12.`);
  return read.data;
};

export function addEnvironmentCommands(program: Command, runner: Runner): void {
  const env = program
    .command('env')
    .description('environments: images made in a container or by a Dockerfile, kept in versions');
  runner.action(env.command('list').description('all of them'), listEnvironments);
  runner.action(
    env.command('show').description('its versions, and where they are').argument('<name>'),
    showEnvironment,
  );
  addBuilding(env, runner);
  runner.action(
    env
      .command('distribute')
      .description('bring a version to nodes (all with Docker); only what is missing is sent')
      .argument('<name>')
      .argument('[node...]')
      .option('--tag <tag>', 'of which tag', reading(tag), 'base')
      .option('--no-wait', 'do not wait until it is there'),
    distribute,
    { isPatient: true },
  );
  runner.action(
    env
      .command('remove')
      .description('with its container and its images on every node that answers')
      .argument('<name>')
      .option('-y, --yes', 'do not ask'),
    removeEnvironment,
  );
  runner.action(
    env
      .command('prune')
      .description('remove old versions that nothing needs; shows them first')
      .option(
        '--keep <count>',
        'newest versions of each tag to keep',
        reading(wholeNumber(1, 100)),
        2,
      )
      .option('--dry-run', 'only show them')
      .option('-y, --yes', 'do not ask'),
    pruneVersions,
  );
}

function addBuilding(env: Command, runner: Runner): void {
  runner.action(
    env
      .command('create')
      .description('begin one: a container to work in, or a Dockerfile that is run')
      .argument('<name>')
      .option('--from <image>', 'the image to begin with')
      .option('--dockerfile <file>', 'run this Dockerfile instead')
      .option('--node <node>', 'where it is made (this computer, or the first with Docker)')
      .option('--note <text>', 'what it is for')
      .option('--no-wait', 'do not wait until it is ready'),
    createEnvironment,
    { isPatient: true },
  );
  runner.action(
    env.command('shell').description('a terminal in its container').argument('<name>'),
    async (call, name: string) => {
      const { api } = await call.connect();
      const { build } = await api.environments.get({ environment: name });
      if (build?.container == null) {
        throw new UsageError(`${name} has no container to work in. Begin one with env create.`);
      }
      const { nodeId: node, container } = build;
      return connectTerminal(call, { kind: 'container', node, container });
    },
    { isPatient: true },
  );
  runner.action(
    env
      .command('save')
      .description('keep it as it is now, as the newest version of a tag')
      .argument('<name>')
      .option('--tag <tag>', 'which tag', reading(tag), 'base')
      .option('--note <text>', 'what is new'),
    saveVersion,
  );
  const order = (word: string, text: string, work: typeof startBuild) =>
    runner.action(env.command(word).description(text).argument('<name>'), work);
  order('start', 'start its container', startBuild);
  order('stop', 'stop its container; its disk stays', stopBuild);
  order('discard', 'give its container up; saved versions stay', discardBuild);
}
