import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { Finding } from '../contract/node.ts';
import type { CoreStatusService } from '../services/core-status.ts';
import type { SettingsService } from '../services/settings.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

export interface CoreParts {
  readonly status: CoreStatusService;
  /** Asks the host to stop this core; returns at once. */
  readonly requestStop: () => void;
  readonly backup: (file: string) => Promise<{ file: string; bytes: number }>;
  readonly doctor: () => Promise<Finding[]>;
  readonly unlockVault: (passphrase: string) => Promise<{ state: string }>;
}

/** The contract's `core`: status, stop, backup. */
export function coreRouter(parts: CoreParts) {
  const os = implement(contract.core).$context<WireContext>();
  const { status } = parts;
  return os.router({
    status: os.status.handler(() => status.status()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => status.status(),
        onDidChange: status.onDidChange,
        coalesce: () => 'status',
        signal,
      }),
    ),
    stop: os.stop.handler(() => {
      const { pid } = status.status();
      parts.requestStop();
      return { pid };
    }),
    backup: os.backup.handler(({ input }) => parts.backup(input.file)),
    doctor: os.doctor.handler(() => parts.doctor()),
    unlockVault: os.unlockVault.handler(({ input }) => parts.unlockVault(input.passphrase)),
  });
}

/** The contract's `config`. */
export function configRouter(settings: SettingsService) {
  const os = implement(contract.config).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => settings.list()),
    get: os.get.handler(({ input }) => settings.view(input.key)),
    set: os.set.handler(({ input }) => settings.set(input.key, input.value)),
    reset: os.reset.handler(({ input }) => settings.reset(input.key)),
  });
}
