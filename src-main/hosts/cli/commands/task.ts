// The words after `kohakuriver task`.
import type { Command } from 'commander';
import type { Runner } from '../call.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { asIs, reading, wholeNumber } from '../parse/option.ts';
import { parsePair } from '../parse/pairs.ts';
import { parseSignal, parseStatuses } from '../parse/words.ts';
import { submissionOptions } from '../submission.ts';
import { addBatchCommands } from './batch.ts';
import { amendOptions, amendTasks } from './task-amend.ts';
import { listTasks } from './task-list.ts';
import { showLog } from './task-logs.ts';
import { killTasks, orderTasks, setPriority } from './task-orders.ts';
import { explainTask, showEvents, showTask } from './task-show.ts';
import { resubmitTask, submitTask } from './task-submit.ts';
import { waitForTasks } from './task-wait.ts';
import { watchTask } from './task-watch.ts';

export function addTaskCommands(program: Command, runner: Runner): void {
  const task = program.command('task').description('work in the queue and on nodes');
  addSubmitting(task, runner);
  addLooking(task, runner);
  addFollowing(task, runner);
  addOrders(task, runner);
  addAmending(task, runner);
  addBatchCommands(task, runner);
}

function addAmending(task: Command, runner: Runner): void {
  runner.action(
    amendOptions(
      task.command('amend').description('change what waiting tasks ask for').argument('<id...>'),
    ),
    amendTasks,
  );
}

function addSubmitting(task: Command, runner: Runner): void {
  runner.action(
    withWaiting(
      submissionOptions(
        task
          .command('submit')
          .description('queue a command, given after --, or a script')
          .usage('[options] -- COMMAND [ARG...]')
          .argument('[command...]'),
      ),
    ),
    submitTask,
  );
  runner.action(
    withWaiting(
      submissionOptions(
        task
          .command('resubmit')
          .description(
            'submit again what a task was, with changes; --env and --label add to what it had',
          )
          .usage('ID [options] [-- COMMAND [ARG...]]')
          .argument('<id>')
          .argument('[command...]'),
      ),
    ),
    resubmitTask,
  );
}

function withWaiting(command: Command): Command {
  return command
    .option('-w, --wait', 'wait until it has ended, and exit as it did')
    .option('--follow', 'wait, and pass on what it prints');
}

function addLooking(task: Command, runner: Runner): void {
  runner.action(
    task
      .command('list')
      .description('tasks, the newest first')
      .option('--status <status,...>', 'only in these statuses', reading(parseStatuses))
      .option('--node <node>', 'only on this node')
      .option('--name <glob>', 'only with such a name (* and ?)')
      .option('--label <name=value>', 'only with this label', reading(parsePair))
      .option('--batch <id>', 'only of this batch')
      .option('--limit <number>', 'at most so many', reading(wholeNumber(1, 1_000_000)), 50)
      .option('--all', 'without a limit'),
    listTasks,
  );
  runner.action(
    task.command('status').description('everything about a task').argument('<id>'),
    showTask,
  );
  runner.action(
    task
      .command('why')
      .description(
        'why it is still waiting: what it lacks on each node, and its place in the queue',
      )
      .argument('<id>'),
    explainTask,
  );
  runner.action(
    task.command('events').description('what happened to it').argument('<id>'),
    showEvents,
  );
}

function addFollowing(task: Command, runner: Runner): void {
  runner.action(
    task
      .command('logs')
      .description('what it printed, byte for byte')
      .argument('<id>')
      .option('-f, --follow', 'stay until it has ended')
      .option('--stderr', 'standard error instead of standard output')
      .option('--both', 'both, as they came')
      .option('--tail <number>', 'only the last lines', reading(wholeNumber(0, 1_000_000)))
      .option(
        '--since <time>',
        'only what was printed since: 2026-03-01T14:05, or 10m ago as 10m',
        asIs,
      )
      .option('--timestamps', 'begin each line with its time'),
    showLog,
  );
  runner.action(
    task.command('watch').description('a task, live, until it has ended').argument('<id>'),
    watchTask,
  );
  runner.action(
    task
      .command('wait')
      .description('wait until tasks have ended, and exit as they did')
      .argument('<id...>')
      .option(
        '--timeout <duration>',
        'give up after this time, with exit code 124',
        reading(parseDuration),
      ),
    waitForTasks,
  );
}

const orders = {
  hold: 'keep waiting tasks from starting',
  release: 'let held tasks start',
  pause: 'freeze running tasks; they keep what they hold',
  resume: 'let frozen tasks go on',
  remove: 'forget ended tasks and their logs',
} as const;

function addOrders(task: Command, runner: Runner): void {
  runner.action(
    task
      .command('kill')
      .description('end tasks: a signal, some grace, then SIGKILL')
      .argument('<id...>')
      .option('--signal <signal>', 'the signal to begin with', reading(parseSignal), 'SIGTERM')
      .option(
        '--grace <duration>',
        'how long they have to end by themselves',
        reading(parseDuration),
      ),
    killTasks,
  );
  for (const [word, description] of Object.entries(orders)) {
    runner.action(
      task.command(word).description(description).argument('<id...>'),
      orderTasks(word as keyof typeof orders),
    );
  }
  runner.action(
    task
      .command('priority')
      .description('move a task in the queue: -100 to 100, larger is sooner')
      .usage('[options] <id> -- <priority>')
      .argument('<id>')
      .argument('<priority>', 'from -100 to 100', reading(wholeNumber(-100, 100))),
    setPriority,
  );
}
