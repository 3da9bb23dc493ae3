import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { EnvironmentService } from '../services/environments/environment-service.ts';
import type { Pruning } from '../services/environments/pruning.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `environments`. */
export function environmentsRouter({
  service,
  pruning,
}: {
  service: EnvironmentService;
  pruning: Pruning;
}) {
  const os = implement(contract.environments).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => service.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => service.list(),
        onDidChange: service.onDidChange,
        // How far things are changes all the time: the newest view of an environment is enough.
        coalesce: (change) => ('upsert' in change ? change.upsert.name : undefined),
        signal,
      }),
    ),
    get: os.get.handler(({ input }) => service.get(input.environment)),
    create: os.create.handler(({ input }) => service.create(input)),
    start: os.start.handler(({ input }) => service.start(input.environment)),
    stop: os.stop.handler(({ input }) => service.stop(input.environment)),
    discard: os.discard.handler(({ input }) => service.discard(input.environment)),
    save: os.save.handler(({ input: { environment, ...rest } }) => service.save(environment, rest)),
    places: os.places.handler(({ input }) => service.places(input.environment)),
    distribute: os.distribute.handler(({ input: { environment, ...rest } }) =>
      service.distribute(environment, rest),
    ),
    cancelDelivery: os.cancelDelivery.handler(({ input }) =>
      service.cancelDelivery(input.delivery),
    ),
    remove: os.remove.handler(async ({ input }) => ({
      name: input.environment,
      left: await service.remove(input.environment),
    })),
    previewPrune: os.previewPrune.handler(({ input }) => pruning.preview(input.keep)),
    prune: os.prune.handler(({ input }) => pruning.prune(input.keep)),
  });
}
