import type { SnapshotFiles } from '../services/vps/snapshot-files.ts';
import { asLines } from './json-lines.ts';
import type { StreamHandlers } from './wire/serve-wire.ts';

type SnapshotStreams = Pick<
  StreamHandlers,
  'vps.exportSnapshot' | 'vps.saveSnapshot' | 'vps.importSnapshot'
>;

/** The byte streams of snapshots as files. */
export function snapshotStreams(files: SnapshotFiles): SnapshotStreams {
  return {
    'vps.exportSnapshot': (input, _context, signal) => files.export(input, signal),
    'vps.saveSnapshot': (input, _context, signal) => asLines(files.save(input, signal)),
    'vps.importSnapshot': (input, { who }, { signal, incoming }) =>
      asLines(imported(files.import(input, incoming, { signal, who }))),
  };
}

async function* imported(vps: ReturnType<SnapshotFiles['import']>): AsyncGenerator {
  const { id, name, target } = await vps;
  // It has yet to start there.
  yield { id, name, node: target };
}
