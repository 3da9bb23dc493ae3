import { createServer, type Server, type Socket } from 'node:net';

/** Something that listens on this computer for a forward. */
export interface Door {
  readonly port: number;
  /** Programs here that go through it, as far as it knows of them itself. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Rejects with Node's own error where the port is taken. */
export function openTcpDoor(
  { host, port }: { host: string; port: number },
  onConnection: (socket: Socket) => void,
): Promise<Door> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // One connection could not be taken (no more file descriptors): the next may be.
      server.on('error', () => undefined);
      resolve(tcpDoor(server));
    });
  });
}

function tcpDoor(server: Server): Door {
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
