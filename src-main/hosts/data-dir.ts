import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The parts of a process that decide where its data lies; handed in for tests. */
export interface Surroundings {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
}

/**
 * The data directory of every host: what was given, else `KOHAKURIVER_DATA_DIR`, else the place
 * the platform has for such data. Always absolute.
 */
export function chooseDataDir(
  given: string | undefined,
  around: Surroundings = thisProcess(),
): string {
  const { platform, env, home } = around;
  const named = given ?? nonEmpty(env['KOHAKURIVER_DATA_DIR']);
  if (named !== undefined) return resolve(named);
  if (platform === 'darwin')
    return join(home, 'Library', 'Application Support', 'KohakuRiver Desktop');
  if (platform === 'win32') {
    return join(
      nonEmpty(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local'),
      'KohakuRiver Desktop',
    );
  }
  return join(
    nonEmpty(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share'),
    'kohakuriver-desktop',
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function thisProcess(): Surroundings {
  return { platform: process.platform, env: process.env, home: homedir() };
}
