// The core's log about itself: JSON lines, rotated, and in the terminal too while one looks.
import { join } from 'node:path';
import { pino, stdSerializers, type Logger as Pino } from 'pino';
import roll from 'pino-roll';
import type { Settings } from './contract/settings.ts';
import { Emitter, type Event } from './domain/emitter.ts';

const levels = { full: 'trace', debug: 'debug', info: 'info', warning: 'warn' } as const;

export interface CoreLogFile extends AsyncDisposable {
  readonly log: Pino;
  /** Each line as it is written. */
  readonly onDidWrite: Event<string>;
  setLevel(level: Settings['logs.level']): void;
}

/** What waits here at most while the disk takes nothing; lines beyond that are lost. */
const mostWaitingBytes = 1024 * 1024;

/** Opens `<dataDir>/core.<n>.log`: 10 MB each, the last five are kept. Secrets never get here: nothing logs inputs. */
export async function openCoreLog(
  dataDir: string,
  level: Settings['logs.level'],
): Promise<CoreLogFile> {
  const file = await roll({
    file: join(dataDir, 'core'),
    extension: '.log',
    size: '10m',
    limit: { count: 5 },
    mkdir: true,
    maxLength: mostWaitingBytes,
  });
  // A full disk must not end the core: what waits is written with the next line that can be, and who
  // must know of the disk hears it from the store.
  file.on('error', () => undefined);
  const written = new Emitter<string>();
  const both = {
    write: (line: string) => {
      file.write(line);
      written.emit(line);
    },
  };
  const log = pino(
    { level: levels[level], base: null, serializers: { err: stdSerializers.errWithCause } },
    both,
  );
  return {
    log,
    onDidWrite: written.event,
    setLevel: (next) => {
      log.level = levels[next];
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        file.once('close', resolve);
        // Without room for the last lines it ends without them.
        file.once('error', () => resolve());
        file.end();
      }),
  };
}
