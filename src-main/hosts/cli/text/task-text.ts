import type { TaskEventView, TaskView, WaitReason } from '../../../contract/task.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { formatBytes } from '../../../domain/size.ts';
import { amendArguments, typedCommand } from './amend-text.ts';
import { commandOf } from '../shape/task-json.ts';
import { clean } from './clean.ts';
import { labelsText } from './node-text.ts';
import { taskTones, type Paint } from './style.ts';
import { formatPairs, formatTable, type TableLook } from './table.ts';
import { ago, localTime } from './time.ts';

export function tasksTable(
  tasks: readonly TaskView[],
  { look, now }: { look: TableLook; now: number },
): string {
  return formatTable(
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'NAME', cell: ({ name }) => clean(name ?? ''), canShrink: true },
      { title: 'STATUS', cell: (task) => statusText(task, look.paint) },
      { title: 'NODE', cell: placeText },
      {
        title: 'EXIT',
        cell: ({ exitCode, signal }) => signal ?? exitCode?.toString() ?? '',
        align: 'right',
      },
      { title: 'SUBMITTED', cell: ({ submittedAt }) => ago(submittedAt, now) },
      { title: 'TIME', cell: (task) => runTime(task, now), align: 'right' },
      { title: 'COMMAND', cell: commandText, canShrink: true },
    ],
    tasks,
    look,
  );
}

/** Everything about one task. */
export function taskText(task: TaskView, { paint, now }: { paint: Paint; now: number }): string {
  const when = (at: number | null): string =>
    at === null ? '' : `${localTime(at)} (${ago(at, now)})`;
  return formatPairs(
    [
      ['ID', task.id],
      ['Batch', task.batchId],
      ['Name', clean(task.name ?? '')],
      ['Status', statusText(task, paint)],
      ['Reason', clean(task.reason ?? '')],
      ['Exit', task.signal ?? task.exitCode?.toString() ?? ''],
      ['Node', placeText(task)],
      ['Target', task.target ?? ''],
      ['Wants', wishText(task)],
      ['Runs in', clean(task.image ?? 'a plain process')],
      ['Container', clean(task.container ?? '')],
      ['Command', commandText(task)],
      ['Directory', clean(task.workdir ?? '')],
      [
        'Variables',
        clean(
          [...Object.keys(task.env), ...task.secretEnvNames.map((name) => `${name} (secret)`)].join(
            ' ',
          ),
        ),
      ],
      [
        'Mounts',
        clean(
          task.mounts
            .map(
              ({ source, destination, readOnly }) =>
                `${source}:${destination}${readOnly ? ':ro' : ''}`,
            )
            .join(' '),
        ),
      ],
      ['Put there', clean(folderText(task.sync))],
      ['Brought back', clean(folderText(task.fetch))],
      ['Labels', clean(labelsText(task.labels))],
      ['Priority', task.priority === 0 ? '' : String(task.priority)],
      ['Owner', clean(task.owner)],
      ...shapePairs(task),
      ['Attempt', task.attempt > 1 ? String(task.attempt) : ''],
      ['Submitted', when(task.submittedAt)],
      ['Started', when(task.startedAt)],
      ['Finished', when(task.finishedAt)],
      ['Took', runTime(task, now)],
      [
        'Printed',
        `${formatBytes(task.stdoutBytes)}, and ${formatBytes(task.stderrBytes)} of errors`,
      ],
      ['Warnings', clean(task.warnings.join(' '))],
    ],
    paint,
  );
}

/** One line for a task that has ended. */
export function endText(task: TaskView, paint: Paint): string {
  const how = task.signal ?? (task.exitCode === null ? '' : `exit code ${String(task.exitCode)}`);
  return `${task.id}  ${statusText(task, paint)}${how === '' ? '' : `  ${how}`}\n`;
}

/** What happened, as a line. */
export function eventText({ at, kind, to, why }: TaskEventView, paint: Paint): string {
  const because = why === null ? '' : `: ${clean(why)}`;
  return `${localTime(at)}  ${paint(taskTones[to], to)}  ${clean(kind)}${because}\n`;
}

/** Why a task waits: a sentence, its place, and a line for each node. */
export function waitReasonText(
  { summary, ahead, expected, suggestions, nodes }: WaitReason,
  { paint, id }: { readonly paint: Paint; readonly id: string },
): string {
  const place =
    ahead === null
      ? []
      : [
          ahead === 0
            ? 'It is next in the queue.'
            : `${String(ahead)} tasks are before it in the queue.`,
        ];
  const width = Math.max(0, ...nodes.map(({ node }) => node.length));
  const lines = nodes.map(({ node, fits, possible, lacks }) => {
    const verdict = fits
      ? paint('green', 'fits')
      : possible
        ? paint('yellow', 'not now')
        : paint('red', 'never');
    const missing = lacks.length === 0 ? '' : `: ${clean(lacks.join('; '))}`;
    return `  ${node.padEnd(width)}  ${verdict}${missing}`;
  });
  const when = expected === null ? [] : [expectedText(expected)];
  const ways = suggestions.map(({ words, node, changes }) => {
    const command = ['kohakuriver', 'task', 'amend', id, ...amendArguments(changes)];
    return `  ${clean(words)} (on ${clean(node)}): ${clean(typedCommand(command))}`;
  });
  const help = ways.length === 0 ? [] : ['To let it start now:', ...ways];
  return `${[clean(summary), ...place, ...when, ...lines, ...help].join('\n')}\n`;
}

function expectedText({ at, isPromise, why }: NonNullable<WaitReason['expected']>): string {
  if (at === null) return clean(why);
  const when = isPromise ? 'It starts by' : 'It can start at';
  return `${when} ${localTime(at)}. ${clean(why)}`;
}

function statusText(task: TaskView, paint: Paint): string {
  const beside = [
    ...(task.held ? ['held'] : []),
    ...(task.killRequested ? ['ending'] : []),
    ...(task.phase === null ? [] : [clean(task.phase)]),
  ];
  const status = paint(taskTones[task.status], task.status);
  return beside.length === 0 ? status : `${status} (${beside.join(', ')})`;
}

function placeText({ node, gpus }: TaskView): string {
  if (node === null) return '';
  return gpus.length === 0 ? node : `${node}::${gpus.map(({ index }) => index).join(',')}`;
}

function wishText({ cores, memoryBytes, gpuRequest, exclusive }: TaskView): string {
  const gpu =
    gpuRequest === null
      ? []
      : [
          `${String(gpuRequest.count)} GPUs`,
          ...(gpuRequest.model === undefined ? [] : [`of model ${clean(gpuRequest.model)}`]),
          ...(gpuRequest.minMemoryBytes === undefined
            ? []
            : [`with ${formatBytes(gpuRequest.minMemoryBytes)}`]),
        ];
  return [
    `${String(cores)} cores`,
    ...(memoryBytes === null ? [] : [formatBytes(memoryBytes)]),
    ...(gpu.length === 0 ? [] : [gpu.join(' ')]),
    ...(exclusive ? ['the node alone'] : []),
  ].join(', ');
}

/** When, how often and in what company it runs. */
function shapePairs(task: TaskView): [string, string][] {
  const { arrayIndex, after, notBefore, timeLimitSeconds } = task;
  return [
    ['In its array', arrayIndex === null ? '' : `number ${String(arrayIndex)}`],
    ['After', after.map(({ task: id, on }) => `${id} (${on})`).join(' ')],
    ['Not before', notBefore === null ? '' : localTime(notBefore)],
    ['Time limit', timeLimitSeconds === null ? '' : formatDuration(timeLimitSeconds * 1000)],
    ['Retries', retriesText(task)],
  ];
}

function retriesText({ retries }: TaskView): string {
  return retries === null ? '' : `${String(retries.count)} on ${retries.on.join(', ')}`;
}

function runTime({ startedAt, finishedAt }: TaskView, now: number): string {
  return startedAt === null ? '' : formatDuration((finishedAt ?? now) - startedAt);
}

function commandText({ work }: TaskView): string {
  return clean(work.kind === 'script' ? `script: ${work.text}` : commandOf(work).join(' ')).slice(
    0,
    500,
  );
}

function folderText(folders: TaskView['sync']): string {
  return folders.map(({ from, to }) => `${from} to ${to}`).join(', ');
}
