// Where a UDP forward listens here: every program that sends to it is a flow with a socket of its own
// on the node, so that each gets its own answers.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Clock, Timers } from '../../domain/clock.ts';
import type { DatagramFrame } from '../../domain/forwards/datagrams.ts';
import type { Door } from './door.ts';
import type { SpliceCounts } from './splice.ts';
import type { RelayListener, UdpRelay } from './udp-relay.ts';

export interface UdpDoorParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counts: SpliceCounts;
  /** Where datagrams go now, as the node sees it. Throws what finding the place throws. */
  readonly address: () => Promise<{ host: string; port: number }>;
  readonly startRelay: (listener: RelayListener) => Promise<UdpRelay>;
  readonly onProblem: (error: unknown) => void;
  readonly onChange: () => void;
}

/** As long as routers remember flows that have answers (RFC 4787 asks for two minutes at least). */
const idleMs = 120_000;
/** A flow that could not be opened is tried again with what is sent after this, at the latest. */
const sweepMs = 5000;
const mostFlows = 256;
/** Datagrams of a flow that is being opened; more are lost. */
const mostWaiting = 64;
/** Answers that the programs here do not take; more are lost. */
const mostUnsentBytes = 1024 * 1024;

interface Flow {
  readonly id: number;
  readonly peer: RemoteInfo;
  state: 'opening' | 'open' | 'failed';
  waiting: Uint8Array[];
  usedAt: number;
}

export class UdpDoor implements Door {
  readonly port: number;
  readonly #parts: UdpDoorParts;
  readonly #socket: Socket;
  readonly #sweeping: Disposable;
  /** In the order they were used last. */
  readonly #flows = new Map<string, Flow>();
  readonly #byId = new Map<number, Flow>();
  #relay: UdpRelay | undefined;
  #starting: Promise<UdpRelay> | undefined;
  #lastFlow = 0;
  /** Of all flows that are being opened. */
  #waitingBytes = 0;
  #isClosed = false;

  /** Listens. Rejects with Node's own error where the port is taken. */
  static open(parts: UdpDoorParts, host: string, port: number): Promise<UdpDoor> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve(new UdpDoor(parts, socket));
      });
    });
  }

  private constructor(parts: UdpDoorParts, socket: Socket) {
    this.#parts = parts;
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes, peer) => this.#take(bytes, peer));
    socket.on('error', parts.onProblem);
    this.#sweeping = parts.timers.every(sweepMs, () => this.#sweep());
  }

  get connections(): number {
    return this.#flows.size;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweeping[Symbol.dispose]();
    this.#forgetAll();
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
    await this.#endRelay();
  }

  #take(bytes: Uint8Array, peer: RemoteInfo): void {
    const key = keyOf(peer);
    const flow = this.#flows.get(key) ?? this.#newFlow(peer);
    flow.usedAt = this.#parts.clock.monotonic();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    if (flow.state === 'opening') this.#keep(flow, bytes);
    else if (flow.state === 'open') this.#send(flow, bytes);
  }

  #keep({ waiting }: Flow, bytes: Uint8Array): void {
    if (waiting.length >= mostWaiting || this.#waitingBytes > mostUnsentBytes) return;
    waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #send({ id }: Flow, bytes: Uint8Array): void {
    const isSent = this.#relay?.send({ kind: 'datagram', flow: id, bytes }) ?? false;
    if (isSent) this.#parts.counts.up(bytes.length);
  }

  #newFlow(peer: RemoteInfo): Flow {
    const [oldest] = this.#flows.values();
    if (this.#flows.size >= mostFlows && oldest !== undefined) this.#close(oldest);
    this.#lastFlow = (this.#lastFlow + 1) % 2 ** 32;
    const flow: Flow = { id: this.#lastFlow, peer, state: 'opening', waiting: [], usedAt: 0 };
    this.#byId.set(flow.id, flow);
    void this.#open(flow);
    return flow;
  }

  async #open(flow: Flow): Promise<void> {
    try {
      const { host, port } = await this.#parts.address();
      const relay = await this.#needRelay();
      if (this.#byId.get(flow.id) !== flow) return;
      // Dropped, as too much waits already: the relay would not know where what follows goes.
      if (!relay.send({ kind: 'open', flow: flow.id, host, port })) {
        flow.state = 'failed';
        return;
      }
      for (const bytes of flow.waiting) this.#send(flow, bytes);
      flow.state = 'open';
    } catch (error) {
      flow.state = 'failed';
      this.#parts.onProblem(error);
    } finally {
      for (const { length } of flow.waiting) this.#waitingBytes -= length;
      flow.waiting = [];
      this.#parts.onChange();
    }
  }

  #needRelay(): Promise<UdpRelay> {
    if (this.#relay?.hasEnded === false) return Promise.resolve(this.#relay);
    this.#starting ??= this.#startRelay().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #startRelay(): Promise<UdpRelay> {
    const relay = await this.#parts.startRelay({
      frame: (frame) => this.#receive(frame),
      ended: () => this.#forgetAll(),
    });
    this.#relay = relay;
    // Closed while it was started.
    if (this.#isClosed) await this.#endRelay();
    return relay;
  }

  #receive(frame: DatagramFrame): void {
    const flow = this.#byId.get(frame.flow);
    if (flow === undefined) return;
    if (frame.kind === 'failed') flow.state = 'failed';
    if (frame.kind !== 'datagram' || this.#socket.getSendQueueSize() > mostUnsentBytes) return;
    this.#parts.counts.down(frame.bytes.length);
    flow.usedAt = this.#parts.clock.monotonic();
    const { port, address } = flow.peer;
    this.#socket.send(frame.bytes, port, address);
  }

  /** Forgets flows that are idle or failed, and lets the relay go when there are none. */
  #sweep(): void {
    const now = this.#parts.clock.monotonic();
    for (const flow of this.#flows.values()) {
      const isOver = flow.state === 'failed' || now - flow.usedAt > idleMs;
      if (isOver && flow.state !== 'opening') this.#close(flow);
    }
    if (this.#flows.size === 0 && this.#relay !== undefined) {
      void this.#endRelay();
      this.#parts.onChange();
    }
  }

  #close(flow: Flow): void {
    this.#flows.delete(keyOf(flow.peer));
    this.#byId.delete(flow.id);
    if (flow.state === 'open') this.#relay?.send({ kind: 'close', flow: flow.id });
  }

  #forgetAll(): void {
    this.#flows.clear();
    this.#byId.clear();
    this.#parts.onChange();
  }

  async #endRelay(): Promise<void> {
    const relay = this.#relay;
    this.#relay = undefined;
    try {
      await relay?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#parts.onProblem(error);
    }
  }
}

function keyOf({ address, port }: RemoteInfo): string {
  return `${address} ${String(port)}`;
}
