// The runtimes room as the nodes service takes it.
import type { Clock, Timers } from '../../domain/clock.ts';
import { connectDocker } from '../../runtimes/docker/connect.ts';
import { createDockerRuntime } from '../../runtimes/docker/docker-runtime.ts';
import { createProcessRuntime } from '../../runtimes/process/process-runtime.ts';
import type { Logger } from '../logger.ts';
import type { RuntimeFactories } from './ports.ts';

export interface RuntimeFactoriesOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Makes the real runtimes. */
export function realRuntimes(options: RuntimeFactoriesOptions): RuntimeFactories {
  return {
    async docker(link, { coreId, nodeName, dockerSockets }) {
      const connection = await connectDocker(link, { sockets: dockerSockets });
      const log = options.log.child({ node: nodeName, runtime: 'docker' });
      const runtime = createDockerRuntime({ ...options, log, link, connection, coreId });
      return { runtime, facts: connection.facts };
    },
    process(link, { coreId, nodeName, facts }) {
      const log = options.log.child({ node: nodeName, runtime: 'process' });
      const machineId = facts.machineId ?? facts.hostname;
      return Promise.resolve(
        createProcessRuntime({
          ...options,
          log,
          link,
          coreId,
          machineId,
          limits: facts.processLimits,
        }),
      );
    },
  };
}
