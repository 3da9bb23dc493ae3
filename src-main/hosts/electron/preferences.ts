import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { desktopPreferences, type DesktopPreferences } from '../../contract/desktop.ts';
import { Emitter } from '../../domain/emitter.ts';
import { writeFileAtomicallySync } from '../../store/atomic-file.ts';
import { codeOf } from '../../store/errors.ts';

export const defaultPreferences: DesktopPreferences = {
  whenWindowCloses: 'ask',
  startAtLogin: false,
  notifications: 'all',
  checkForUpdates: false,
};

/**
 * How this app behaves, in `desktop.json` of the data directory. They are the app's and not the
 * core's: the core that is shown may be on another computer. A file that says nothing sensible
 * counts as none.
 */
export class Preferences {
  readonly #path: string;
  readonly #changed = new Emitter<DesktopPreferences>();
  readonly onDidChange = this.#changed.event;
  #values: DesktopPreferences;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'desktop.json');
    this.#values = { ...defaultPreferences, ...read(this.#path) };
  }

  get values(): DesktopPreferences {
    return this.#values;
  }

  /** Stores what is given. Throws what the file system throws; then nothing has changed. */
  set(changes: Partial<DesktopPreferences>): DesktopPreferences {
    const next = { ...this.#values, ...changes };
    writeFileAtomicallySync(this.#path, `${JSON.stringify(next, undefined, 2)}\n`);
    this.#values = next;
    this.#changed.emit(next);
    return next;
  }
}

function read(path: string): Partial<DesktopPreferences> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw error;
  }
  const found = desktopPreferences.partial().safeParse(jsonOrUndefined(text)).data ?? {};
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
