// What must be true when everything has healed and ended: by the records on the nodes, not by the
// core's own word.
import type { TaskView } from '../../src-main/contract/task.ts';
import { until } from '../support/core-client.ts';
import type { ChaosStage } from './stage.ts';
import { records, type Work } from './work.ts';

/** What an attempt left on its node when it was through. */
interface Through {
  readonly node: string;
  readonly code: number;
  readonly at: number;
}

interface Records {
  /** `TASK.ATTEMPT` each time one began. */
  readonly starts: readonly string[];
  readonly through: ReadonlyMap<string, Through>;
  readonly doubles: readonly string[];
}

export interface Verdict {
  readonly violations: string[];
  /** How many tasks ended how. */
  readonly ends: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly bytes: number;
}

/** What was ordered: the work, by task, and who was killed by a person. */
export interface Ordered {
  readonly work: ReadonlyMap<string, Work>;
  readonly killed: ReadonlySet<string>;
}

/** Two clocks of one machine; what was written is there a moment later. */
const slackMs = 6000;

async function readRecords({ bed }: ChaosStage): Promise<Records> {
  const starts: string[] = [];
  const doubles: string[] = [];
  const through = new Map<string, Through>();
  for (const { name } of bed.nodes) {
    const lines = async (script: string) =>
      (await bed.sh(name, `cd ${records}; ${script}`)).split('\n').filter((line) => line !== '');
    starts.push(...(await lines('cat starts')));
    doubles.push(...(await lines('cat double')).map((line) => `${name}: ${line}`));
    const ends = await lines(
      'for f in *.done; do [ ! -e "$f" ] || echo "$f $(stat -c %Y "$f") $(cat "$f")"; done',
    );
    for (const line of ends) {
      const [file = '', seconds, code] = line.split(' ');
      const at = Number(seconds) * 1000;
      through.set(file.replace(/\.done$/, ''), { node: name, code: Number(code), at });
    }
  }
  return { starts, doubles, through };
}

export async function judge(stage: ChaosStage, ordered: Ordered): Promise<Verdict> {
  const found = await readRecords(stage);
  const judging = new Judging(stage, ordered, found);
  await judging.all();
  return judging;
}

class Judging implements Verdict {
  readonly violations: string[] = [];
  readonly ends: Record<string, number> = {};
  attempts: number;
  bytes = 0;
  readonly #stage: ChaosStage;
  readonly #ordered: Ordered;
  readonly #found: Records;

  constructor(stage: ChaosStage, ordered: Ordered, found: Records) {
    this.#stage = stage;
    this.#ordered = ordered;
    this.#found = found;
    this.attempts = found.starts.length;
  }

  async all(): Promise<void> {
    for (const double of this.#found.doubles)
      this.violations.push(`a GPU was given twice: ${double}`);
    this.#checkStarts();
    const { api } = await this.#stage.core();
    for (const [id, work] of this.#ordered.work) {
      const task = await api.tasks.get({ task: id });
      this.ends[task.status] = (this.ends[task.status] ?? 0) + 1;
      this.#checkEnd(task, work);
      await this.#checkLogs(task, work);
    }
    await this.#checkLeftovers();
  }

  #checkStarts(): void {
    const seen = new Set<string>();
    for (const key of this.#found.starts) {
      if (seen.has(key)) this.violations.push(`${key} was started twice`);
      seen.add(key);
    }
    // What was through may be done again only where a power cut took the news of it.
    for (const [key, { node, at }] of this.#found.through) {
      const [id = '', attempt = ''] = key.split('.');
      if (!seen.has(`${id}.${String(Number(attempt) + 1)}`)) continue;
      const isLost = this.#was('power cut', node, { from: at - slackMs, to: at + slackMs });
      if (!isLost) this.violations.push(`${key} was through, and was done again`);
    }
  }

  #was(kind: string, node: string | null, span: { from: number; to: number }): boolean {
    return this.#stage.done.some(
      (done) =>
        done.kind === kind && done.node === node && done.from <= span.to && done.to >= span.from,
    );
  }

  /** While the newest attempt was on its node. */
  #span(task: TaskView): { from: number; to: number } {
    return {
      from: (task.startedAt ?? task.submittedAt) - slackMs,
      to: (task.finishedAt ?? Date.now()) + slackMs,
    };
  }

  /** What was done to its node and the core around the newest attempt, in seconds from its end. */
  #meanwhile(task: TaskView): string {
    const { from, to } = this.#span(task);
    const end = to - slackMs;
    const seconds = (at: number) => (Number.isFinite(at) ? ((at - end) / 1000).toFixed(1) : 'now');
    const done = this.#stage.done
      .filter(({ node }) => node === null || node === task.node)
      .filter((each) => each.from <= to && each.to >= from)
      .map((each) => `${each.kind} ${seconds(each.from)} to ${seconds(each.to)}`);
    return `it ran for ${seconds(2 * end - from - slackMs)} s, meanwhile: ${done.join(', ')}`;
  }

  #isDisturbed(task: TaskView): boolean {
    const span = this.#span(task);
    const isFull = task.runtime === 'process' && this.#was('node disk full', task.node, span);
    return isFull || this.#was('memory eaten', task.node, span);
  }

  /** Its container ended while its Engine was dead: what Docker never learned, it cannot tell. */
  #endedUnseen(task: TaskView): boolean {
    const at = task.finishedAt ?? Date.now();
    return (
      task.runtime === 'docker' &&
      this.#was('dockerd killed', task.node, { from: at - slackMs, to: at })
    );
  }

  /** What an Engine that is killed has in hand of an output it never writes: its own log lacks it, too. */
  #lostLines(task: TaskView): boolean {
    return task.runtime === 'docker' && this.#was('dockerd killed', task.node, this.#span(task));
  }

  #checkEnd(task: TaskView, work: Work): void {
    const wrong = (what: string) =>
      this.violations.push(
        `${work.name} (${task.id}, attempt ${String(task.attempt)}, ${task.runtime} on ${String(task.node)}): ${what}; it is ${task.status} (${task.reason ?? `exit code ${String(task.exitCode)}`}); ${this.#meanwhile(task)}`,
      );
    const through = this.#found.through.get(`${task.id}.${String(task.attempt)}`);
    if (through !== undefined) {
      const status = through.code === 0 ? 'COMPLETED' : 'FAILED';
      // Somebody else's program made the kernel end a part of it: with another exit code than 0 that is OOM.
      const isOom = task.status === 'KILLED_OOM' && through.code !== 0;
      if (isOom && this.#was('memory eaten', task.node, this.#span(task))) return;
      if (task.status !== status || task.exitCode !== through.code)
        wrong(`it was through with exit code ${String(through.code)}`);
      return;
    }
    if (work.isOom && task.status === 'KILLED_OOM') return;
    // That the kernel took its memory is what Docker did not see.
    if (work.isOom && task.exitCode === 137 && this.#endedUnseen(task)) return;
    if (task.status === 'KILLED' && this.#ordered.killed.has(task.id)) return;
    if (task.status === 'FAILED' && this.#isDisturbed(task)) return;
    wrong('it was never through, and nobody ended it');
  }

  async #checkLogs(task: TaskView, work: Work): Promise<void> {
    const core = await this.#stage.core();
    const isThrough = this.#found.through.has(`${task.id}.${String(task.attempt)}`);
    for (const stream of ['stdout', 'stderr'] as const) {
      if (task.attempt === 0) continue;
      const log = (await core.log(task.id, stream)).toString('latin1');
      this.bytes += log.length;
      const isWhole = log === work[stream];
      const mayBreakOff = (!isThrough && !work.isOom) || this.#endedUnseen(task);
      if (isWhole || (mayBreakOff && work[stream].startsWith(log))) continue;
      const mayLack = this.#isDisturbed(task) || this.#lostLines(task);
      if (mayLack && isPartOf(log, work[stream])) continue;
      this.violations.push(
        `${work.name} (${task.id}, attempt ${String(task.attempt)}, ${task.runtime} on ${String(task.node)}): its ${stream} ${difference(log, work[stream])}; ${this.#meanwhile(task)}`,
      );
    }
  }

  async #checkLeftovers(): Promise<void> {
    const { bed } = this.#stage;
    const look = `docker ps -aq --filter label=kohakuriver.managed=true; ls -d /home/ops/.kohakuriver/*/tasks/*/* 2>/dev/null; pgrep -u ops -f KOHAKURIVER_TASK_ID || true`;
    for (const { name } of bed.nodes) {
      try {
        await until(async () => (await bed.sh(name, look)) === '', 'nothing is left', 90_000);
      } catch {
        this.violations.push(
          `left on ${name}: ${(await bed.sh(name, look)).replaceAll('\n', ' ')}`,
        );
      }
    }
  }
}

/** What a program of the work says itself of a disk that takes no more; that may be torn, too. */
const complaint = /^(seq|sh): /;

/** Every line is one that was printed, in order; a full disk swallowed others. The last of each may be torn. */
function isPartOf(log: string, printed: string): boolean {
  let at = 0;
  for (const line of log.split('\n')) {
    if (complaint.test(line)) continue;
    const found = printed.indexOf(line, at);
    if (found < 0) return false;
    at = found + line.length;
  }
  return true;
}

function difference(log: string, printed: string): string {
  let at = 0;
  while (at < log.length && log[at] === printed[at]) at += 1;
  const near = JSON.stringify(log.slice(Math.max(0, at - 20), at + 40));
  return `has ${String(log.length)} bytes of ${String(printed.length)} and differs at ${String(at)}: ${near}`;
}
