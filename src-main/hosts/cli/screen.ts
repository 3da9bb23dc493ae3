import type { ByteSink } from './byte-sink.ts';

/** A picture at the bottom of a terminal that is drawn again in the same place. */
export class Screen {
  readonly #sink: ByteSink;
  #linesDrawn = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  get isTerminal(): boolean {
    return this.#sink.isTerminal;
  }

  /** Replaces what was drawn before. */
  async draw(text: string): Promise<void> {
    const up = this.#linesDrawn === 0 ? '' : `\u001b[${String(this.#linesDrawn)}A\r\u001b[J`;
    this.#linesDrawn = this.#linesOf(text);
    await this.#sink.write(up + text);
  }

  /** Lines the terminal needs, those it breaks itself included. */
  #linesOf(text: string): number {
    const columns = this.#sink.columns ?? 80;
    return text
      .split('\n')
      .slice(0, -1)
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(visibleWidth(line) / columns)), 0);
  }
}

function visibleWidth(line: string): number {
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  return line.replace(/\u001b\[[0-9;]*m/g, '').length;
}
