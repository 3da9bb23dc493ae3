// The far end of UDP forwards. SSH carries streams and no datagrams, so a small program on the node,
// started for as long as something is sent, takes them out of a stream and sends them on.
import {
  encodeDatagramFrame,
  RelayedFrames,
  type DatagramFrame,
} from '../../domain/forwards/datagrams.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import { noUdpHelper } from './errors.ts';

/** Our relay in each language a node may have; the first one that is there is taken. */
export interface RelayScripts {
  readonly perl: string;
  readonly python3: string;
}

export interface RelayListener {
  frame(frame: DatagramFrame): void;
  /** It is gone, and every flow with it. */
  ended(): void;
}

const findInterpreter = `perl -MSocket=getaddrinfo -MErrno -e 1 </dev/null >/dev/null 2>&1 && echo perl && exit
python3 -c 'import selectors, socket' </dev/null >/dev/null 2>&1 && echo python3 && exit
exit 3`;
const findTimeoutMs = 20_000;
/** More than that is not on its way to a node at once: a datagram that comes then is lost. */
const mostWaitingBytes = 1024 * 1024;

/** The program that runs the relay on a node. Throws ForwardError `forward/no-udp` where there is none, or LinkError. */
export async function findRelay(
  link: NodeLink,
  { scripts, node }: { scripts: RelayScripts; node: string },
): Promise<readonly string[]> {
  const { stdout } = await link.runScript(findInterpreter, [], { timeoutMs: findTimeoutMs });
  const found = stdout.toString().trim();
  if (found === 'perl') return ['perl', '-e', scripts.perl];
  if (found === 'python3') return ['python3', '-c', scripts.python3];
  throw noUdpHelper(node);
}

/** The caller disposes of it. */
export class UdpRelay implements AsyncDisposable {
  readonly #process: RemoteProcess;
  readonly #listener: RelayListener;
  #hasEnded = false;

  /** Throws LinkError. */
  static async start(
    link: NodeLink,
    command: readonly string[],
    listener: RelayListener,
  ): Promise<UdpRelay> {
    return new UdpRelay(await link.spawn(command), listener);
  }

  private constructor(process: RemoteProcess, listener: RelayListener) {
    this.#process = process;
    this.#listener = listener;
    // What it means that its input broke is told by its end.
    process.stdin.on('error', () => this.#end());
    process.stderr.resume();
    void this.#read();
  }

  /** Nothing gets through it any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Sends on, or drops where too much waits already. False: dropped. */
  send(frame: DatagramFrame): boolean {
    const { stdin } = this.#process;
    const canWrite = !this.#hasEnded && !stdin.destroyed && !stdin.writableEnded;
    // A relay that is not told of an end keeps the socket; there are no more ends than there were openings.
    const isFull = frame.kind !== 'close' && stdin.writableLength > mostWaitingBytes;
    if (!canWrite || isFull) return false;
    stdin.write(encodeDatagramFrame(frame));
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    this.#process.stdin.end();
    await this.#process[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    const frames = new RelayedFrames();
    try {
      for await (const chunk of this.#process.stdout) {
        const found = frames.push(chunk as Buffer);
        if (found === 'wrong') break;
        for (const frame of found) this.#listener.frame(frame);
      }
      await this.#process[Symbol.asyncDispose]();
    } catch {
      // The link dropped: the forward is told of it by itself.
      return;
    } finally {
      this.#end();
    }
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.ended();
  }
}
