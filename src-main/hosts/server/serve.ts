// Entry of the headless host without the command line (dist/main/serve.js): what `npm start` runs
// where there is no Electron.
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { AppError, RequestError } from '../../contract/errors.ts';
import { settingDefinitions } from '../../contract/settings.ts';
import { createCore } from '../../core.ts';
import { chooseDataDir } from '../data-dir.ts';
import { findPlaces } from '../places.ts';
import { askForSignInUrl } from './attach.ts';
import { runServe } from './main.ts';
import { openBrowser } from './open-browser.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string' },
    json: { type: 'boolean', default: false },
    open: { type: 'boolean', default: false },
  },
});

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
});
process.once('SIGTERM', () => {
  stop.abort();
});

const dataDir = chooseDataDir(values['data-dir']);
const print = (text: string): void => {
  process.stdout.write(text);
};

try {
  await runServe({
    ...findPlaces(import.meta.url),
    dataDir,
    host: values.host,
    port: await choosePort(values.port, values.host),
    json: values.json,
    open: values.open,
    createCore,
    signal: stop.signal,
    print,
  });
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  const url = error.code === 'store/locked' ? await askForSignInUrl(dataDir) : undefined;
  if (url === undefined) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    print(`KohakuRiver runs already. Open this in a browser (the link works once):\n  ${url}\n`);
    if (values.open) await openBrowser((await askForSignInUrl(dataDir)) ?? url);
  }
}

/** The port asked for, or the usual one, or any where that is taken and none was asked for. */
async function choosePort(given: string | undefined, host: string): Promise<number> {
  if (given === undefined) {
    const usual = settingDefinitions['server.port'].default;
    return (await isFree(usual, host)) ? usual : 0;
  }
  const port = /^\d{1,5}$/.test(given) ? Number(given) : NaN;
  if (port <= 65_535) return port;
  throw new RequestError(
    'input/invalid',
    `--port must be a number from 0 to 65535, not "${given}".`,
  );
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, host, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
