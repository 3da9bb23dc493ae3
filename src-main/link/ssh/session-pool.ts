import type { Timers } from '../../domain/clock.ts';
import { ChannelRefusedError, lostError } from '../errors.ts';
import type { LinkChannels } from '../node-link.ts';
import type { SshConnection } from './connection.ts';

export interface SessionPoolOptions {
  control: SshConnection;
  /** Opens a further connection to the same host. */
  openExtra: () => Promise<SshConnection>;
  timers: Timers;
}

/** Ends a session's claim on its connection; safe to call more than once. */
export type Release = () => void;

/** What a session is for: our own shells and SFTP, what people open, or what carries much. */
export type Purpose = 'control' | 'user' | 'bulk';

interface Lane {
  readonly connection: SshConnection;
  used: number;
  /** Of these, the ones that may not use reserved places. */
  usedByUsers: number;
  limit: number;
  idleTimer: Disposable | undefined;
}

/** sshd's MaxSessions unless it was set otherwise. */
const SESSIONS_PER_CONNECTION = 10;
/** Places on the control connection that only shells for commands and SFTP may use. */
const RESERVED_FOR_CONTROL = 6;
/** A further connection is kept this long for the next one who needs it. */
const KEEP_IDLE_MS = 60_000;

/**
 * Deals out sessions (exec, shell, SFTP; forwarded sockets do not count) over as many connections
 * as they need. A server that refuses earlier than expected has a smaller limit, which is learnt.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #control: Lane;
  readonly #extras = new Set<Lane>();
  #opening: Promise<Lane> | undefined;
  #isClosed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#control = laneOf(options.control);
  }

  /** What is open on all connections, and how much they carry. */
  get channels(): LinkChannels {
    const lanes = [this.#control, ...this.#extras];
    return {
      connections: lanes.length,
      sessions: lanes.reduce((sum, { used }) => sum + used, 0),
      sessionLimit: lanes.reduce((sum, { limit }) => sum + limit, 0),
    };
  }

  /** Connections open at the moment. */
  get connectionCount(): number {
    return 1 + this.#extras.size;
  }

  /**
   * Opens a session where there is room. `start` must call `release` once its session has ended;
   * when it throws, the place is free again. Throws ChannelRefusedError when even a fresh
   * connection refuses it.
   */
  async open<T>(
    purpose: Purpose,
    start: (connection: SshConnection, release: Release) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const lane = this.#laneWithRoom(purpose) ?? (await this.#openLane());
      const isFresh = lane.used === 0;
      const release = claim(lane, purpose, () => this.#onRelease(lane));
      try {
        return await start(lane.connection, release);
      } catch (error) {
        release();
        if (isFresh || !isFull(error) || !lane.connection.isOpen) throw error;
        // Others hold what there is. Room comes back when they end (see #onRelease).
        lane.limit = Math.max(1, lane.used);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const pending = await this.#opening?.catch(() => undefined);
    if (pending !== undefined) this.#extras.add(pending);
    for (const lane of this.#extras) {
      lane.idleTimer?.[Symbol.dispose]();
      await lane.connection.close();
    }
    this.#extras.clear();
  }

  #laneWithRoom(purpose: Purpose): Lane | undefined {
    const control = this.#control;
    // Much data at once would make every command on the same connection wait.
    const isAllowed =
      purpose === 'control' ||
      (purpose === 'user' && control.usedByUsers < control.limit - RESERVED_FOR_CONTROL);
    if (isAllowed && control.used < control.limit) return control;
    return [...this.#extras].find((lane) => lane.connection.isOpen && lane.used < lane.limit);
  }

  /** One at a time: sshd throttles connections that have not signed in yet (MaxStartups). */
  #openLane(): Promise<Lane> {
    if (this.#isClosed) return Promise.reject(lostError(this.#options.control.description));
    this.#opening ??= this.#connectLane().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #connectLane(): Promise<Lane> {
    const lane = laneOf(await this.#options.openExtra());
    lane.connection.onDidClose(() => {
      lane.idleTimer?.[Symbol.dispose]();
      this.#extras.delete(lane);
    });
    this.#extras.add(lane);
    return lane;
  }

  #onRelease(lane: Lane): void {
    if (lane.used > 0) return;
    lane.limit = SESSIONS_PER_CONNECTION;
    if (lane === this.#control || this.#isClosed) return;
    lane.idleTimer = this.#options.timers.after(KEEP_IDLE_MS, () => {
      this.#extras.delete(lane);
      void lane.connection.close();
    });
  }
}

function isFull(error: unknown): boolean {
  return error instanceof ChannelRefusedError && error.isOpenFailure;
}

function laneOf(connection: SshConnection): Lane {
  return {
    connection,
    used: 0,
    usedByUsers: 0,
    limit: SESSIONS_PER_CONNECTION,
    idleTimer: undefined,
  };
}

function claim(lane: Lane, purpose: Purpose, onRelease: () => void): Release {
  const isUser = purpose !== 'control';
  lane.used++;
  if (isUser) lane.usedByUsers++;
  lane.idleTimer?.[Symbol.dispose]();
  lane.idleTimer = undefined;
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    lane.used--;
    if (isUser) lane.usedByUsers--;
    onRelease();
  };
}
