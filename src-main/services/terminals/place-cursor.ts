import type { IBuffer, IBufferCell, Terminal } from '@xterm/headless';

/** How letters look, of a cell or of what is written next. */
type Looks = Pick<
  IBufferCell,
  | 'isBold'
  | 'isDim'
  | 'isItalic'
  | 'isUnderline'
  | 'isBlink'
  | 'isInverse'
  | 'isInvisible'
  | 'isStrikethrough'
  | 'isOverline'
  | 'getFgColor'
  | 'isFgRGB'
  | 'isFgPalette'
  | 'getBgColor'
  | 'isBgRGB'
  | 'isBgPalette'
>;

/** The emulator tells nobody how it would write next; the serializer looks at the same place. */
interface Inside {
  readonly _core: { readonly _inputHandler: { readonly _curAttrData: Looks } };
}

/**
 * Puts the cursor where it is. The serializer leads it there step by step from behind the last letter it
 * wrote, which is one column short when that letter ended a line. In origin mode places count from the
 * margins: there its way is kept.
 */
export function placeCursor(terminal: Terminal): string {
  const { buffer, cols, modes } = terminal;
  const { cursorX, cursorY } = buffer.active;
  if (modes.originMode) return '';
  if (cursorX < cols) return place(cursorY, cursorX);
  return behindTheEnd(terminal, buffer.active);
}

const place = (row: number, column: number): string =>
  `\u001b[${String(row + 1)};${String(column + 1)}H`;

/** Behind the end of a line no sequence leads, only a letter in its last column: it is written once more. */
function behindTheEnd(terminal: Terminal, buffer: IBuffer): string {
  const line = buffer.getLine(buffer.baseY + buffer.cursorY);
  const last = terminal.cols - 1;
  const isWide = line?.getCell(last)?.getWidth() === 0;
  const column = isWide ? last - 1 : last;
  const cell = line?.getCell(column);
  if (cell === undefined) return '';
  const next = (terminal as unknown as Inside)._core._inputHandler._curAttrData;
  const letter = cell.getChars() === '' ? ' ' : cell.getChars();
  return `${place(buffer.cursorY, column)}${looks(cell)}${letter}${looks(next)}`;
}

/** Select Graphic Rendition, from nothing: ECMA-48 8.3.117, colours as xterm has them. */
function looks(of: Looks): string {
  const styles: readonly [number, number][] = [
    [1, of.isBold()],
    [2, of.isDim()],
    [3, of.isItalic()],
    [4, of.isUnderline()],
    [5, of.isBlink()],
    [7, of.isInverse()],
    [8, of.isInvisible()],
    [9, of.isStrikethrough()],
    [53, of.isOverline()],
  ];
  const set = styles.filter(([, isSet]) => isSet !== 0).map(([code]) => code);
  const ink = color(38, of.getFgColor(), { isRgb: of.isFgRGB(), isPalette: of.isFgPalette() });
  const paper = color(48, of.getBgColor(), { isRgb: of.isBgRGB(), isPalette: of.isBgPalette() });
  return `\u001b[${[0, ...set, ...ink, ...paper].join(';')}m`;
}

function color(
  what: 38 | 48,
  value: number,
  kind: { isRgb: boolean; isPalette: boolean },
): number[] {
  if (kind.isPalette) return [what, 5, value];
  if (!kind.isRgb) return [];
  return [what, 2, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}
