// Entry of the headless host without the command line (dist/main/serve.js): what `npm start` runs
// where there is no Electron.
import { parseArgs } from 'node:util';
import { AppError, RequestError } from '../../contract/errors.ts';
import { createCore } from '../../core.ts';
import { chooseDataDir } from '../data-dir.ts';
import { findPlaces } from '../places.ts';
import { askForSignInUrl } from './attach.ts';
import { runServe } from './main.ts';
import { openBrowser } from './open-browser.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    host: { type: 'string' },
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
    port: readPort(values.port),
    anyPortIfTaken: true,
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

/** @throws RequestError for what is no port */
function readPort(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : NaN;
  if (port <= 65_535) return port;
  throw new RequestError(
    'input/invalid',
    `--port must be a number from 0 to 65535, not "${given}".`,
  );
}
