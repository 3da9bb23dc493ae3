import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { implement } from '@orpc/server';
import type { WireContext } from '../../api/context.ts';
import { feedFrom } from '../../api/feed.ts';
import {
  desktopContract,
  type DesktopPreferences,
  type DesktopState,
} from '../../contract/desktop.ts';
import { RequestError } from '../../contract/errors.ts';
import type { Event } from '../../domain/emitter.ts';
import type { Cores } from './cores.ts';
import type { Troubles } from './troubles.ts';
import type { Updates } from './updates.ts';
import type { Wishes } from './wishes.ts';

export interface DesktopParts {
  readonly cores: Cores;
  readonly wishes: Wishes;
  readonly troubles: Troubles;
  readonly updates: Updates;
  readonly state: () => DesktopState;
  readonly onDidChange: Event<void>;
  readonly setPreferences: (changes: Partial<DesktopPreferences>) => DesktopPreferences;
  readonly diagnostics: () => { label: string; value: string }[];
  readonly startDrag: (file: string) => void;
  readonly keepInBackground: () => void;
  readonly quit: () => void;
}

/** What the app offers its page: `DesktopContract` on the host's parts. */
export function desktopRouter(parts: DesktopParts) {
  const os = implement(desktopContract).$context<WireContext>();
  const { cores, wishes, troubles, updates } = parts;
  return os.router({
    cores: {
      inspect: os.cores.inspect.handler(async ({ input }) => ({
        hostKeys: await cores.inspect(input.destination),
      })),
      add: os.cores.add.handler(({ input }) => cores.add(input)),
      switchTo: os.cores.switchTo.handler(async ({ input }) => {
        await cores.switchTo(input.id);
        return input;
      }),
      forget: os.cores.forget.handler(async ({ input }) => {
        await cores.forget(input.id);
        return input;
      }),
    },
    desktop: {
      watch: os.desktop.watch.handler(({ signal }) =>
        feedFrom({
          snapshot: parts.state,
          onDidChange: (listener) => parts.onDidChange(() => listener(parts.state())),
          coalesce: () => 'state',
          signal,
        }),
      ),
      watchWishes: os.desktop.watchWishes.handler(({ signal }) =>
        feedFrom({ snapshot: () => wishes.takeUnheard(), onDidChange: wishes.onDidWish, signal }),
      ),
      setPreferences: os.desktop.setPreferences.handler(({ input }) =>
        parts.setPreferences(withoutUndefined(input)),
      ),
      diagnostics: os.desktop.diagnostics.handler(() => parts.diagnostics()),
      troubles: os.desktop.troubles.handler(() => troubles.list()),
      removeTroubles: os.desktop.removeTroubles.handler(() => ({ removed: troubles.removeAll() })),
      reportTrouble: os.desktop.reportTrouble.handler(({ input }) => ({
        id: troubles.keep('page', input.message, input.details),
      })),
      dragOut: os.desktop.dragOut.handler(async ({ input }) => {
        await checkDraggable(input.path);
        parts.startDrag(input.path);
        return input;
      }),
      keepInBackground: os.desktop.keepInBackground.handler(() => {
        parts.keepInBackground();
        return { isInBackground: true };
      }),
      quit: os.desktop.quit.handler(() => {
        parts.quit();
        return { isQuitting: true };
      }),
      installUpdate: os.desktop.installUpdate.handler(async () => ({
        version: await updates.install(),
      })),
    },
  });
}

/** The system takes the file the moment the drag begins: it must be there. */
async function checkDraggable(path: string): Promise<void> {
  const found = isAbsolute(path) ? await stat(path).catch(() => undefined) : undefined;
  if (found?.isFile() === true) return;
  throw new RequestError('input/invalid', `${path} is not a file on this computer.`, {
    details: { field: 'path' },
  });
}

function withoutUndefined(changes: {
  [K in keyof DesktopPreferences]?: DesktopPreferences[K] | undefined;
}): Partial<DesktopPreferences> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
