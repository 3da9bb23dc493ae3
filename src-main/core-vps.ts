// The services of VPSes, constructed by hand.
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  makeKeyPair,
  publicKeysOf,
  readPublicKey,
  removePrivateKey,
  writePrivateKey,
} from './link/ssh/key-pair.ts';
import type { TaskId } from './contract/ids.ts';
import type { Timers } from './domain/clock.ts';
import { readNodeScript } from './runtimes/node-scripts.ts';
import type { Logger } from './services/logger.ts';
import { VpsRoutes } from './services/vps/vps-access.ts';
import { VpsCloning } from './services/vps/vps-cloning.ts';
import { VpsCreation, type UserKeys, type VpsCreationParts } from './services/vps/vps-creation.ts';
import { VpsService, type VpsServiceParts } from './services/vps/vps-service.ts';
import { VpsSnapshots } from './services/vps/vps-snapshots.ts';
import { VpsSshService } from './services/vps/vps-ssh.ts';
import { VpsUses } from './services/vps/vps-use.ts';
import { VpsViews } from './services/vps/vps-views.ts';
import { VpsWatch } from './services/vps/vps-watch.ts';

type Parts = Omit<VpsCreationParts, 'keys'> &
  Omit<VpsServiceParts, 'views' | 'creation' | 'snapshots'> & {
    readonly timers: Timers;
    readonly log: Logger;
  };

const keys: UserKeys = {
  make: makeKeyPair,
  read: readPublicKey,
  write: writePrivateKey,
  remove: removePrivateKey,
  defaultFile: (id) => join(homedir(), '.ssh', `id-kohakuriver-${id}`),
  list: () => publicKeysOf(homedir()),
};

export function makeVps(parts: Parts) {
  const { vpses, book, fleet } = parts;
  const watch = new VpsWatch(parts);
  const views = new VpsViews({ vpses, watch, book, fleet, readKey: readPublicKey });
  const uses = new VpsUses({ ...parts, vpses, fleet });
  const creation = new VpsCreation({ ...parts, keys });
  const snapshots = new VpsSnapshots({ ...parts, views });
  const service = new VpsService({ ...parts, views, creation, snapshots });
  const ssh = new VpsSshService({ ...parts, views, script: readNodeScript('vps-ssh.sh') });
  const cloning = new VpsCloning({ creation, snapshots, service, fleet });
  const access = new VpsRoutes({ vpses, views, fleet });
  return {
    vpses,
    views,
    uses,
    creation,
    service,
    ssh,
    snapshots,
    cloning,
    access,
    keys,
    /** The private key it was made with, where it was written on this computer. */
    identityFile: (id: string): string | null =>
      vpses.get(id as TaskId)?.record.ssh.identityFile ?? null,
    [Symbol.dispose](): void {
      for (const one of [ssh, snapshots, service, uses, views, watch, vpses]) one[Symbol.dispose]();
    },
  };
}
