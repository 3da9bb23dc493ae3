// The core's log about itself: JSON lines, rotated, and in the terminal too while one looks.
import { join } from 'node:path';
import { pino, stdSerializers, type Logger as Pino } from 'pino';
import roll from 'pino-roll';
import type { Settings } from './contract/settings.ts';

const levels = { full: 'trace', debug: 'debug', info: 'info', warning: 'warn' } as const;

export interface CoreLogFile extends AsyncDisposable {
  readonly log: Pino;
  setLevel(level: Settings['logs.level']): void;
}

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
  });
  const log = pino(
    { level: levels[level], base: null, serializers: { err: stdSerializers.errWithCause } },
    file,
  );
  return {
    log,
    setLevel: (next) => {
      log.level = levels[next];
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        file.once('close', resolve);
        file.end();
      }),
  };
}
