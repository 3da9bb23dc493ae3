// The words after `kohakuriver vps`.
import { Option, type Command } from 'commander';
import { parseDuration } from '../../../domain/duration.ts';
import { parseMemorySize } from '../../../domain/size.ts';
import type { Runner } from '../call.ts';
import { parseMount } from '../parse/mount.ts';
import { asIs, collecting, reading, wholeNumber } from '../parse/option.ts';
import { parsePair } from '../parse/pairs.ts';
import { parsePort } from '../parse/port.ts';
import { exportSnapshot, importSnapshot } from './snapshot-files.ts';
import { createVps } from './vps-create.ts';
import {
  cloneVps,
  deleteSnapshot,
  listSnapshots,
  restoreSnapshot,
  takeSnapshot,
} from './vps-snapshots.ts';
import {
  listVps,
  orderVps,
  removeVps,
  renameVps,
  restartVps,
  showVps,
  startVps,
  stopVps,
  updateVps,
} from './vps-orders.ts';

export function addVpsCommands(program: Command, runner: Runner): void {
  const vps = program
    .command('vps')
    .description('machines to work in: they run until stopped, and keep their disk');
  addCreate(vps, runner);
  addLooking(vps, runner);
  addOrders(vps, runner);
  addChanges(vps, runner);
  addSnapshots(vps, runner);
}

function addCreate(vps: Command, runner: Runner): void {
  const create = vps
    .command('create')
    .description('make a VPS and start it as soon as there is room');
  runner.action(withPolicy(withSsh(withInside(withResources(create)))), createVps);
}

function withResources(command: Command): Command {
  return command
    .option(
      '-t, --target <target>',
      'node, node:numa, node::gpu,gpu or node:numa::gpu,gpu; without it the scheduler chooses',
      collecting(asIs),
    )
    .option(
      '-c, --cores <number>',
      'processor cores; 0 for no limit',
      reading(wholeNumber(0, 4096)),
    )
    .option('-m, --memory <size>', 'memory, such as 512M or 8G', reading(parseMemorySize))
    .option('--gpus <number>', 'so many GPUs, wherever they are free', reading(wholeNumber(1, 64)))
    .option('--gpu-model <text>', 'GPUs with this in the name of their model')
    .option('--gpu-memory <size>', 'GPUs with at least this much memory', reading(parseMemorySize))
    .option(
      '--on-node-label <name=value>',
      'only on nodes with this label (repeatable)',
      collecting(parsePair),
    )
    .option('--avoid-node <node>', 'not on this node (repeatable)', collecting(asIs))
    .option(
      '--priority <number>',
      'from -100 to 100, larger is sooner',
      reading(wholeNumber(-100, 100)),
    );
}

function withInside(command: Command): Command {
  return command
    .addOption(
      new Option('--container <environment>', 'made from an environment').conflicts('image'),
    )
    .option('--image <reference>', 'made from an image')
    .option('--name <name>', 'what to call it: lower-case letters, digits and "-"')
    .option('--env <name=value>', 'variable (repeatable)', collecting(parsePair))
    .option('--env-file <file>', 'variables, NAME=VALUE a line')
    .option(
      '--secret-env <name>',
      'variable that is kept secret; its value is taken from the environment of this command, or asked for (repeatable)',
      collecting(asIs),
    )
    .option(
      '--mount <src:dst[:ro]>',
      'directory of the node to show inside (repeatable)',
      collecting(parseMount),
    )
    .option(
      '--port <[[address:]host:]port>',
      'publish a port on the node; nothing is published otherwise, and SSH and forwards need none (repeatable)',
      collecting(parsePort),
    )
    .option('--label <name=value>', 'label (repeatable)', collecting(parsePair))
    .option('--privileged', 'give it the rights of the node')
    .option('--owner <name>', 'create in the name of somebody else');
}

function withSsh(command: Command): Command {
  return command
    .option('--ssh', 'set SSH up inside, with a key made here')
    .option('--no-ssh-key', 'set SSH up inside for root without a password')
    .option('--gen-ssh-key', 'the same as --ssh')
    .option('--public-key-file <file>', 'set SSH up inside for this public key')
    .option('--public-key-string <key>', 'the same, with the key itself')
    .option(
      '--key-out-file <file>',
      'where the private key made here goes (default: ~/.ssh/id-kohakuriver-ID)',
    );
}

function withPolicy(command: Command): Command {
  return command
    .option('--snapshot-on-stop', 'take a snapshot whenever it was stopped')
    .option('--snapshot-on-remove', 'take a snapshot before it is removed')
    .option(
      '--keep-snapshots <number>',
      'keep the newest so many; 0 keeps all',
      reading(wholeNumber(0, 1000)),
    );
}

function addLooking(vps: Command, runner: Runner): void {
  runner.action(vps.command('list').description('all of them, the newest first'), listVps);
  runner.action(
    vps.command('status').description('everything about one').argument('<vps>'),
    showVps,
  );
}

const grace = [
  '--grace <duration>',
  'how long what runs in it has to end by itself',
  reading(parseDuration),
] as const;

function addOrders(vps: Command, runner: Runner): void {
  runner.action(
    vps
      .command('start')
      .description('start one that rests, as soon as there is room')
      .argument('<vps>')
      .option('--now', 'refuse instead of waiting for room')
      .option('-w, --wait', 'until it runs'),
    startVps,
  );
  runner.action(
    vps
      .command('stop')
      .description('let it rest: its disk stays, its GPUs and cores are free for others')
      .argument('<vps>')
      .option(...grace)
      .option('--snapshot', 'take a snapshot once it rests')
      .option('--no-snapshot', 'take none, whatever is set')
      .option('-w, --wait', 'until it rests'),
    stopVps,
  );
  runner.action(
    vps
      .command('restart')
      .description('stop it and start it where it is; one that rests is started')
      .argument('<vps>')
      .option(...grace),
    restartVps,
  );
  runner.action(
    vps.command('pause').description('freeze it; it keeps what it holds').argument('<vps>'),
    orderVps('pause'),
  );
  runner.action(
    vps.command('resume').description('let a frozen one go on').argument('<vps>'),
    orderVps('resume'),
  );
}

function addChanges(vps: Command, runner: Runner): void {
  runner.action(
    vps.command('rename').description('give it another name').argument('<vps>').argument('<name>'),
    renameVps,
  );
  const update = vps
    .command('update')
    .description('change its limits while it runs, and what becomes of its snapshots')
    .argument('<vps>')
    .option(
      '-c, --cores <number>',
      'processor cores; 0 for no limit',
      reading(wholeNumber(0, 4096)),
    )
    .option('-m, --memory <size>', 'memory, such as 512M or 8G', reading(parseMemorySize));
  runner.action(
    withPolicy(update)
      .option('--no-snapshot-on-stop', 'take none when it is stopped')
      .option('--no-snapshot-on-remove', 'take none before it is removed'),
    updateVps,
  );
  runner.action(
    vps
      .command('remove')
      .description('end it for good, with everything on its disk')
      .argument('<vps>')
      .option('--snapshot', 'take a snapshot first')
      .option('--no-snapshot', 'take none, whatever is set')
      .option('-y, --yes', 'do not ask'),
    removeVps,
  );
}

function addSnapshots(vps: Command, runner: Runner): void {
  const snapshot = vps.command('snapshot').description('its disk as it was');
  runner.action(
    snapshot
      .command('create')
      .description('take one now, whether it runs or rests')
      .argument('<vps>')
      .option('--note <text>', 'what it is for'),
    takeSnapshot,
  );
  runner.action(
    snapshot.command('list').description('the newest first').argument('<vps>'),
    listSnapshots,
  );
  runner.action(
    snapshot
      .command('restore')
      .description('give one that rests this disk; what came after it is gone')
      .argument('<vps>')
      .argument('<tag>')
      .option('-y, --yes', 'do not ask'),
    restoreSnapshot,
  );
  runner.action(
    snapshot
      .command('delete')
      .description('delete one')
      .argument('<vps>')
      .argument('<tag>')
      .option('-y, --yes', 'do not ask'),
    deleteSnapshot,
  );
  addSnapshotFiles(snapshot, runner);
  runner.action(
    vps
      .command('clone')
      .description('a new VPS with the same wishes, from a snapshot or from how it is now')
      .argument('<vps>')
      .requiredOption('--name <name>', 'what to call it')
      .option('--snapshot <tag>', 'from this snapshot')
      .option('--node <node>', 'on this node; the snapshot is copied there'),
    cloneVps,
  );
}

function addSnapshotFiles(snapshot: Command, runner: Runner): void {
  runner.action(
    snapshot
      .command('export')
      .description('one as a file on this computer, to keep or to take elsewhere')
      .argument('<vps>')
      .argument('<tag>')
      .argument('<file>', 'its name usually ends in .snapshot.tar.gz; -: standard output')
      .option('-f, --force', 'in the place of a file that is there'),
    exportSnapshot,
  );
  runner.action(
    snapshot
      .command('import')
      .description('a new VPS from such a file, on any node')
      .argument('<file>', '-: standard input')
      .option('--name <name>', 'what to call it (default: as in the file)')
      .option('--node <node>', 'on this node (default: the computer of the core, or the first)'),
    importSnapshot,
  );
}
