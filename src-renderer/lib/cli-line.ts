// The command line that does what the submit form would do, to copy into scripts (spec: cli).
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
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

/** `kohakuriver task submit …`, quoted for a POSIX shell; a script comes in a here-document. */
export function cliLine(task: TaskSubmissionInput): string {
  const options = [
    ...placeWords(task),
    ...vesselWords(task.vessel),
    ...contextWords(task),
    ...orderWords(task),
  ];
  const head = ['kohakuriver', 'task', 'submit', ...options.map(quoteWord)].join(' ');
  if (task.work.kind === 'command') {
    return `${head} -- ${task.work.argv.map(quoteWord).join(' ')}`;
  }
  const text = task.work.text.endsWith('\n') ? task.work.text : `${task.work.text}\n`;
  const mark = unusedMark(text);
  return `${head} --script - <<'${mark}'\n${text}${mark}`;
}

/** A here-document delimiter that is no line of the text. */
function unusedMark(text: string): string {
  const lines = new Set(text.split('\n'));
  let mark = 'END';
  while (lines.has(mark)) mark += '_';
  return mark;
}
