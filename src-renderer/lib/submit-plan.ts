// What a submission comes to, before it is sent: how many tasks, what the first and the last of them
// run, and what they wait for.
import { combinationCount } from '../../src-main/contract/task-shape.ts';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { formatCount, formatDuration, formatMoment, plural } from './format.ts';
import { joinWords } from './shell-words.ts';
import { workLine } from './task-words.ts';
import { submitMany as words } from './texts/submit-many.ts';

export interface PlannedTask {
  /** What tells it apart from the others. */
  readonly label: string;
  readonly line: string;
}

export interface SubmitPlan {
  readonly count: number;
  readonly first: readonly PlannedTask[];
  /** The last one, where it is not among the first. */
  readonly last: PlannedTask | undefined;
  /** Limits and conditions that hold for each, as sentences. */
  readonly terms: readonly string[];
  /** It cannot start at once, whatever is free. */
  readonly isPutOff: boolean;
}

const shownFirst = 3;

type Sweep = NonNullable<TaskSubmissionInput['sweep']>;

interface Series {
  readonly count: number;
  at(n: number): PlannedTask;
}

/** What `submissions` come to, at least one of them; several are a list, a task for each. */
export function planOf(submissions: readonly TaskSubmissionInput[], now: number): SubmitPlan {
  const series = seriesOf(submissions);
  const [one] = submissions;
  const shown = Math.min(shownFirst, series.count);
  return {
    count: series.count,
    first: Array.from({ length: shown }, (_, n) => series.at(n)),
    last: series.count > shown ? series.at(series.count - 1) : undefined,
    terms: one === undefined ? [] : termsOf(one, series.count),
    isPutOff: one !== undefined && ((one.after ?? []).length > 0 || (one.notBefore ?? 0) > now),
  };
}

function seriesOf(submissions: readonly TaskSubmissionInput[]): Series {
  const [one] = submissions;
  if (one === undefined || submissions.length > 1) {
    return {
      count: submissions.length,
      at: (n) => ({
        label: String(n + 1),
        line: submissions[n] === undefined ? '' : workLine(submissions[n].work),
      }),
    };
  }
  const { array, sweep, targets = [] } = one;
  if (sweep != null) return sweepSeries(one.work, sweep);
  const line = workLine(one.work);
  if (array != null)
    return {
      count: array.indices.length,
      at: (n) => ({ label: `#${String(array.indices[n] ?? n)}`, line }),
    };
  return {
    count: Math.max(1, targets.length),
    at: (n) => ({ label: targets[n] ?? '', line }),
  };
}

/** The last parameter changes fastest, and `{NAME}` in a command stands for its value. */
function sweepSeries(work: TaskSubmissionInput['work'], { parameters }: Sweep): Series {
  return {
    count: combinationCount(parameters),
    at: (n) => {
      const values = combination(parameters, n);
      const label = Object.entries(values)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
      if (work.kind === 'script') return { label, line: workLine(work) };
      const argv = work.argv.map((word) =>
        word.replace(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) =>
          Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
        ),
      );
      return { label, line: joinWords(argv) };
    },
  };
}

function combination(parameters: Sweep['parameters'], n: number): Readonly<Record<string, string>> {
  let rest = n;
  const found: [string, string][] = [];
  for (const [name, values] of Object.entries(parameters).reverse()) {
    found.unshift([name, values[rest % values.length] ?? '']);
    rest = Math.floor(rest / values.length);
  }
  return Object.fromEntries(found);
}

function termsOf(one: TaskSubmissionInput, count: number): string[] {
  const { after = [], notBefore, timeLimitSeconds, retries } = one;
  const most = (one.array ?? one.sweep)?.maxRunning;
  return [
    ...(one.gang === true ? [words.terms.together(formatCount(count))] : []),
    ...after.map(({ task, on = 'ok' }) => words.terms.after[on](task)),
    ...(notBefore == null ? [] : [words.terms.notBefore(formatMoment(notBefore).slice(0, 16))]),
    ...(most == null ? [] : [words.terms.atOnce(most)]),
    ...(timeLimitSeconds == null
      ? []
      : [words.terms.timeLimit(formatDuration(timeLimitSeconds * 1000))]),
    ...(retries == null
      ? []
      : [
          words.terms.retries(
            plural(retries.count, 'time'),
            retries.on.map((cause) => words.causes[cause].toLowerCase()).join(', '),
          ),
        ]),
  ];
}
