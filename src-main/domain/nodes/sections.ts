// Reading what the scripts of resources/node print. Pure; everything here treats its input as
// hostile: bounded in size, cleaned of control characters, never trusted to be complete.

/** Body lines by section. A section that was printed is there, even when it is empty. */
export type Sections = ReadonlyMap<string, readonly string[]>;

const maxSections = 64;
/** More than the largest machine prints for one section (2,048 cores in /proc/stat). */
const maxLines = 4096;
const maxLineLength = 2048;
const header = /^@([a-z][a-z0-9-]{0,31})$/;

/** Takes lines one by one and sorts them into sections; what is out of place or too much is dropped. */
export class SectionCollector {
  readonly #sections = new Map<string, string[]>();
  #current: string[] | undefined;

  add(line: string): void {
    if (line.startsWith('|')) {
      if (this.#current !== undefined && this.#current.length < maxLines) {
        this.#current.push(line.slice(1, maxLineLength));
      }
      return;
    }
    const name = header.exec(line.trimEnd())?.[1];
    if (name === undefined) return;
    this.#current = this.#sections.get(name);
    if (this.#current === undefined && this.#sections.size < maxSections) {
      this.#current = [];
      this.#sections.set(name, this.#current);
    }
  }

  get sections(): Sections {
    return this.#sections;
  }
}

/** Splits a whole report. Never throws. */
export function parseSections(text: string): Sections {
  const collector = new SectionCollector();
  for (const line of text.split('\n')) collector.add(line);
  return collector.sections;
}

/** The lines of a section; none where it was not printed. */
export function linesOf(sections: Sections, name: string): readonly string[] {
  return sections.get(name) ?? [];
}

/** `name value…` lines as a map; the first of equal names wins. */
export function wordsOf(sections: Sections, name: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const line of linesOf(sections, name)) {
    const space = line.indexOf(' ');
    const key = space < 0 ? line : line.slice(0, space);
    if (!words.has(key)) words.set(key, space < 0 ? '' : line.slice(space + 1).trim());
  }
  return words;
}

/** How a tool that was asked aside ended, and what it printed. */
export interface Answer {
  /** Exit code; `timeout` when it did not end in time, `unavailable` when it could not be asked. */
  readonly code: number | 'timeout' | 'unavailable';
  readonly lines: readonly string[];
}

/** GNU timeout ends a command by SIGKILL with 137, busybox's likewise; 124 is its other way to say so. */
const timeoutCodes: readonly number[] = [124, 137];

/** Reads a section whose first line is `code N`; undefined where the tool was not asked. */
export function answerOf(sections: Sections, name: string): Answer | undefined {
  const [first, ...lines] = sections.get(name) ?? [];
  if (first === undefined) return undefined;
  const said = /^code (\d{1,3}|timeout|unavailable)$/.exec(first)?.[1];
  if (said === undefined || said === 'unavailable') return { code: 'unavailable', lines };
  const code = said === 'timeout' ? said : Number(said);
  if (code !== 'timeout' && timeoutCodes.includes(code)) return { code: 'timeout', lines };
  return { code, lines };
}
