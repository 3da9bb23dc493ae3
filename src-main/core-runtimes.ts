// The runtimes room as the nodes service asks for it.
import type { CoreId } from './contract/ids.ts';
import type { Clock, Timers } from './domain/clock.ts';
import { connectDocker } from './runtimes/docker/connect.ts';
import { createDockerRuntime } from './runtimes/docker/docker-runtime.ts';
import type { FindAccount } from './runtimes/image-engine.ts';
import { createProcessRuntime } from './runtimes/process/process-runtime.ts';
import type { Logger } from './services/logger.ts';
import type { RuntimeFactories } from './services/nodes/ports.ts';

export interface RuntimeParts {
  readonly coreId: CoreId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** `DOCKER_HOST` of this computer, honoured for this computer only. */
  readonly dockerHost: string | undefined;
  readonly account: FindAccount;
}

export function realRuntimes({
  coreId,
  clock,
  timers,
  log,
  dockerHost,
  account,
}: RuntimeParts): RuntimeFactories {
  return {
    docker: async (link, { isLocal, nodeName, dockerSockets }) => {
      const named =
        isLocal && dockerHost?.startsWith('unix://') === true
          ? [dockerHost.slice('unix://'.length)]
          : [];
      const connection = await connectDocker(link, { sockets: [...named, ...dockerSockets] });
      const runtime = createDockerRuntime({
        link,
        connection,
        coreId,
        clock,
        timers,
        log: log.child({ node: nodeName }),
        account,
      });
      return { runtime, facts: connection.facts };
    },
    process: (link, { facts, nodeName }) =>
      Promise.resolve(
        createProcessRuntime({
          link,
          coreId,
          machineId: facts.machineId ?? facts.hostname,
          limits: facts.processLimits,
          clock,
          timers,
          log: log.child({ node: nodeName }),
        }),
      ),
  };
}
