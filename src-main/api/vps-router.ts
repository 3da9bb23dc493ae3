import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { UserKeys, VpsCreation } from '../services/vps/vps-creation.ts';
import type { VpsBook } from '../services/vps/vps-book.ts';
import type { VpsService } from '../services/vps/vps-service.ts';
import type { VpsCloning } from '../services/vps/vps-cloning.ts';
import type { VpsSnapshots } from '../services/vps/vps-snapshots.ts';
import type { VpsSshService } from '../services/vps/vps-ssh.ts';
import type { VpsUses } from '../services/vps/vps-use.ts';
import type { VpsViews } from '../services/vps/vps-views.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

export interface VpsParts {
  readonly vpses: VpsBook;
  readonly views: VpsViews;
  readonly uses: VpsUses;
  readonly creation: VpsCreation;
  readonly service: VpsService;
  readonly ssh: VpsSshService;
  readonly snapshots: VpsSnapshots;
  readonly cloning: VpsCloning;
  readonly keys: Pick<UserKeys, 'list'>;
}

/** The contract's `vps`, on the VPS services. */
export function vpsRouter(parts: VpsParts) {
  const { vpses, views, uses, creation, service, ssh, snapshots, cloning, keys } = parts;
  const os = implement(contract.vps).$context<WireContext>();
  return os.router({
    create: os.create.handler(async ({ input, context }) => {
      const { id, privateKey, keyFile, warnings } = await creation.create(input, context.who);
      return { vps: service.get(id), privateKey, keyFile, warnings: [...warnings] };
    }),
    list: os.list.handler(() => views.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({ snapshot: () => views.list(), onDidChange: views.onDidChange, signal }),
    ),
    watchUse: os.watchUse.handler(({ signal }) =>
      feedFrom({
        snapshot: () => uses.list(),
        onDidChange: uses.onDidMeasure,
        coalesce: ({ id }) => id,
        signal,
      }),
    ),
    get: os.get.handler(({ input }) => service.get(input.vps)),
    events: os.events.handler(({ input }) => service.events(input.vps)),
    start: os.start.handler(({ input, context }) => service.start({ ...input, who: context.who })),
    stop: os.stop.handler(({ input, context }) => service.stop({ ...input, who: context.who })),
    restart: os.restart.handler(({ input, context }) =>
      service.restart({ ...input, who: context.who }),
    ),
    pause: os.pause.handler(({ input, context }) => service.pause({ ...input, who: context.who })),
    resume: os.resume.handler(({ input, context }) =>
      service.resume({ ...input, who: context.who }),
    ),
    rename: os.rename.handler(({ input, context }) =>
      service.rename({ ...input, who: context.who }),
    ),
    update: os.update.handler(({ input, context }) =>
      service.update({ ...input, who: context.who }),
    ),
    remove: os.remove.handler(({ input, context }) =>
      service.remove({ ...input, who: context.who }),
    ),
    snapshots: os.snapshots.handler(({ input }) => snapshots.list(input.vps)),
    takeSnapshot: os.takeSnapshot.handler(({ input }) => snapshots.take(input.vps, input.note)),
    restore: os.restore.handler(async ({ input, context }) => {
      await snapshots.restore(input.vps, input.tag, context.who);
      return service.get(input.vps);
    }),
    deleteSnapshot: os.deleteSnapshot.handler(async ({ input }) => {
      await snapshots.delete(input.vps, input.tag);
      return { tag: input.tag };
    }),
    clone: os.clone.handler(({ input, context }) => cloning.clone({ ...input, who: context.who })),
    setUpSsh: os.setUpSsh.handler(async ({ input }) => {
      await ssh.setUp(vpses.find(input.vps));
      return service.get(input.vps);
    }),
    output: os.output.handler(({ input }) => service.output(input)),
    localKeys: os.localKeys.handler(() => keys.list()),
  });
}
