import type { Command } from 'commander';
import type { Runner } from '../call.ts';
import { findPlaces } from '../../places.ts';
import { reading, wholeNumber } from '../parse/option.ts';

interface ServeOptions {
  host?: string;
  port?: number;
  open?: boolean;
}

/** `serve`: a core of our own, with its page. */
export function addServeCommand(program: Command, runner: Runner): void {
  const serve = program
    .command('serve')
    .description('run the core here, with its web interface, until it is told to stop')
    .option('--host <address>', 'where to listen (setting server.host)')
    .option(
      '--port <number>',
      'on which port; 0 for any (setting server.port)',
      reading(wholeNumber(0, 65_535)),
    )
    .option('--open', 'open a browser');
  runner.action<ServeOptions>(
    serve,
    async (call) => {
      // Only this command needs a core's parts; the others start faster without.
      const [{ runServe }, { createCore }] = await Promise.all([
        import('../../server/main.ts'),
        import('../../../core.ts'),
      ]);
      await runServe({
        ...findPlaces(import.meta.url),
        dataDir: call.dataDir,
        host: call.options.host,
        port: call.options.port,
        open: call.options.open === true,
        json: call.isJson,
        createCore,
        signal: call.signal,
        print: (text) => void call.io.out.write(text),
      });
    },
    { isPatient: true },
  );
}
