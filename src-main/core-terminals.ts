// Terminals, as the core constructs them.
import { randomBytes } from 'node:crypto';
import type { StreamHandlers } from './api/wire/serve-wire.ts';
import { systemClock as clock } from './link/system-timers.ts';
import type { Logger } from './services/logger.ts';
import type { SettingsService } from './services/settings.ts';
import { execStream } from './services/terminals/exec-stream.ts';
import type { TerminalNodes, TerminalTasks } from './services/terminals/ports.ts';
import { Screens } from './services/terminals/screens.ts';
import { TerminalsService } from './services/terminals/terminals-service.ts';

export interface CoreTerminals extends AsyncDisposable {
  readonly service: TerminalsService;
  readonly streams: Pick<StreamHandlers, 'terminals.attach' | 'terminals.exec'>;
}

export function makeTerminals(given: {
  nodes: TerminalNodes;
  tasks: TerminalTasks;
  settings: SettingsService;
  log: Logger;
}): CoreTerminals {
  const { nodes, tasks, settings, log } = given;
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
  return {
    service,
    streams: {
      'terminals.attach': (input, _context, io) => service.attach(input, io),
      'terminals.exec': (input, _context, io) => execStream(parts, input, io),
    },
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await screens[Symbol.asyncDispose]();
    },
  };
}
