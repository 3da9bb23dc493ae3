import { randomBytes } from 'node:crypto';
import { endOnAbort } from '../../link/end-on-abort.ts';
import type { Inside } from '../runtime.ts';
import { ContainerFiles } from './container-files.ts';
import { execInContainer, type ExecParts } from './exec.ts';

/** The files and programs of one running container. */
export function containerInside(parts: ExecParts, container: string): Inside {
  const spawn: Inside['spawn'] = async (command, { signal, cwd, env } = {}) => {
    signal?.throwIfAborted();
    const process = await execInContainer(parts, container, {
      command,
      stdin: true,
      mark: randomBytes(8).toString('hex'),
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
    const { timers, log } = parts;
    endOnAbort(process, signal, {
      timers,
      kill: 'SIGKILL',
      onError: (error) => log.warn({ err: error }, 'a program in a container could not be ended'),
    });
    return process;
  };
  return { files: new ContainerFiles(spawn, parts.timers), spawn };
}
