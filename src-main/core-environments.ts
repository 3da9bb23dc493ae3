// The services of environments, constructed by hand.
import { isFinal } from './contract/task.ts';
import { imageOf } from './domain/names.ts';
import { listedName } from './domain/registries/registry.ts';
import type { SnowflakeFactory } from './domain/snowflake.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import type { AttemptServiceParts } from './services/attempts/attempt-service.ts';
import { EnvironmentBuilds } from './services/environments/builds.ts';
import { Deliveries } from './services/environments/deliveries.ts';
import { EnvironmentBook } from './services/environments/environment-book.ts';
import { EnvironmentService } from './services/environments/environment-service.ts';
import type { EnvironmentParts } from './services/environments/ports.ts';
import { Pruning } from './services/environments/pruning.ts';
import { ImageService } from './services/images/image-service.ts';
import type { TaskId } from './contract/ids.ts';
import type { Logger } from './services/logger.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import type { TaskBook } from './services/tasks/task-book.ts';
import { tarOf } from './store/layer-files.ts';
import type { Store } from './store/open.ts';

export interface CoreEnvironments extends AsyncDisposable {
  readonly service: EnvironmentService;
  readonly pruning: Pruning;
  readonly images: ImageService;
  /** Brings the environment an attempt is to run in to its node. */
  readonly bring: NonNullable<AttemptServiceParts['bring']>;
}

export function makeEnvironments(given: {
  nodes: NodesService;
  book: TaskBook;
  store: Pick<Store, 'environments' | 'layers' | 'flushed'>;
  log: Logger;
  ids: SnowflakeFactory;
}): CoreEnvironments {
  const { nodes, book: tasks, store, log, ids } = given;
  const parts: EnvironmentParts = {
    records: store.environments,
    layers: store.layers,
    flushed: () => store.flushed(),
    fleet: nodes,
    isLocal: (id) => nodes.list().some((node) => node.id === id && node.local),
    clock,
    timers,
    log,
    newId: () => ids.nodeId(),
    dockerfile: (text) => tarOf([{ name: 'Dockerfile', text }]),
    // What runs is seen on its node; what is still to start is known here only.
    waitingFor: (image) => {
      const name = listedName(image);
      return [...tasks.all()]
        .filter(({ state, spec }) => {
          const own = isFinal(state.status) ? null : imageOf(spec.vessel);
          return own !== null && listedName(own) === name;
        })
        .map(({ id, spec }) => spec.name ?? `task ${id}`);
    },
  };
  const book = new EnvironmentBook(parts);
  const builds = new EnvironmentBuilds(parts, book);
  const deliveries = new Deliveries(parts, book);
  const service = new EnvironmentService(parts, { book, builds, deliveries });
  return {
    service,
    pruning: new Pruning(parts, book),
    images: new ImageService({
      ...parts,
      isVps: (id) => tasks.active(id as TaskId) !== undefined,
      unsaved: () => new Set(book.all().flatMap(({ build }) => build?.imageId ?? [])),
    }),
    bring: async (spec, nodeId, work) => {
      const image = imageOf(spec.vessel);
      // A VPS that has its disk needs no image any more.
      if (image === null || spec.vps?.hasDisk === true) return;
      await service.bring(image, nodeId, work);
    },
    [Symbol.asyncDispose]: async () => {
      await deliveries[Symbol.asyncDispose]();
      await builds[Symbol.asyncDispose]();
    },
  };
}
