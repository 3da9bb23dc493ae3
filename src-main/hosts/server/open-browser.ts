import { spawn } from 'node:child_process';

/** The program that opens a URL on a platform, or undefined where there is no display to open it on. */
export function openerFor(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): { command: string; arguments: readonly string[] } | undefined {
  if (platform === 'darwin') return { command: 'open', arguments: [] };
  if (platform === 'win32')
    return { command: 'rundll32', arguments: ['url.dll,FileProtocolHandler'] };
  const hasDisplay = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
  return hasDisplay ? { command: 'xdg-open', arguments: [] } : undefined;
}

/** Opens a URL in the user's browser. Answers whether a browser could be started. */
export function openBrowser(url: string): Promise<boolean> {
  const opener = openerFor(process.platform, process.env);
  if (opener === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(opener.command, [...opener.arguments, url], {
      stdio: 'ignore',
      detached: true,
    });
    child.once('error', () => {
      resolve(false);
    });
    child.once('exit', (code) => {
      resolve(code === 0);
    });
    // xdg-open may stay as long as the browser it started.
    setTimeout(() => {
      resolve(true);
    }, 3000).unref();
    child.unref();
  });
}
