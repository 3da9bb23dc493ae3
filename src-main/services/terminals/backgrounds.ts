import type { IBuffer, IBufferCell, Terminal } from '@xterm/headless';

/**
 * Draws the coloured backgrounds that lie behind nothing at the ends of lines, as full-screen
 * programs leave them; the serializer drops those. The cursor and its colours stay as they are.
 */
export function drawBackgrounds(terminal: Terminal): string {
  // Positions would count from the margins.
  if (terminal.modes.originMode) return '';
  const { active } = terminal.buffer;
  const drawn = Array.from({ length: terminal.rows }, (_, row) =>
    drawEnd(active, { row, columns: terminal.cols }),
  ).join('');
  return drawn === '' ? '' : `\u001b7${drawn}\u001b8`;
}

function drawEnd(buffer: IBuffer, { row, columns }: { row: number; columns: number }): string {
  const line = buffer.getLine(buffer.baseY + row);
  const last = line?.getCell(columns - 1);
  if (line === undefined || last === undefined) return '';
  const color = colorOf(last);
  if (color === '' || !isEmpty(last)) return '';
  let start = columns - 1;
  for (; start > 0; start -= 1) {
    const cell = line.getCell(start - 1);
    if (cell === undefined || !isEmpty(cell) || colorOf(cell) !== color) break;
  }
  return `\u001b[${String(row + 1)};${String(start + 1)}H\u001b[${color}m\u001b[K`;
}

function isEmpty(cell: IBufferCell): boolean {
  return cell.getChars() === '' && cell.getWidth() === 1;
}

/** The background as parameters of SGR; empty where it is the usual one. */
function colorOf(cell: IBufferCell): string {
  const color = cell.getBgColor();
  if (cell.isBgPalette()) return `0;48;5;${String(color)}`;
  if (!cell.isBgRGB()) return '';
  return `0;48;2;${String((color >> 16) & 255)};${String((color >> 8) & 255)};${String(color & 255)}`;
}
