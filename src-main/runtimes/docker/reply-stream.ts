import { Readable } from 'node:stream';
import { DockerConnectionError } from './errors.ts';

/** dockerode's streams are typed as anything readable; what it hands out is Node's own. */
export function asReadable(reply: NodeJS.ReadableStream): Readable {
  if (reply instanceof Readable) return reply;
  throw new DockerConnectionError('The Engine answered with something that cannot be read.');
}
