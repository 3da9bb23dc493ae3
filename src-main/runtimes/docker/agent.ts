import type { ClientRequest, ClientRequestArgs } from 'node:http';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type { NodeLink } from '../../link/node-link.ts';

// To import it would read everything it offers, Node's fetch among it: which takes longer to load than most.
const { Agent } = process.getBuiltinModule('node:http');

/** The way to the Engine on a node: its socket, or a program that carries one connection. */
export type DockerDoor =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'dial-stdio' };

/** Opens one connection to the Engine. */
export async function dialDoor(link: NodeLink, door: DockerDoor): Promise<Duplex> {
  if (door.kind === 'socket') return link.dialSocket(door.path);
  const program = await link.spawn(['docker', 'system', 'dial-stdio']);
  // Its end shows as the end of stdout; the promise would otherwise reject with nobody listening.
  program.ended.catch(() => undefined);
  const stream = Duplex.from({ readable: program.stdout, writable: program.stdin });
  // A link that is gone has ended it already.
  stream.once('close', () => void program.end().catch(() => undefined));
  return stream;
}

/** Idle connections kept for the next request. More calls than that at once just open more. */
const idleConnections = 8;

/** An HTTP agent whose connections go through a link. */
export class LinkAgent extends Agent {
  readonly #link: NodeLink;
  readonly #door: DockerDoor;

  constructor(link: NodeLink, door: DockerDoor) {
    super({ keepAlive: true, maxFreeSockets: idleConnections });
    this.#link = link;
    this.#door = door;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    dialDoor(this.#link, this.#door).then(
      (stream) => callback?.(null, asSocket(stream)),
      (error: unknown) => {
        // Node's signature wants a stream beside an error, and never looks at it.
        (callback as ((error: unknown) => void) | undefined)?.(error);
      },
    );
    return undefined;
  }

  /**
   * docker-modem waits for the end of a reply and never hears that it broke off in the middle: the
   * request then fails here. Node calls this for every request; it is what agents have in common.
   */
  addRequest(request: ClientRequest, ...rest: unknown[]): void {
    request.once('response', (reply) => {
      reply.once('close', () => {
        if (!reply.complete) request.emit('error', new Error('The reply broke off.'));
      });
    });
    const base = Agent.prototype as unknown as { addRequest(...all: unknown[]): void };
    base.addRequest.call(this, request, ...rest);
  }

  /** docker-modem inspects its options in full depth on every request, agent included: seconds without this. */
  [inspect.custom](): string {
    return 'LinkAgent';
  }
}

/** Gives a stream the socket methods that node:http calls on every connection. */
function asSocket(stream: Duplex): Duplex {
  // Between two requests nobody of node:http listens, and a connection that is given back half closed
  // is destroyed with an error: that would end the core. Whoever uses the connection still hears of it.
  stream.on('error', () => undefined);
  const socket = stream as Duplex & Record<string, unknown>;
  for (const method of ['setTimeout', 'setNoDelay', 'setKeepAlive', 'ref', 'unref']) {
    socket[method] ??= () => socket;
  }
  return stream;
}
