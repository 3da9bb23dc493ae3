// `npm start`: builds what is needed and opens the app: in Electron, or, where that cannot be, the
// same app from a local server in the browser. Arguments go to the server (`npm start -- --port 0`).
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildAll } from './lib/build-parts.ts';
import { findElectron } from './lib/find-electron.ts';

const root = join(import.meta.dirname, '..');
const fetchLimitMs = 60_000;
/** An app that ends with an error this soon has not started: a library is missing, or the display is not ours. */
const falseStartMs = 5000;

const built = await buildAll({ force: false });
if (built.length > 0) process.stderr.write(`Built ${built.join(' and ')}.\n`);

const found = await findElectron(
  { platform: process.platform, env: process.env, uid: process.getuid?.() },
  fetchLimitMs,
);
const reason = 'reason' in found ? found.reason : await runElectron(found.binary);
if (reason !== undefined) {
  process.stderr.write(`Electron is not used (${reason}); the same app opens in the browser.\n`);
  process.exitCode = await run(process.execPath, [
    join(root, 'dist', 'main', 'serve.js'),
    '--open',
    ...process.argv.slice(2),
  ]);
}

/** Runs the app to its end. Answers why it did not start, should that be so. */
async function runElectron(binary: string): Promise<string | undefined> {
  const startedAt = performance.now();
  const exitCode = await run(binary, [root, ...process.argv.slice(2)]);
  if (exitCode !== 0 && performance.now() - startedAt < falseStartMs) {
    return `it ended at once with code ${String(exitCode)}`;
  }
  process.exitCode = exitCode;
  return undefined;
}

/** Runs a program on this terminal; Ctrl-C reaches it as it reaches us. */
function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    // The terminal sends SIGINT to both; this process only has to outlive the child.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGTERM', pass);
    child.once('error', (error) => {
      process.stderr.write(`${command} could not be started: ${error.message}\n`);
      resolve(127);
    });
    child.once('exit', (code) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
