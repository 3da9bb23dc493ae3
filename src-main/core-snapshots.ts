// Snapshots as files, constructed by hand.
import type { SnowflakeFactory } from './domain/snowflake.ts';
import type { makeVps } from './core-vps.ts';
import type { FileService } from './services/files/file-service.ts';
import type { Logger } from './services/logger.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import { SnapshotFiles } from './services/vps/snapshot-files.ts';
import { openSnapshot, packSnapshot } from './store/snapshot-file.ts';

export function makeSnapshotFiles(given: {
  vps: Pick<ReturnType<typeof makeVps>, 'snapshots' | 'creation' | 'service'>;
  nodes: NodesService;
  files: FileService;
  ids: SnowflakeFactory;
  log: Logger;
}): SnapshotFiles {
  const { vps, nodes, files, ids, log } = given;
  return new SnapshotFiles({
    ...vps,
    fleet: nodes,
    isLocal: (id) => nodes.list().some((node) => node.id === id && node.local),
    newId: () => ids.taskId(),
    log,
    pack: packSnapshot,
    open: openSnapshot,
    download: (name, bytes, signal) =>
      files.write(
        {
          place: { kind: 'here' },
          path: `~/Downloads/${name}`,
          overwrite: false,
          parents: true,
          mode: 0o600,
        },
        bytes,
        signal,
      ),
  });
}
