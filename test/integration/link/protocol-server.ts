// An SSH server in this process that does what no OpenSSH can be configured to do, and remembers what it was sent.
import { keepCiphers } from '../../../src-main/link/ssh/kept-ciphers.ts';
import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection } from 'ssh2';

export interface ProtocolServerOptions {
  onAuth: (context: AuthContext) => void;
}

export class ProtocolServer implements AsyncDisposable {
  /** Methods of every sign-in that was tried, in order. */
  readonly attempts: string[] = [];
  readonly #server: InstanceType<typeof ssh2.Server>;
  readonly #connections = new Set<Connection>();

  static async start(options: ProtocolServerOptions): Promise<ProtocolServer> {
    const server = new ProtocolServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  private constructor(options: ProtocolServerOptions) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
    this.#server = new ssh2.Server({ hostKeys: [key] }, (connection) => {
      keepCiphers(connection);
      this.#connections.add(connection);
      connection.on('error', () => this.#connections.delete(connection));
      connection.on('authentication', (context) => {
        this.attempts.push(context.method);
        options.onAuth(context);
      });
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          channel.exit(0);
          channel.end();
        });
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.end();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
