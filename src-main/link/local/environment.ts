import { delimiter } from 'node:path';

/** Variables that steer this app's own process and would mislead a program it starts. */
const ownVariables =
  /^(npm_|ELECTRON_|NODE_(OPTIONS|PATH|ENV|CHANNEL_FD)$|KOHAKURIVER_|VITEST|INIT_CWD$|CHROME_DESKTOP$)/;

/** The environment a program started on this computer gets: the user's, without what is ours. */
export function cleanEnvironment(source: NodeJS.ProcessEnv): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && !ownVariables.test(name)) result[name] = value;
  }
  const path = result['PATH'];
  if (path !== undefined) result['PATH'] = withoutOwnTools(path);
  return result;
}

/** `npm run` puts directories of this project first. */
function withoutOwnTools(path: string): string {
  return path
    .split(delimiter)
    .filter((part) => !/[\\/]node_modules[\\/]/.test(`${part}/`))
    .join(delimiter);
}
