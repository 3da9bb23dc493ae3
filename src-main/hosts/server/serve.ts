// Entry of the headless host without the command line (dist/main/serve.js): what `npm start` runs
// where there is no Electron.
import { parseArgs } from 'node:util';
import { AppError } from '../../contract/errors.ts';
import { createCore } from '../../core.ts';
import { chooseDataDir } from '../data-dir.ts';
import { findPlaces } from '../places.ts';
import { runServe } from './main.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8000' },
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

try {
  await runServe({
    ...findPlaces(import.meta.url),
    dataDir: chooseDataDir(values['data-dir']),
    host: values.host,
    port: Number(values.port),
    json: values.json,
    open: values.open,
    createCore,
    signal: stop.signal,
    print: (text) => {
      process.stdout.write(text);
    },
  });
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
