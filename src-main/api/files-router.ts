import { implement } from '@orpc/server';
import type { ArchiveFilesInput } from '../contract/files.ts';
import { contract } from '../contract/procedures.ts';
import type { FileService } from '../services/files/file-service.ts';
import type { WireContext } from './context.ts';
import type { StreamHandlers } from './wire/serve-wire.ts';

/** The contract's `files`. */
export function filesRouter(files: FileService) {
  const os = implement(contract.files).$context<WireContext>();
  return os.router({
    home: os.home.handler(({ input }) => files.home(input.place)),
    info: os.info.handler(({ input }) => files.info(input)),
    diskUse: os.diskUse.handler(({ input }) => files.diskUse(input)),
    makeDirectory: os.makeDirectory.handler(({ input }) => files.makeDirectory(input, input)),
    makeFile: os.makeFile.handler(({ input }) => files.makeFile(input)),
    rename: os.rename.handler(({ input }) => files.rename(input)),
    remove: os.remove.handler(({ input }) => files.remove(input)),
    setMode: os.setMode.handler(({ input }) => files.setMode(input, input.mode)),
  });
}

type FileStreams = Pick<
  StreamHandlers,
  'files.list' | 'files.read' | 'files.archive' | 'files.write'
>;
export type Archive = (input: ArchiveFilesInput, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** The byte streams of files. */
export function fileStreams(files: FileService, archive: Archive): FileStreams {
  return {
    'files.archive': (input, _context, signal) => archive(input, signal),
    'files.list': (input) => asLines(files.list(input)),
    'files.read': (input) => files.read(input, input),
    'files.write': (input, _context, { signal, incoming }) =>
      asLines(once(files.write(input, incoming, signal))),
  };
}

/** One JSON document a line. */
export async function* asLines(values: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}

async function* once(value: Promise<unknown>): AsyncGenerator {
  yield await value;
}
