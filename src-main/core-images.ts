// What deals with images beside environments, constructed by hand: snapshots as files, accounts at registries.
import { registriesRouter } from './api/registries-router.ts';
import { imagesRouter, imageStreams } from './api/images-router.ts';
import { snapshotStreams } from './api/snapshot-streams.ts';
import { environmentsRouter } from './api/environments-router.ts';
import type { CoreEnvironments } from './core-environments.ts';
import type { makeVps } from './core-vps.ts';
import type { SnowflakeFactory } from './domain/snowflake.ts';
import type { FileService } from './services/files/file-service.ts';
import type { Logger } from './services/logger.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import { RegistryService, type RegistryAccounts } from './services/registries/registry-service.ts';
import { SnapshotFiles } from './services/vps/snapshot-files.ts';
import type { Store } from './store/open.ts';
import { openSnapshot, packSnapshot } from './store/snapshot-file.ts';

export interface ImageServices {
  readonly snapshotFiles: SnapshotFiles;
  readonly registries: RegistryService;
}

export function makeImages(given: {
  vps: Pick<ReturnType<typeof makeVps>, 'snapshots' | 'creation' | 'service'>;
  nodes: NodesService;
  files: FileService;
  accounts: RegistryAccounts;
  store: Pick<Store, 'flushed'>;
  ids: SnowflakeFactory;
  logFile: { readonly log: Logger };
}): ImageServices {
  const { vps, nodes, files, accounts, store, ids, logFile } = given;
  const fleet = nodes;
  const isLocal = (id: string) => nodes.list().some((node) => node.id === id && node.local);
  const snapshotFiles = new SnapshotFiles({
    ...vps,
    fleet,
    isLocal,
    newId: () => ids.taskId(),
    log: logFile.log,
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
  const flushed = () => store.flushed();
  const registries = new RegistryService({ accounts, flushed, fleet, isLocal });
  return { snapshotFiles, registries };
}

/** The routers of what deals with images. */
export function imageRouters(
  services: ImageServices & { readonly environments: CoreEnvironments },
) {
  return {
    environments: environmentsRouter(services.environments),
    registries: registriesRouter(services.registries),
    images: imagesRouter(services.environments.images),
  };
}

/** The byte streams of what deals with images. */
export function streamsOfImages(
  services: ImageServices & { readonly environments: CoreEnvironments },
) {
  return {
    ...snapshotStreams(services.snapshotFiles),
    ...imageStreams(services.environments.images),
  };
}
