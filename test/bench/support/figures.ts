// What every bench says beside its figures, and how it says them: medians with their spread, and
// Markdown tables to be pasted into RESULTS.md.
import { cpus, loadavg, release, totalmem } from 'node:os';

export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => quantile(sorted, q);
  return {
    median: at(0.5),
    p10: at(0.1),
    p90: at(0.9),
    min: at(0),
    max: at(1),
    count: sorted.length,
  };
}

/** Cells for the columns of `spreadHeaders`. */
export function spreadCells(values: readonly number[], digits = 0): string[] {
  const { median, p10, p90, min, max, count } = spreadOf(values);
  const text = (value: number) => value.toFixed(digits);
  return [
    text(median),
    `${text(p10)} – ${text(p90)}`,
    `${text(min)} – ${text(max)}`,
    String(count),
  ];
}
export const spreadHeaders = ['median', '10 – 90 %', 'least – most', 'runs'] as const;

/** A Markdown table; columns after the first are figures. */
export function printTable(headers: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = headers.map((_, index) => (index === 0 ? '---' : '--:'));
  console.log([line(headers), line(rule), ...rows.map(line), ''].join('\n'));
}

/** The machine, without its name. */
export function machineWords(): string {
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} cores (${model}), ${gib} GiB, Linux ${release()}, Node ${process.version}`;
}

/** How busy the machine is: figures taken under load are to be read with this beside them. */
export function loadWords(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' / ');
}

/** Prints the heading of one bench with what belongs beside its figures. */
export function printHeading(title: string): void {
  const day = new Date().toISOString().slice(0, 16).replace('T', ' ');
  console.log(`### ${title}\n`);
  console.log(`${day} UTC · ${machineWords()} · load average at the start ${loadWords()}\n`);
}

/** Runs an action and says how many milliseconds it took. */
export async function timeMs<T>(action: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const begin = performance.now();
  const value = await action();
  return { ms: performance.now() - begin, value };
}

/** A whole number given as `--name N`, or else the default. */
export function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!Number.isFinite(value)) throw new Error(`--${name} wants a number`);
  return value;
}

/** The text after an option; undefined when it is not given. */
export function textOption(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}
