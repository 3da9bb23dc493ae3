// The endless output of the metrics loop, cut into frames.
import { SectionCollector, type Sections } from './sections.ts';

/** No frame is nearly as large; what is, was not printed by our loop. */
const maxFrameBytes = 2 * 2 ** 20;
const maxLineLength = 65_536;

/**
 * Collects bytes until a frame is whole. A frame begins with its opening line (`@tick`) and ends
 * with `@end`; what stands between two frames, such as the greetings of a login shell, is skipped.
 */
export class FrameReader {
  readonly #opening: string;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #frame: SectionCollector | undefined;
  #frameBytes = 0;

  constructor(opening: 'tick' | 'gpu') {
    this.#opening = `@${opening}`;
  }

  /** The frames that these bytes complete; usually one or none. */
  push(bytes: Uint8Array): Sections[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    const rest = lines.pop() ?? '';
    this.#rest = rest.length > maxLineLength ? '' : rest;
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): Sections | undefined {
    if (line === this.#opening) {
      this.#frame = new SectionCollector();
      this.#frameBytes = 0;
      return undefined;
    }
    if (this.#frame === undefined) return undefined;
    if (line === '@end') {
      const { sections } = this.#frame;
      this.#frame = undefined;
      return sections;
    }
    this.#frameBytes += line.length;
    if (this.#frameBytes > maxFrameBytes) this.#frame = undefined;
    else this.#frame.add(line);
    return undefined;
  }
}
