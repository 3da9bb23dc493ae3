// Making a container again with everything as it was.
import type Dockerode from 'dockerode';
import { fromDocker, readComplaint } from './errors.ts';
import type { EngineLife } from './lost-containers.ts';
import type { FoundContainer } from './observed.ts';

/** The life of the Engine is told in whole seconds. */
const slackMs = 2000;

/** What a container was made with. */
export function madeWith({
  Config,
  HostConfig,
}: Dockerode.ContainerInspectInfo): Dockerode.ContainerCreateOptions {
  const { Image, Hostname, Entrypoint, Cmd, Env, Labels, ExposedPorts, WorkingDir, User } = Config;
  return {
    Image,
    Hostname,
    Entrypoint: Entrypoint ?? undefined,
    Cmd,
    Env,
    Labels,
    ExposedPorts,
    WorkingDir,
    User,
    Healthcheck: { Test: ['NONE'] },
    HostConfig,
  };
}

/**
 * Puts another in the place of a container that never ran, and returns its ID: whatever was ordered
 * about the old one and comes late, a start above all, finds it gone. Undefined: it began meanwhile.
 * Where it may have begun without the Engine's knowing, it stays: starting it again tells.
 */
export async function replaceUnstarted(
  docker: Dockerode,
  found: FoundContainer,
  life: EngineLife,
): Promise<string | undefined> {
  const old = docker.getContainer(found.id);
  try {
    const info = await old.inspect();
    if (!isSurelyUnstarted(info, life)) return found.id;
    // It is named after its ID where nobody has named it.
    const { Hostname: _own, ...config } = madeWith(info);
    if (!(await hasGone(old))) return undefined;
    const { id } = await docker.createContainer({ ...config, name: found.name });
    return id;
  } catch (error) {
    throw fromDocker(error, { kind: 'create', container: found.name });
  }
}

/**
 * An Engine that was killed during a start knows nothing of what began; no order outlives it, either.
 * One that is up since before the container was made would know.
 */
function isSurelyUnstarted(
  { Created, State }: Dockerode.ContainerInspectInfo,
  { engineSince }: EngineLife,
): boolean {
  if (State.Status !== 'created' || State.Error !== '' || State.ExitCode !== 0) return false;
  return engineSince !== null && engineSince + slackMs < Date.parse(Created);
}

/** Removes it, unless it runs: the Engine refuses that without force. */
async function hasGone(container: Dockerode.Container): Promise<boolean> {
  try {
    await container.remove({ v: true });
    return true;
  } catch (error) {
    const { status } = readComplaint(error);
    if (status === 404) return true;
    if (status === 409) return false;
    throw error;
  }
}
