// The emulator of one pane: xterm with what people expect of a terminal.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { terminalColors } from './colors.ts';
import { monoFamily } from './mono-font.ts';
import { muteAnswers, safeUrl, watchClipboard, type FarSide } from './far-side.ts';

export interface Emulator {
  readonly terminal: Terminal;
  readonly fit: FitAddon;
  readonly search: SearchAddon;
}

/** Makes it inside an element. The caller disposes of `terminal`. */
export function openEmulator(
  frame: HTMLElement,
  options: FarSide & { label: string; fontSize: number; scrollbackLines: number },
): Emulator {
  const { label, fontSize, scrollbackLines, onCopy, onLink } = options;
  const activate = (_event: unknown, text: string): void => {
    const url = safeUrl(text);
    if (url !== undefined) onLink(url);
  };
  const terminal = new Terminal({
    scrollback: scrollbackLines,
    fontSize,
    allowProposedApi: true,
    fontFamily: monoFamily,
    lineHeight: 1.1,
    cursorBlink: false,
    minimumContrastRatio: 4.5,
    overviewRuler: { width: 10 },
    logLevel: 'off',
    linkHandler: { activate },
    theme: terminalColors(frame),
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.loadAddon(new WebLinksAddon(activate));
  terminal.unicode.activeVersion = '11';
  terminal.open(frame);
  terminal.textarea?.setAttribute('aria-label', label);
  drawFast(terminal);
  muteAnswers(terminal, () => frame.contains(document.activeElement));
  watchClipboard(terminal, onCopy);
  return { terminal, fit, search };
}

/** WebGL where there is some; without it, or once it is lost, the emulator draws with elements. */
function drawFast(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
