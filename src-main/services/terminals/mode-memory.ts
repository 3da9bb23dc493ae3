import type { IParser } from '@xterm/headless';

/** DEC private modes the serializer leaves out, with how they are after a reset. */
const privateModes = new Map<number, boolean>([
  // the cursor is shown
  [25, true],
  // how mouse reports are written
  [1005, false],
  [1006, false],
  [1015, false],
  [1016, false],
  // scrolling in a full-screen program sends arrow keys
  [1007, false],
]);

/**
 * Remembers what a terminal was switched to and a snapshot of its cells does not tell. Without it a
 * full-screen program that was reattached would get mouse reports in the wrong form, or show a
 * cursor it has hidden.
 */
export class ModeMemory {
  readonly #changed = new Map<number, boolean>();
  #cursorStyle = 0;

  constructor(parser: IParser) {
    const note = (value: boolean) => (params: (number | number[])[]) => {
      for (const mode of params) if (typeof mode === 'number') this.#note(mode, value);
      return false;
    };
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, note(true));
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, note(false));
    parser.registerCsiHandler({ intermediates: ' ', final: 'q' }, ([style]) => {
      this.#cursorStyle = typeof style === 'number' ? style : 0;
      return false;
    });
    const reset = () => {
      this.#changed.clear();
      this.#cursorStyle = 0;
      return false;
    };
    parser.registerEscHandler({ final: 'c' }, reset);
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, reset);
  }

  /** The sequences that bring it all back. */
  restore(): string {
    const modes = [...this.#changed].map(
      ([mode, on]) => `\u001b[?${String(mode)}${on ? 'h' : 'l'}`,
    );
    const style = this.#cursorStyle === 0 ? '' : `\u001b[${String(this.#cursorStyle)} q`;
    return modes.join('') + style;
  }

  #note(mode: number, value: boolean): void {
    const usual = privateModes.get(mode);
    if (usual === undefined) return;
    if (usual === value) this.#changed.delete(mode);
    else this.#changed.set(mode, value);
  }
}
