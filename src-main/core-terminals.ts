// Terminals, as the core constructs them.
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import type { StreamHandlers } from './api/wire/serve-wire.ts';
import type { ForwardId } from './contract/forwards.ts';
import { readNodeScript } from './runtimes/node-scripts.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import type { Fleet } from './services/fleet.ts';
import { dialStream } from './services/forwards/dial-stream.ts';
import { ForwardsService } from './services/forwards/forwards-service.ts';
import { SshHosts } from './services/forwards/ssh-hosts.ts';
import type { Logger } from './services/logger.ts';
import type { SettingsService } from './services/settings.ts';
import { execStream } from './services/terminals/exec-stream.ts';
import type { TerminalNodes, TerminalTasks } from './services/terminals/ports.ts';
import { Screens } from './services/terminals/screens.ts';
import { TerminalsService } from './services/terminals/terminals-service.ts';
import { OpenSshFiles } from './store/open-ssh-files.ts';
import type { Store } from './store/open.ts';

export interface CoreTerminals extends AsyncDisposable {
  readonly service: TerminalsService;
  readonly forwards: ForwardsService;
  readonly ssh: SshHosts;
  readonly streams: Pick<StreamHandlers, 'terminals.attach' | 'terminals.exec' | 'forwards.dial'>;
}

export function makeTerminals(given: {
  nodes: TerminalNodes & Pick<Fleet, 'onDidGoOffline'>;
  tasks: TerminalTasks;
  settings: SettingsService;
  log: Logger;
  store: Pick<Store, 'forwards' | 'flushed'>;
  newId: () => ForwardId;
  dataDir: string;
  /** Shell text that starts the command line here. */
  command: string | undefined;
  identityFile: (task: string) => string | null;
}): CoreTerminals {
  const { nodes, tasks, settings, log, store, newId, dataDir, command, identityFile } = given;
  const screens = new Screens(log);
  const parts = {
    nodes,
    tasks,
    screens,
    clock,
    log,
    settings: () => ({
      keeper: settings.get('terminals.keeper'),
      scrollbackLines: settings.get('terminals.scrollbackLines'),
    }),
    newMark: () => randomBytes(8).toString('hex'),
  };
  const service = new TerminalsService(parts);
  const forwards = new ForwardsService({
    terminals: parts,
    records: store.forwards,
    flushed: () => store.flushed(),
    timers,
    relayScripts: {
      perl: readNodeScript('udp-relay.pl'),
      python3: readNodeScript('udp-relay.py'),
    },
    newId,
    onDidGoOffline: nodes.onDidGoOffline,
  });
  const files = new OpenSshFiles({ dataDir, homeDir: homedir() });
  return {
    service,
    forwards,
    ssh: new SshHosts({ terminals: parts, files, command, identityFile }),
    streams: {
      'terminals.attach': (input, _context, io) => service.attach(input, io),
      'terminals.exec': (input, _context, io) => execStream(parts, input, io),
      'forwards.dial': (input, _context, io) => dialStream(parts, input, io),
    },
    [Symbol.asyncDispose]: async () => {
      await forwards[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await screens[Symbol.asyncDispose]();
    },
  };
}
