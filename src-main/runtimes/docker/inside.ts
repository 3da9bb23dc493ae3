import { randomBytes } from 'node:crypto';
import type { RemoteProcess } from '../../link/node-link.ts';
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
    if (signal !== undefined) endOnAbort(process, signal, parts);
    return process;
  };
  return { files: new ContainerFiles(spawn, parts.timers), spawn };
}

function endOnAbort(process: RemoteProcess, signal: AbortSignal, { log }: ExecParts): void {
  const onAbort = () => {
    process.end('SIGKILL').catch((error: unknown) => {
      log.warn({ err: error }, 'a program in a container could not be ended');
    });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const forget = () => signal.removeEventListener('abort', onAbort);
  process.ended.then(forget, forget);
}
