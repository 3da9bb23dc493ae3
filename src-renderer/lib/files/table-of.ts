// Text with separators as a table. Fetched when a table is first opened.
import Papa from 'papaparse';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Of the widest row; more than `mostColumns` are not in it. */
  readonly columnCount: number;
}

export const mostColumns = 200;
/** Characters of a cell that are shown; the text has the rest. */
const longestCell = 300;

/** @param hasHead the first row names the columns; otherwise they are numbered */
export function tableOf(
  text: string,
  { separator, hasHead }: { separator: string; hasHead: boolean },
): Table {
  const { data } = Papa.parse<string[]>(text, { delimiter: separator, skipEmptyLines: true });
  const columnCount = data.reduce((most, row) => Math.max(most, row.length), 0);
  const cut = (row: readonly string[]): readonly string[] =>
    row
      .slice(0, mostColumns)
      .map((cell) => (cell.length > longestCell ? `${cell.slice(0, longestCell)}…` : cell));
  const [first = [], ...rest] = data;
  const numbers = Array.from(
    { length: Math.min(columnCount, mostColumns) },
    (_, at) => `${at + 1}`,
  );
  const head = hasHead ? cut(first).map((cell) => cell.replace(/^\uFEFF/, '')) : numbers;
  return {
    head: [...head, ...numbers.slice(head.length)],
    rows: (hasHead ? rest : data).map(cut),
    columnCount,
  };
}

/** Widths of the columns in characters: of what is in the first rows. */
export function widthsOf({ head, rows }: Table): readonly number[] {
  const sample = rows.slice(0, 200);
  return head.map((name, at) =>
    sample.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), name.length),
  );
}

/** Columns of numbers stand at the right. */
export function areNumbers({ head, rows }: Table): readonly boolean[] {
  const sample = rows.slice(0, 200);
  return head.map((_name, at) => {
    const cells = sample.map((row) => row[at] ?? '').filter((cell) => cell !== '');
    return cells.length > 0 && cells.every((cell) => Number.isFinite(Number(cell)));
  });
}
