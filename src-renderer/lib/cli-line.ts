// The command line that does what the submit form would do, to copy into scripts (spec: cli).
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { arrayText } from './array-text.ts';
import { secondsText } from './duration-text.ts';
import { quoteWord } from './shell-words.ts';
import { sizeText } from './sizes.ts';

type Words = string[];

function placeWords(task: TaskSubmissionInput): Words {
  return [
    ...(task.targets ?? []).flatMap((target) => ['-t', target]),
    ...(task.cores === undefined || task.cores === 1 ? [] : ['-c', String(task.cores)]),
    ...(task.memoryBytes == null ? [] : ['-m', sizeText(task.memoryBytes)]),
    ...gpuWords(task.gpus),
    ...(task.exclusive === true ? ['--exclusive'] : []),
    ...pairs('--on-node-label', task.onNodeLabels),
    ...(task.avoidNodes ?? []).flatMap((node) => ['--avoid-node', node]),
  ];
}

function gpuWords(gpus: TaskSubmissionInput['gpus']): Words {
  if (gpus == null) return [];
  return [
    '--gpus',
    String(gpus.count),
    ...(gpus.model === undefined ? [] : ['--gpu-model', gpus.model]),
    ...(gpus.minMemoryBytes === undefined ? [] : ['--gpu-memory', sizeText(gpus.minMemoryBytes)]),
  ];
}

function pairs(option: string, values: Readonly<Record<string, string>> | undefined): Words {
  return Object.entries(values ?? {}).flatMap(([key, value]) => [option, `${key}=${value}`]);
}

function vesselWords(vessel: TaskSubmissionInput['vessel']): Words {
  switch (vessel?.kind) {
    case 'environment':
      return ['--container', vessel.name];
    case 'image':
      return ['--image', vessel.reference];
    case 'process':
      return ['--runtime', 'process'];
    case undefined:
      return [];
  }
}

function contextWords(task: TaskSubmissionInput): Words {
  return [
    ...pairs('--env', task.env),
    // Values of secrets never stand on a command line: the CLI reads them from its environment.
    ...Object.keys(task.secretEnv ?? {}).flatMap((name) => ['--secret-env', name]),
    ...(task.mounts ?? []).flatMap((mount) => [
      '--mount',
      `${mount.source}:${mount.destination}${mount.readOnly === true ? ':ro' : ''}`,
    ]),
    ...(task.sync ?? []).flatMap(({ from, to }) => ['--sync', `${from}:${to}`]),
    ...(task.fetch ?? []).flatMap(({ from, to }) => ['--fetch', `${from}:${to}`]),
    ...(task.workdir == null ? [] : ['--workdir', task.workdir]),
    ...(task.user == null ? [] : ['--user', task.user]),
    ...(task.privileged === true ? ['--privileged'] : []),
  ];
}

function orderWords(task: TaskSubmissionInput): Words {
  return [
    ...(task.name == null ? [] : ['--name', task.name]),
    ...pairs('--label', task.labels),
    ...(task.priority === undefined || task.priority === 0
      ? []
      : ['--priority', String(task.priority)]),
    ...(task.hold === true ? ['--hold'] : []),
    ...(task.keepFailed === true ? ['--keep-failed'] : []),
  ];
}

function manyWords({ array, sweep }: TaskSubmissionInput): Words {
  if (array != null) {
    const most = array.maxRunning == null ? '' : `%${String(array.maxRunning)}`;
    return ['--array', `${arrayText(array.indices)}${most}`];
  }
  if (sweep == null) return [];
  return [
    ...Object.entries(sweep.parameters).flatMap(([name, values]) => [
      '--sweep',
      `${name}=${values.join(',')}`,
    ]),
    ...(sweep.maxRunning == null ? [] : ['--max-running', String(sweep.maxRunning)]),
  ];
}

function timeWords({ after, timeLimitSeconds, retries, notBefore }: TaskSubmissionInput): Words {
  return [
    ...(after ?? []).flatMap(({ task, on = 'ok' }) => [
      '--after',
      // A name with a colon would be read as one with a rule.
      on === 'ok' && !task.includes(':') ? task : `${task}:${on}`,
    ]),
    ...(notBefore == null ? [] : ['--not-before', new Date(notBefore).toISOString()]),
    ...(timeLimitSeconds == null ? [] : ['--time-limit', secondsText(timeLimitSeconds)]),
    ...retryWords(retries),
  ];
}

function retryWords(retries: TaskSubmissionInput['retries']): Words {
  if (retries == null) return [];
  const { count, on, backoffSeconds = 10 } = retries;
  const isUsual = on.length === 2 && on.includes('exit') && on.includes('oom');
  return [
    ...['--retries', String(count)],
    ...(isUsual ? [] : ['--retry-on', on.join(',')]),
    ...(backoffSeconds === 10 ? [] : ['--retry-wait', secondsText(backoffSeconds)]),
  ];
}

/** `kohakuriver task submit …`, quoted for a POSIX shell; a script comes in a here-document. */
export function cliLine(task: TaskSubmissionInput): string {
  const options = [
    ...placeWords(task),
    ...vesselWords(task.vessel),
    ...contextWords(task),
    ...orderWords(task),
    ...manyWords(task),
    ...(task.gang === true ? ['--gang'] : []),
    ...timeWords(task),
  ];
  const head = ['kohakuriver', 'task', 'submit', ...options.map(quoteWord)].join(' ');
  if (task.work.kind === 'command') {
    return `${head} -- ${task.work.argv.map(quoteWord).join(' ')}`;
  }
  const text = task.work.text.endsWith('\n') ? task.work.text : `${task.work.text}\n`;
  const mark = unusedMark(text);
  return `${head} --script - <<'${mark}'\n${text}${mark}`;
}

/** A longer list of commands is better written as a script than copied. */
const mostLines = 200;

/** The same for a list of submissions, a line for each; undefined where that is no help any more. */
export function cliLines(tasks: readonly TaskSubmissionInput[]): string | undefined {
  return tasks.length > mostLines ? undefined : tasks.map(cliLine).join('\n');
}

/** A here-document delimiter that is no line of the text. */
function unusedMark(text: string): string {
  const lines = new Set(text.split('\n'));
  let mark = 'END';
  while (lines.has(mark)) mark += '_';
  return mark;
}
