import { implement } from '@orpc/server';
import type { ArchiveFilesInput } from '../contract/files.ts';
import { contract } from '../contract/procedures.ts';
import type { FileService } from '../services/files/file-service.ts';
import type { WorkspaceService } from '../services/workspace/workspace-service.ts';
import type { WireContext } from './context.ts';
import { asLines, once } from './json-lines.ts';
import type { StreamHandlers } from './wire/serve-wire.ts';
import { workspaceStreams, type WorkspaceStreams } from './workspace-router.ts';

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

/** The byte streams of files and workspaces. */
export function fileStreams(
  files: FileService,
  archive: Archive,
  workspace: WorkspaceService,
): FileStreams & WorkspaceStreams {
  return {
    ...workspaceStreams(workspace),
    'files.archive': (input, _context, signal) => archive(input, signal),
    'files.list': (input) => asLines(files.list(input)),
    'files.read': (input) => files.read(input, input),
    'files.write': (input, _context, { signal, incoming }) =>
      asLines(once(files.write(input, incoming, signal))),
  };
}
