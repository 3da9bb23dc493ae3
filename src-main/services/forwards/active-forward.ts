// One forward at work: listens, connects, counts.
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ForwardId, ForwardSpec, ForwardView } from '../../contract/forwards.ts';
import type { Instant, NodeId } from '../../contract/ids.ts';
import { isAppError } from '../../contract/errors.ts';
import type { Timers } from '../../domain/clock.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { findDestination, type Destination } from './dial.ts';
import { openTcpDoor, type Door } from './door.ts';
import { cannotForward, portTaken } from './errors.ts';
import type { ForwardRecord } from './ports.ts';
import { openSocksDoor } from './socks-door.ts';
import { splice } from './splice.ts';
import { UdpDoor } from './udp-door.ts';
import { findRelay, UdpRelay, type RelayScripts } from './udp-relay.ts';

export interface ForwardParts {
  readonly id: ForwardId;
  readonly spec: ForwardSpec;
  readonly createdAt: Instant;
  /** The port it had when it last listened. */
  readonly rememberedPort: number | null;
  readonly isPaused: boolean;
  readonly terminals: TerminalParts;
  readonly timers: Timers;
  readonly relayScripts: RelayScripts;
  readonly onChange: () => void;
}

type State =
  | { readonly kind: 'open' | 'paused' }
  | { readonly kind: 'waiting' | 'failed'; readonly reason: string };

export class ActiveForward {
  readonly id: ForwardId;
  readonly #parts: ForwardParts;
  /** Connections by their end here, and all that has to be closed with them. */
  readonly #nears = new Set<Duplex>();
  readonly #fars = new Set<Duplex>();
  readonly #counts = {
    up: (bytes: number) => (this.#bytesUp += bytes),
    down: (bytes: number) => (this.#bytesDown += bytes),
  };
  #state: State = { kind: 'waiting', reason: 'It is being opened.' };
  #place: string | undefined;
  #nodeId: NodeId | undefined;
  #door: Door | undefined;
  #remote: AsyncDisposable | undefined;
  #localPort: number | null;
  #bytesUp = 0;
  #bytesDown = 0;
  #isClosed = false;
  /** Counts each wish for another state: an opening that took long may be out of date. */
  #turn = 0;
  #toldBytes = 0;
  #openings = 0;

  constructor(parts: ForwardParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#localPort = parts.rememberedPort ?? parts.spec.localPort;
    if (parts.isPaused) this.#state = { kind: 'paused' };
  }

  get nodeId(): NodeId | undefined {
    return this.#nodeId;
  }

  get localPort(): number | null {
    return this.#localPort;
  }

  get isPaused(): boolean {
    return this.#state.kind === 'paused';
  }

  /** It should be open, is not, and is not being opened either. */
  get needsHealing(): boolean {
    if (this.#openings > 0) return false;
    return this.#state.kind === 'waiting' || this.#state.kind === 'failed';
  }

  /** How it is kept. */
  record(): ForwardRecord {
    const { id, spec, createdAt } = this.#parts;
    return { id, spec, createdAt, localPort: this.#localPort, isPaused: this.isPaused };
  }

  view(): ForwardView {
    const { id, spec, createdAt } = this.#parts;
    return {
      id,
      spec,
      place: this.#place ?? nameOf(spec),
      state: this.#state.kind,
      reason: 'reason' in this.#state ? this.#state.reason : null,
      localPort: this.#localPort,
      connections: this.#nears.size + (this.#door?.connections ?? 0),
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      createdAt,
    };
  }

  /** Opens what is not open. Never throws: the state says how it went; `add` asks `failure`. */
  async open(): Promise<unknown> {
    if (this.#isClosed) return undefined;
    const turn = (this.#turn += 1);
    this.#openings += 1;
    try {
      const destination = await this.#find();
      if (this.#parts.spec.kind === 'reverse') await this.#listenThere(destination);
      else await this.#listenHere(destination);
      // Paused or closed meanwhile: what was opened for nobody is closed again.
      if (turn === this.#turn) this.#setState({ kind: 'open' });
      else if (this.#isUnwanted()) await this.#letGo();
      return undefined;
    } catch (error) {
      if (turn !== this.#turn) return undefined;
      const isLater = isAppError(error) && error.retry === 'later';
      const reason = isAppError(error) ? error.message : 'It could not be opened.';
      this.#setState({ kind: isLater ? 'waiting' : 'failed', reason });
      return error;
    } finally {
      this.#openings -= 1;
    }
  }

  /** Its node is out of reach: connections are refused until it is back. */
  noteLoss(reason: string): void {
    this.#remote = undefined;
    if (!this.isPaused) this.#setState({ kind: 'waiting', reason });
  }

  /** Ends what goes through it and lets nothing in, until it is opened again. */
  async pause(): Promise<void> {
    this.#turn += 1;
    this.#setState({ kind: 'paused' });
    await this.#letGo();
    this.#parts.onChange();
  }

  /** Announces counts that have risen since they were last told. */
  tellCounts(): void {
    const bytes = this.#bytesUp + this.#bytesDown;
    if (bytes === this.#toldBytes) return;
    this.#toldBytes = bytes;
    this.#parts.onChange();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#turn += 1;
    await this.#letGo();
  }

  #isUnwanted(): boolean {
    return this.#isClosed || this.isPaused;
  }

  async #letGo(): Promise<void> {
    const [door, remote] = [this.#door, this.#remote];
    this.#door = undefined;
    this.#remote = undefined;
    for (const socket of [...this.#nears, ...this.#fars]) socket.destroy();
    await door?.close();
    await remote?.[Symbol.asyncDispose]();
  }

  async #find(): Promise<Destination> {
    const destination = await findDestination(this.#parts.terminals, this.#parts.spec.target);
    this.#place = destination.text;
    this.#nodeId = destination.nodeId;
    return destination;
  }

  async #listenThere(destination: Destination): Promise<void> {
    const { spec } = this.#parts;
    if (spec.kind !== 'reverse') return;
    if (destination.isContainer) {
      throw cannotForward(
        `A reverse forward ends at the node itself, where ${destination.text} does not see it. Make it to the node.`,
        destination.text,
      );
    }
    const localPort = spec.localPort ?? spec.port;
    this.#localPort = localPort;
    await this.#remote?.[Symbol.asyncDispose]();
    this.#remote = await destination
      .link()
      .listenTcp(spec.host ?? '127.0.0.1', spec.port, (far) => {
        const near = connect({ host: spec.bind, port: localPort, allowHalfOpen: true });
        void this.#join(near, far);
      });
  }

  async #listenHere(destination: Destination): Promise<void> {
    const { spec, rememberedPort } = this.#parts;
    if (spec.kind === 'udp') await this.#relayCommand(destination);
    if (this.#isListening()) return;
    const asked = spec.localPort;
    const isSame = (spec.kind === 'tcp' || spec.kind === 'udp') && spec.port >= 1024;
    const wish = rememberedPort ?? (isSame ? spec.port : 0);
    const door = await this.#openDoor(asked ?? wish).catch((error: unknown) => {
      if (asked !== null) throw portTaken(spec.bind, asked, error);
      return this.#openDoor(0);
    });
    // Paused and resumed meanwhile, it was opened twice.
    if (this.#isListening()) return door.close();
    this.#door = door;
    this.#localPort = door.port;
  }

  #isListening(): boolean {
    return this.#door !== undefined;
  }

  #openDoor(port: number): Promise<Door> {
    const { spec } = this.#parts;
    if (spec.kind === 'udp') return this.#openUdpDoor(spec, port);
    return openTcpDoor({ host: spec.bind, port }, (socket) => void this.#accept(socket));
  }

  #openUdpDoor(spec: ForwardSpec & { kind: 'udp' }, port: number): Promise<Door> {
    const { terminals, timers, onChange } = this.#parts;
    return UdpDoor.open(
      {
        clock: terminals.clock,
        timers,
        counts: this.#counts,
        onChange,
        address: async () => {
          const host = await (await this.#find()).address(spec.host);
          return { host, port: spec.port };
        },
        startRelay: async (listener) => {
          const destination = await this.#find();
          const command = await this.#relayCommand(destination);
          return UdpRelay.start(destination.link(), command, listener);
        },
        onProblem: (error) => this.#note(error, 'Datagrams could not be sent on.'),
      },
      spec.bind,
      port,
    );
  }

  #relayCommand(destination: Destination): Promise<readonly string[]> {
    const { terminals, relayScripts: scripts } = this.#parts;
    const node = terminals.nodes.node(destination.nodeId)?.name ?? destination.text;
    return findRelay(destination.link(), { scripts, node });
  }

  async #accept(near: Socket): Promise<void> {
    near.on('error', () => near.destroy());
    hold(this.#nears, near);
    try {
      const destination = await this.#find();
      const { spec } = this.#parts;
      const far =
        spec.kind === 'socks'
          ? await openSocksDoor(near, ({ host, port }) => destination.dial(host, port))
          : await destination.dial(spec.kind === 'tcp' ? spec.host : null, spec.port);
      if (far === undefined) return;
      if (near.destroyed) far.destroy();
      else await this.#join(near, far);
    } catch (error) {
      near.destroy();
      this.#note(error, 'A connection could not be made.');
    }
  }

  async #join(near: Duplex, far: Duplex): Promise<void> {
    hold(this.#nears, near);
    hold(this.#fars, far);
    await splice(near, far, this.#counts);
    this.#parts.onChange();
  }

  #note(error: unknown, otherwise: string): void {
    const reason = isAppError(error) ? error.message : otherwise;
    this.#parts.terminals.log.debug({ err: error, forward: this.id }, reason);
  }

  #setState(state: State): void {
    this.#state = state;
    this.#parts.onChange();
  }
}

/** Keeps it in the set until it is closed. */
function hold(set: Set<Duplex>, socket: Duplex): void {
  if (set.has(socket)) return;
  set.add(socket);
  socket.once('close', () => set.delete(socket));
}

function nameOf({ target }: ForwardSpec): string {
  if (target.kind === 'node') return target.node;
  return target.kind === 'task' ? target.task : target.container;
}
