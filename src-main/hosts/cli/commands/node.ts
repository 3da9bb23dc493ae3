// The words after `kohakuriver node`.
import type { Command } from 'commander';
import type { Runner } from '../call.ts';
import { asIs, collecting, reading, wholeNumber } from '../parse/option.ts';
import { parseDestination } from '../parse/destination.ts';
import { parsePair } from '../parse/pairs.ts';
import { addNode } from './node-add.ts';
import { importSshConfig } from './node-import.ts';
import { changeNode, labelNode, removeNode, renameNode } from './node-change.ts';
import { listNodes, showHealth, showNode, showProcesses, showSummary } from './node-show.ts';
import { watchNode } from './node-watch.ts';

export function addNodeCommands(program: Command, runner: Runner): void {
  const node = program.command('node').description('the machines work runs on');
  addJoining(node, runner);
  addLooking(node, runner);
  addChanging(node, runner);
}

function addJoining(node: Command, runner: Runner): void {
  runner.action(
    withConsent(
      node
        .command('add')
        .description('reach a machine over SSH, look at it, and keep it as a node')
        .argument('<destination>', '[USER@]HOST[:PORT]', reading(parseDestination))
        .option('--name <name>', 'what to call it')
        .option('--identity <file>', 'private key to sign in with')
        .option('--password-stdin', 'read the password from standard input')
        .option(
          '--jump <destination>',
          'go through this host first (repeatable)',
          collecting(parseDestination),
        ),
    ),
    addNode,
  );
  runner.action(
    withConsent(
      node
        .command('import-ssh-config')
        .description('add hosts of ~/.ssh/config; without a name, list those that could be added')
        .argument('[host...]')
        .option('--all', 'add all of them'),
    ),
    importSshConfig,
  );
}

function withConsent(command: Command): Command {
  return command
    .option('--label <name=value>', 'label (repeatable)', collecting(parsePair))
    .option(
      '--accept-host-key <fingerprint>',
      'accept a new host key with this fingerprint, SHA256:… (repeatable)',
      collecting(asIs),
    )
    .option('--accept-new-host-key', 'accept any host key not seen before');
}

function addLooking(node: Command, runner: Runner): void {
  runner.action(node.command('list').description('all nodes'), listNodes);
  runner.action(
    node.command('status').description('everything about one node').argument('<node>'),
    showNode,
  );
  runner.action(
    node.command('health').description('what is amiss, on one node or all').argument('[node]'),
    showHealth,
  );
  runner.action(node.command('summary').description('all nodes as one computer'), showSummary);
  runner.action(
    node.command('watch').description('what a node does, live').argument('<node>'),
    watchNode,
  );
  runner.action(
    node
      .command('processes')
      .description('what runs on a node, whoever started it')
      .argument('<node>')
      .option('--limit <number>', 'at most so many', reading(wholeNumber(1, 2000)), 200),
    showProcesses,
  );
}

const changes = {
  drain: 'let running work end and give it nothing new',
  undrain: 'give it work again',
  disable: 'leave it alone: no connection, no work',
  enable: 'connect to it again',
} as const;

function addChanging(node: Command, runner: Runner): void {
  for (const [word, description] of Object.entries(changes)) {
    runner.action(
      node.command(word).description(description).argument('<node>'),
      changeNode(word as keyof typeof changes),
    );
  }
  runner.action(
    node
      .command('rename')
      .description('give it another name')
      .argument('<node>')
      .argument('<new-name>'),
    renameNode,
  );
  runner.action(
    node
      .command('label')
      .description('set labels; NAME= removes one')
      .argument('<node>')
      .argument('<name=value...>'),
    labelNode,
  );
  runner.action(
    node
      .command('remove')
      .description('forget a node; refused while work is on it')
      .argument('<node>')
      .option('--force', 'even then, and leave the work behind'),
    removeNode,
  );
}
