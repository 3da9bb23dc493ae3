import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './style.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text of a cell; may be painted. */
  readonly cell: (row: Row) => string;
  readonly align?: 'right';
  /** May be cut on a narrow terminal. */
  readonly canShrink?: boolean;
}

export interface TableLook {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly paint: Paint;
}

/**
 * Rows for people: aligned columns on a terminal, fitted to its width; elsewhere a line each with
 * tabs between, nothing cut, for `cut` and `awk`.
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  look: TableLook,
): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const titles = columns.map((column) => column.title);
  if (!look.isTerminal) return [titles, ...cells].map((line) => `${line.join('\t')}\n`).join('');
  const widths = fittedWidths(columns, [titles, ...cells], look.columns ?? Infinity);
  const lines = [titles.map((title) => look.paint('bold', title)), ...cells];
  return lines
    .map((line) => {
      const parts = line.map((text, index) =>
        padded(text, widths[index] ?? 0, columns[index]?.align),
      );
      return `${parts.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** Pairs of a name and a value, a line each; a value that is empty is left out. */
export function formatPairs(pairs: readonly (readonly [string, string])[], paint: Paint): string {
  const shown = pairs.filter(([, value]) => value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}\n`).join('');
}

function fittedWidths<Row>(
  columns: readonly Column<Row>[],
  lines: readonly (readonly string[])[],
  limit: number,
): number[] {
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => visibleLength(line[index] ?? ''))),
  );
  let excess = widths.reduce((sum, width) => sum + width + 2, -2) - limit;
  columns.forEach((column, index) => {
    if (excess <= 0 || column.canShrink !== true) return;
    const width = widths[index] ?? 0;
    const cut = Math.min(excess, Math.max(0, width - Math.max(column.title.length, narrowest)));
    widths[index] = width - cut;
    excess -= cut;
  });
  return widths;
}

const narrowest = 12;

function padded(text: string, width: number, align: 'right' | undefined): string {
  const length = visibleLength(text);
  if (length > width) return `${stripVTControlCharacters(text).slice(0, Math.max(0, width - 1))}…`;
  const space = ' '.repeat(width - length);
  return align === 'right' ? space + text : text + space;
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
