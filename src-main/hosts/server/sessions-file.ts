import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../../store/atomic-file.ts';
import { codeOf } from '../../store/errors.ts';

const sessionsFile = z.array(
  z.object({
    /** SHA-256 of the cookie's value, hexadecimal: the file itself signs nobody in. */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    /** Milliseconds since 1970. */
    expiresAt: z.number(),
  }),
);
export type KeptSessions = z.infer<typeof sessionsFile>;

/**
 * The signed-in browsers of a data directory, in `sessions.json`: an open page goes on by itself when
 * its core starts again. A file that makes no sense counts as none, and browsers sign in anew.
 */
export class SessionsFile {
  readonly #path: string;
  #saving: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'sessions.json');
  }

  async read(): Promise<KeptSessions> {
    try {
      return sessionsFile.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch (error) {
      const isUnusable = error instanceof SyntaxError || error instanceof z.ZodError;
      if (isUnusable || codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** Writes one after the other; `onFailure` hears of a write that could not be made. */
  save(sessions: KeptSessions, onFailure: (error: unknown) => void): void {
    const text = `${JSON.stringify(sessions)}\n`;
    this.#saving = this.#saving.then(() => writeFileAtomically(this.#path, text)).catch(onFailure);
  }

  /** Resolves when nothing is left to write. */
  async settled(): Promise<void> {
    await this.#saving;
  }
}
