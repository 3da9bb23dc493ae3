// A program that asks over UDP and asks again, as such programs do, until it is answered.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const againMs = 500;
const patienceMs = 60_000;

export class UdpClient implements AsyncDisposable {
  readonly #socket: Socket;

  static async open(port: number): Promise<UdpClient> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new UdpClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    // A refusal is an answer that did not come.
    socket.on('error', () => undefined);
  }

  /** The first answer; each question should have one of its own. */
  async ask(bytes: Uint8Array): Promise<Buffer> {
    const answer = once(this.#socket, 'message', { signal: AbortSignal.timeout(patienceMs) });
    this.#socket.send(bytes);
    const asking = setInterval(() => this.#socket.send(bytes), againMs);
    try {
      const [got] = (await answer) as [Buffer];
      return got;
    } finally {
      clearInterval(asking);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
