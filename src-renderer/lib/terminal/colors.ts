import type { ITheme } from '@xterm/xterm';
import { resolveColors } from '../theme-colors.ts';

/** The emulator's colours, from the tokens of the theme on screen. */
export function terminalColors(within: HTMLElement): ITheme {
  const c = resolveColors(within, [
    '--surface-sunken',
    '--text',
    '--text-muted',
    '--text-faint',
    '--failed',
    '--done',
    '--series-3',
    '--series-2',
    '--paused',
    '--running',
    '--accent',
    '--line-strong',
  ]);
  return {
    background: c['--surface-sunken'],
    foreground: c['--text'],
    cursor: c['--accent'],
    cursorAccent: c['--surface-sunken'],
    selectionBackground: c['--line-strong'],
    black: c['--text-faint'],
    red: c['--failed'],
    green: c['--done'],
    yellow: c['--series-3'],
    blue: c['--series-2'],
    magenta: c['--paused'],
    cyan: c['--running'],
    white: c['--text-muted'],
    brightBlack: c['--text-faint'],
    brightRed: c['--failed'],
    brightGreen: c['--done'],
    brightYellow: c['--series-3'],
    brightBlue: c['--series-2'],
    brightMagenta: c['--paused'],
    brightCyan: c['--running'],
    brightWhite: c['--text'],
    overviewRulerBorder: c['--surface-sunken'],
    scrollbarSliderBackground: c['--line-strong'],
    scrollbarSliderHoverBackground: c['--text-faint'],
    scrollbarSliderActiveBackground: c['--text-faint'],
  };
}
