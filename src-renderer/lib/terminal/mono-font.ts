// The letters of terminals and logs. xterm measures one when it is opened and goes by that from then on: with a
// font that came later, lines would stand as far apart as those of the font that was drawn in its stead.
import type { Terminal } from '@xterm/xterm';

export const monoFamily = '"JetBrains Mono Variable", monospace';
/** The same to the browser, and another value to xterm, which measures when that changes. */
const sameFamily = '"JetBrains Mono Variable",monospace';

/**
 * Has a terminal that was opened measure its letters anew once their font has come, and calls `onMeasured` then;
 * does nothing where the font is there. One that cannot be had leaves everything as it is.
 */
export function measureOnceFontIsThere(terminal: Terminal, onMeasured: () => void): void {
  const font = `${String(terminal.options.fontSize)}px ${monoFamily}`;
  if (document.fonts.check(font)) return;
  document.fonts.load(font).then(
    () => {
      terminal.options.fontFamily = sameFamily;
      onMeasured();
    },
    () => undefined,
  );
}
