import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type YAMLMap,
} from 'yaml';
import { settingKeys } from '../contract/settings.ts';
import { writeFileAtomicallySync } from './atomic-file.ts';
import { codeOf, ConfigFileError } from './errors.ts';

/** One value of the settings file and where it stands. */
export interface ConfigEntry {
  readonly value: unknown;
  /** `config.yaml, line 3, column 5`. */
  readonly place: string;
}

interface Parsed {
  readonly document: Document;
  readonly lines: LineCounter;
}

/**
 * `config.yaml`: settings written nested (`tasks: { defaultImage: … }`) or with dots
 * (`tasks.defaultImage: …`), seen as flat dotted keys. Reads the file each time: people edit it.
 * Throws ConfigFileError with the place.
 */
export class ConfigFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Values as they stand in the file, by flat key; none when there is no file. */
  read(): Record<string, unknown> {
    return Object.fromEntries([...this.entries()].map(([key, { value }]) => [key, value]));
  }

  /** The same with places, in the order of the file. */
  entries(): Map<string, ConfigEntry> {
    return this.#entriesOf(this.#parse());
  }

  /** Sets one key, or takes it out with undefined. The rest of the file stays, comments too. */
  set(key: string, value: unknown): void {
    const parsed = this.#parse();
    this.#entriesOf(parsed);
    const { document } = parsed;
    const path = pathOf(document.contents, key) ?? pathForNew(document, key);
    if (value === undefined) remove(document, path);
    else document.setIn(path, value);
    this.#write(textOf(document));
  }

  #entriesOf({ document, lines }: Parsed): Map<string, ConfigEntry> {
    const found = new Map<string, ConfigEntry>();
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return found;
    if (!isMap(contents)) {
      throw this.#error('must have settings such as "ui.theme: dark"', lines.linePos(0));
    }
    for (const { key, node, offset } of leaves(contents, '')) {
      const position = lines.linePos(offset);
      if (found.has(key)) throw this.#error(`sets ${key} a second time`, position);
      const value: unknown = isNode(node) ? node.toJS(document) : node;
      found.set(key, { value, place: `${basename(this.#path)}, ${placeOf(position)}` });
    }
    return found;
  }

  #parse(): Parsed {
    const lines = new LineCounter();
    const document = parseDocument(this.#text(), { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error === undefined) return { document, lines };
    throw this.#error(`cannot be read: ${error.message}`, lines.linePos(error.pos[0]), error);
  }

  #text(): string {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return '';
      throw new ConfigFileError(
        'settings/file',
        `Could not read ${this.#path} (${codeOf(error)}). Check its permissions.`,
        { cause: error, retry: 'after-user-action' },
      );
    }
  }

  #write(text: string): void {
    try {
      writeFileAtomicallySync(this.#path, text);
    } catch (error) {
      throw new ConfigFileError(
        'settings/file',
        `Could not write ${this.#path} (${codeOf(error)}). Check its permissions and the free space.`,
        { cause: error, retry: 'after-user-action' },
      );
    }
  }

  #error(problem: string, position: Position, cause?: unknown): ConfigFileError {
    return new ConfigFileError(
      'settings/file',
      `${this.#path} ${problem} (${placeOf(position)}).`,
      { cause, retry: 'after-user-action', details: { line: position.line, column: position.col } },
    );
  }
}

interface Position {
  readonly line: number;
  readonly col: number;
}

function placeOf({ line, col }: Position): string {
  return `line ${line}, column ${col}`;
}

interface Leaf {
  readonly key: string;
  readonly node: unknown;
  readonly offset: number;
}

/** The values of a map of maps by dotted key. A section left empty has none. */
function* leaves(map: YAMLMap, prefix: string): Generator<Leaf> {
  for (const { key: keyNode, value: node } of map.items) {
    const key = prefix + keyText(keyNode);
    if (isMap(node)) yield* leaves(node, `${key}.`);
    else if (!isEmptySection(key, node)) yield { key, node, offset: offsetOf(keyNode) };
  }
}

function isEmptySection(key: string, node: unknown): boolean {
  const isNull = node === null || (isScalar(node) && node.value === null);
  return isNull && settingKeys.some((known) => known.startsWith(`${key}.`));
}

function keyText(node: unknown): string {
  return String(isScalar(node) ? node.value : node);
}

function offsetOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}

/** Where a key stands in the file, however it is cut into sections; undefined where it does not. */
function pathOf(node: unknown, key: string): string[] | undefined {
  if (!isMap(node)) return undefined;
  for (const item of node.items) {
    const name = keyText(item.key);
    if (name === key) return [name];
    if (!key.startsWith(`${name}.`)) continue;
    const rest = pathOf(item.value, key.slice(name.length + 1));
    if (rest !== undefined) return [name, ...rest];
  }
  return undefined;
}

/** Where to put a key that is not there yet: into its section, which may stand there empty. */
function pathForNew(document: Document, key: string): string[] {
  const path = key.split('.');
  for (let length = 1; length < path.length; length += 1) {
    const section = path.slice(0, length);
    if (document.hasIn(section) && !isCollection(document.getIn(section))) {
      document.setIn(section, document.createNode({}));
    }
  }
  return path;
}

/** Removes a value and the sections that have nothing left in them; a comment at the top stays. */
function remove(document: Document, path: readonly string[]): void {
  if (!document.hasIn(path)) return;
  const section = path.slice(0, -1);
  if (section.length === 0) keepTopComment(document, path);
  document.deleteIn(path);
  const left = section.length === 0 ? undefined : document.getIn(section);
  if (isMap(left) && left.items.length === 0) remove(document, section);
}

function keepTopComment(document: Document, [key]: readonly string[]): void {
  const first = isMap(document.contents) ? document.contents.items[0]?.key : undefined;
  if (!isScalar(first) || String(first.value) !== key) return;
  document.commentBefore = first.commentBefore ?? null;
}

/** A map without settings would be written as `{}`. */
function textOf(document: Document): string {
  return document.toString().replace(/^(\{\}|null)\n+/m, '');
}
