// How many tasks the submit form makes, and when they may run: the part of a submission that goes
// beyond one task which starts as soon as there is room.
import {
  combinationCount,
  mostInGang,
  type DependencyRule,
  type RetryCause,
} from '../../src-main/contract/task-shape.ts';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { arrayText, parseArrayText } from '../lib/array-text.ts';
import { secondsText } from '../lib/duration-text.ts';
import { readDuration, readNumber, readOptionalNumber, type Problems } from '../lib/form-values.ts';
import { localMinute, parseLocalMinute } from '../lib/local-minute.ts';

export type HowMany = 'one' | 'array' | 'sweep';

export interface ParameterRow {
  name: string;
  /** With commas between. */
  values: string;
}

export interface AfterRow {
  task: string;
  on: DependencyRule;
}

export const retryCauses: readonly RetryCause[] = ['exit', 'oom', 'lost'];

type Shape = Required<
  Pick<
    TaskSubmissionInput,
    'after' | 'array' | 'sweep' | 'gang' | 'timeLimitSeconds' | 'retries' | 'notBefore'
  >
>;

interface Several extends Pick<Shape, 'array' | 'sweep'> {
  readonly targetCount: number;
}

const defaultWaitSeconds = 10;

export class SubmitShape {
  howMany = $state<HowMany>('one');
  numbers = $state('');
  parameters = $state<ParameterRow[]>([{ name: '', values: '' }]);
  /** At most so many at a time; empty for as many as fit. */
  maxRunning = $state('');
  /** Where there are several: all of them start together, or none. */
  isTogether = $state(false);
  after = $state<AfterRow[]>([]);
  /** As a field for date and time has it: local time, to the minute. */
  notBefore = $state('');
  timeLimit = $state('');
  retries = $state('0');
  retryOn = $state<Record<RetryCause, boolean>>({ exit: true, oom: true, lost: false });
  retryWait = $state('');

  /** Whether it asks for retries at all. */
  readonly hasRetries = $derived(!['', '0'].includes(this.retries.trim()));

  /** What is asked for on so many targets; what is wrong with it goes into `problems`. */
  read(problems: Problems, targetCount: number): Shape {
    const array = this.howMany === 'array' ? this.#array(problems) : null;
    const sweep = this.howMany === 'sweep' ? this.#sweep(problems) : null;
    return {
      after: this.after
        .filter(({ task }) => task.trim() !== '')
        .map(({ task, on }) => ({ task: task.trim(), on })),
      array,
      sweep,
      gang: this.#gang({ array, sweep, targetCount }, problems),
      timeLimitSeconds: readDuration(this.timeLimit, 'timeLimitSeconds', problems),
      retries: this.#retries(problems),
      notBefore: this.#notBefore(problems),
    };
  }

  fill(from: TaskSubmissionInput): void {
    this.#fillMany(from);
    this.after = (from.after ?? []).map(({ task, on = 'ok' }) => ({ task, on }));
    this.notBefore = from.notBefore == null ? '' : localMinute(from.notBefore);
    this.timeLimit = from.timeLimitSeconds == null ? '' : secondsText(from.timeLimitSeconds);
    this.retries = String(from.retries?.count ?? 0);
    const on = from.retries?.on ?? ['exit', 'oom'];
    this.retryOn = {
      exit: on.includes('exit'),
      oom: on.includes('oom'),
      lost: on.includes('lost'),
    };
    const wait = from.retries?.backoffSeconds ?? defaultWaitSeconds;
    this.retryWait = wait === defaultWaitSeconds ? '' : secondsText(wait);
  }

  #fillMany({ array, sweep, gang }: TaskSubmissionInput): void {
    this.howMany = array != null ? 'array' : sweep != null ? 'sweep' : 'one';
    if (array != null) this.numbers = arrayText(array.indices);
    if (sweep != null) {
      this.parameters = Object.entries(sweep.parameters).map(([name, values]) => ({
        name,
        values: values.join(', '),
      }));
    }
    const most = (array ?? sweep)?.maxRunning;
    this.maxRunning = most == null ? '' : String(most);
    this.isTogether = gang === true;
  }

  #array(problems: Problems): Shape['array'] {
    const read = parseArrayText(this.numbers);
    if (!read.ok) {
      problems['array'] = read.problem;
      return null;
    }
    const { indices } = read;
    return { indices, maxRunning: read.maxRunning ?? this.#most(problems) };
  }

  #sweep(problems: Problems): Shape['sweep'] {
    const parameters: Record<string, string[]> = {};
    for (const row of this.parameters) {
      const name = row.name.trim();
      const values = row.values.split(',').map((value) => value.trim());
      if (name === '' && row.values.trim() === '') continue;
      if (name in parameters) problems['sweep'] = `«${name}» is there twice.`;
      else if (values.some((value) => value === ''))
        problems['sweep'] =
          `Write the values of ${name === '' ? 'each parameter' : name} with commas between.`;
      parameters[name] = values;
    }
    if (Object.keys(parameters).length === 0)
      problems['sweep'] = 'Name at least one parameter and its values.';
    return { parameters, maxRunning: this.#most(problems) };
  }

  /** As the core reads it: one task is no gang, and a gang is not started bit by bit. */
  #gang({ array, sweep, targetCount }: Several, problems: Problems): boolean {
    const count =
      array?.indices.length ?? (sweep ? combinationCount(sweep.parameters) : targetCount);
    if (!this.isTogether || (this.howMany === 'one' && count < 2)) return false;
    const problem = gangProblem(count, (array ?? sweep)?.maxRunning ?? count);
    if (problem !== undefined) problems['gang'] = problem;
    return true;
  }

  #most(problems: Problems): number | null {
    if (this.isTogether) return null;
    return readOptionalNumber(this.maxRunning, 'maxRunning', problems);
  }

  #retries(problems: Problems): Shape['retries'] {
    if (!this.hasRetries) return null;
    const count = readNumber(this.retries, 'retries', problems);
    const on = retryCauses.filter((cause) => this.retryOn[cause]);
    if (on.length === 0) problems['retries'] = 'Choose after which failures to try again.';
    const wait = readDuration(this.retryWait, 'retryWait', problems);
    return { count, on, backoffSeconds: wait ?? defaultWaitSeconds };
  }

  #notBefore(problems: Problems): Shape['notBefore'] {
    if (this.notBefore === '') return null;
    const at = parseLocalMinute(this.notBefore);
    if (at === undefined) problems['notBefore'] = 'A date and a time of day, please.';
    return at ?? null;
  }
}

function gangProblem(count: number, most: number): string | undefined {
  if (count > mostInGang)
    return `At most ${String(mostInGang)} tasks can start together; these are ${String(count)}.`;
  return most < count
    ? `All ${String(count)} are to start together, and at most ${String(most)} may run at a time: give one or the other.`
    : undefined;
}
