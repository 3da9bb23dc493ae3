import type { Readable } from 'node:stream';
import { isDivertible, type NodeLink, type RemoteFiles } from '../../../src-main/link/node-link.ts';

type Command = readonly string[];

export interface Altered {
  /** What is run in the place of what it is told to run. */
  readonly command?: (command: Command) => Command;
  /** Hears how much programs give. */
  readonly onBytes?: (bytes: number) => void;
  readonly files?: RemoteFiles;
}

/** The same link, but for what is altered. */
export function alteredLink(link: NodeLink, altered: Altered): NodeLink {
  const { command: alter = (command: Command) => command, onBytes, files } = altered;
  const spawn = async (...[command, options]: Parameters<NodeLink['spawn']>) => {
    const process = await link.spawn(alter(command), options);
    if (onBytes === undefined) return process;
    listen(process.stdout, onBytes);
    return process;
  };
  return over(link, {
    spawn,
    ...(files === undefined ? {} : { files: () => Promise.resolve(files) }),
  });
}

function listen(stream: Readable, onBytes: (bytes: number) => void): void {
  stream.on('data', (bytes: Buffer) => onBytes(bytes.length));
  stream.pause();
  if (!isDivertible(stream)) return;
  const divert = stream.divert.bind(stream);
  stream.divert = (taker) =>
    divert({
      isReady: () => taker.isReady(),
      take: (part) => {
        onBytes(part.length);
        return taker.take(part);
      },
    });
}

/** An object in which some methods are others. */
export function over<T extends object>(object: T, others: Partial<T>): T {
  return new Proxy(object, {
    get(target, key) {
      const from = Object.hasOwn(others, key) ? others : target;
      const value = Reflect.get(from, key, from) as unknown;
      return typeof value === 'function' ? value.bind(from) : value;
    },
  });
}
